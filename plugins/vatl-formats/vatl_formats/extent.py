"""Boxes around keypoints that have no extent themselves, as where there is one keypoint."""

from __future__ import annotations

import math

import numpy as np

from vatl_core.errors import InputError
from vatl_formats.rows import LARGEST, Numbers


def extent_of(value: float | None) -> float | None:
    """The option ``extent`` of a data set, in pixels; None for boxes as they are.

    Raises:
        InputError: it is no length.
    """
    extent = None if value is None else float(value)
    if extent is not None and not (math.isfinite(extent) and 0 < extent <= LARGEST):
        raise InputError(f"extent is {extent:g}: give the least side of a box around keypoints in pixels, more than 0")
    return extent


def at_least(boxes: Numbers, extent: float | None) -> Numbers:
    """(n, 4) boxes x, y, w, h in pixels, shorter sides made ``extent`` long about their middles; none if None."""
    missing = np.maximum((extent or 0.0) - boxes[:, 2:], 0.0)
    return np.concatenate([boxes[:, :2] - missing / 2, boxes[:, 2:] + missing], axis=1)
