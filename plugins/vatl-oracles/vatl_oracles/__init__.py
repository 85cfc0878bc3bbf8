"""Oracles for vatl."""
