"""Refinement of poses over time for vatl."""
