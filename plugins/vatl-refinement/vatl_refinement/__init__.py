"""Refinements of poses in time for vatl."""
