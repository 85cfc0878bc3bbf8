"""Which videos, and which of their frames, are used for what."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np

from vatl_formats import Indices, Mask, Rows

Split = Literal["train", "val", "train_val"]

SPLITS: Final[tuple[Split, ...]] = ("train", "val", "train_val")
"""Folders of annotations: to train on, to adapt to, and, if somebody made it, held out of ``train`` for tuning."""

TRAIN_VAL: Final = frozenset(f"{number:06d}" for number in (1, 2, 3, 10, 15, 17, 22, 23, 26, 27, 28, 29, 36, 48))
"""The six-digit numbers of the videos of ``train_val``."""

FRAMES: Final = ("middle", "labelled", "all")
"""Frames of a video that can be asked for."""


@cache
def published() -> frozenset[str]:
    """The six-digit numbers of the 169 val videos that Taketsugu & Ukita (WACV 2024) adapt to."""
    return frozenset((files("vatl_posetrack21") / "val_videos.txt").read_text("utf-8").split())


def expected(split: str, videos_of: str) -> frozenset[str]:
    """The numbers of the videos that a split is known to have; none where that is unknown."""
    if split == "val":
        return published() if videos_of == "paper" else frozenset()
    return TRAIN_VAL if split == "train_val" else frozenset()


def number_of(video: str) -> str:
    """The six digits that a video's name begins with."""
    return video.partition("_")[0]


def taken(images: Rows, number: Indices, frames: str, reach: int) -> Mask:
    """(I,) which images are asked for.

    Args:
        images: I of them.
        number: (I,) each one's place in time.
        frames: ``middle``: with keypoints and less than ``reach`` frames from the video's middle; ``labelled``: with
            keypoints; ``all``.
        reach: in frames.

    Raises:
        InputError: an image does not say what is needed to tell.
    """
    if frames == "all":
        return np.ones(len(images), dtype=np.bool_)
    labelled = images.flags("is_labeled")
    if frames == "labelled":
        return labelled
    lengths = images.whole_numbers_or_none("nframes")
    for position, length in enumerate(lengths):
        if length is None:
            raise images.error(position, "has no nframes, so the middle of its video is unknown: take frames=labelled")
    middle = np.array(lengths, dtype=np.int64) // 2
    dense: Mask = labelled & (np.abs(number - middle) < reach)
    return dense
