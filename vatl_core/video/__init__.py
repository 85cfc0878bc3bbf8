"""A video: frames that are read when needed, instances as columns of tensors, and the geometry of their crops."""

from __future__ import annotations

from vatl_core.video.columns import natural
from vatl_core.video.decoding import as_shown, decode_from
from vatl_core.video.frames import PictureFiles, VideoFile, exists, picture_size

from vatl_core.video.geometry import (  # isort: skip
    CROP_PADDING, boxes_around, compose, crop_boxes, crop_matrices, decode, gaussian_targets, invert, peaks, transform,
    warp,
)  # fmt: skip
from vatl_core.video.instances import Instances, neighbours
from vatl_core.video.skeleton import DEFAULT_SIGMA, PERSON_17, Pair, Skeleton
from vatl_core.video.source import Frames
from vatl_core.video.video import Video

__all__ = [
    "CROP_PADDING", "DEFAULT_SIGMA", "PERSON_17", "Frames", "Instances", "Pair", "PictureFiles", "Skeleton", "Video",
    "VideoFile", "as_shown", "boxes_around", "compose", "crop_boxes", "crop_matrices", "decode", "decode_from",
    "exists", "gaussian_targets", "invert", "natural", "neighbours", "peaks", "picture_size", "transform", "warp",
]  # fmt: skip
