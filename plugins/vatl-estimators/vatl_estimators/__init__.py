"""Pose estimators for vatl."""
