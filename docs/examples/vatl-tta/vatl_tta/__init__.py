"""Poses that move when their heatmaps are flipped and shifted a little: a criterion for vatl."""
