"""What training on keypoints makes use of, by the usual rules for the published files."""

from __future__ import annotations

import reprlib

import numpy as np

from vatl_formats import Mask, Numbers, Rows, Sieve


def for_training(rows: Rows, visible: Mask, boxes: Numbers, size: Numbers, sieve: Sieve) -> Numbers:
    """Drop instances without annotated keypoints or without area, and let boxes end where their pictures end.

    Args:
        rows: n annotations.
        visible: (n, K) whether each keypoint is annotated.
        boxes: (n, 4) x, y, w, h in pixels; those still in the sieve meet their picture.
        size: (n, 2) width and height of their pictures.
        sieve: what is left of them.

    Returns:
        (n, 4) the boxes without what lies outside of the picture.

    Raises:
        InputError: an area is no number, or a number of keypoints no whole one.
    """
    none = np.array([count == 0 for count in rows.whole_numbers_or_none("num_keypoints")], dtype=np.bool_)
    sieve.drop(none | ~visible.any(axis=1), "no annotated keypoint")
    sieve.drop(_without_area(rows), "an area of 0")
    low, high = boxes[:, :2].clip(0, size), (boxes[:, :2] + boxes[:, 2:]).clip(0, size)
    return np.concatenate([low, high - low], axis=1)


def _without_area(rows: Rows) -> Mask:
    """(n,) whether a given ``area``, that of the outline, is none."""
    areas = [row.get("area") for row in rows.objects]
    for position, area in enumerate(areas):
        if area is not None and type(area) not in (int, float):
            raise rows.error(position, f"has area {reprlib.repr(area)}: it must be a number")
    return np.array([area is not None and not area > 0 for area in areas], dtype=np.bool_)
