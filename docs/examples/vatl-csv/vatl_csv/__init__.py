"""A folder of frames with a CSV of points: a data set for vatl."""
