"""Annotations that are there twice, as where files were merged: what one of them says is said by the other."""

from __future__ import annotations

from typing import Final

import numpy as np

from vatl_formats import Indices, Mask, Numbers, Rows, again

REPEATED: Final = "the same as another on its picture"
"""Why one of two is left out."""


def repeated(rows: Rows, image: Indices, boxes: Numbers, keypoints: Numbers) -> Mask:
    """(n,) whether an annotation without a track has the same box and keypoints as one further up on its picture.

    Args:
        rows: n annotations.
        image: (n,) which picture each is on.
        boxes: (n, 4) pixels.
        keypoints: (n, K, 2) pixels.
    """
    if not len(rows):
        return np.zeros(0, dtype=np.bool_)
    place = np.concatenate([boxes, keypoints.reshape(len(rows), -1)], axis=1)
    _, kind = np.unique(place, axis=0, return_inverse=True)
    nobody = np.array([track is None for track in rows.ids_or_none("track_id")], dtype=np.bool_)
    return again(image, kind.reshape(-1)) & nobody
