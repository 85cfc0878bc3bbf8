"""COCO keypoints over picture files or a video file, for vatl."""
