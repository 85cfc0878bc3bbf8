"""Drawing a video's boxes and tracks by hand."""
