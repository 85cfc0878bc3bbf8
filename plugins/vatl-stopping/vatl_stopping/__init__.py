"""Stopping criteria for vatl."""
