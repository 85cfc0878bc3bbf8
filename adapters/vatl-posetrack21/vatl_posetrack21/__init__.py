"""PoseTrack21, read as it comes, for vatl."""
