"""Retraining policies for vatl."""
