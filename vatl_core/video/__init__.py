"""A video: frames that are read when needed, instances as columns of tensors, and the geometry of their crops."""

from __future__ import annotations

from vatl_core.video.geometry import (  # isort: skip
    CROP_PADDING, boxes_around, compose, crop_boxes, crop_matrices, decode, gaussian_targets, invert, peaks, transform,
    warp,
)  # fmt: skip
from vatl_core.video.instances import Instances, neighbours
from vatl_core.video.skeleton import DEFAULT_SIGMA, PERSON_17, Pair, Skeleton
from vatl_core.video.source import Frames
from vatl_core.video.video import Video

__all__ = [
    "CROP_PADDING", "DEFAULT_SIGMA", "PERSON_17", "Frames", "Instances", "Pair", "Skeleton", "Video", "boxes_around",
    "compose", "crop_boxes", "crop_matrices", "decode", "gaussian_targets", "invert", "neighbours", "peaks",
    "transform", "warp",
]  # fmt: skip
