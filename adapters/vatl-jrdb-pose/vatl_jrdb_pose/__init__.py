"""JRDB-Pose, read as it comes, for vatl."""
