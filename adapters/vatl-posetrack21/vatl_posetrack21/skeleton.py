"""PoseTrack's 17 keypoints of a person."""

from __future__ import annotations

from typing import Final

from vatl_core.video import Skeleton
from vatl_formats import SIGMA_SETS

SKELETON: Final = Skeleton(
    name="posetrack",
    keypoints=(
        "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
        (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
    flip_pairs=((3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=tuple(SIGMA_SETS["posetrack21"].values()),
)  # fmt: skip
"""In the data set's order, with its edges and COCO's sigmas. The ears are in the list, but nobody has annotated any."""
