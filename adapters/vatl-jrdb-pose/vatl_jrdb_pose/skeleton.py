"""JRDB-Pose's 17 keypoints of a person."""

from __future__ import annotations

from typing import Final

from vatl_core.video import Skeleton
from vatl_formats import SIGMA_SETS

SKELETON: Final = Skeleton(
    name="jrdb-pose",
    keypoints=(
        "head", "right_eye", "left_eye", "right_shoulder", "center_shoulder", "left_shoulder", "right_elbow",
        "left_elbow", "center_hip", "right_wrist", "right_hip", "left_hip", "left_wrist", "right_knee", "left_knee",
        "right_foot", "left_foot",
    ),
    edges=(
        (1, 2), (0, 4), (3, 4), (8, 10), (5, 7), (10, 13), (14, 16), (4, 5), (7, 12), (4, 8), (3, 6), (13, 15),
        (11, 14), (6, 9), (8, 11),
    ),
    flip_pairs=((1, 2), (3, 5), (6, 7), (9, 12), (10, 11), (13, 14), (15, 16)),
    sigmas=tuple(SIGMA_SETS["jrdb-pose"].values()),
)  # fmt: skip
"""In the data set's order; the sigmas are those of JRDB's own evaluation."""
