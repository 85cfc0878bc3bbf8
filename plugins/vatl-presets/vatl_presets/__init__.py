"""Presets for vatl."""
