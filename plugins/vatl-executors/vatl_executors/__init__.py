"""Executors for vatl."""
