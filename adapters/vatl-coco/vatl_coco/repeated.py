"""Annotations that are there twice, as where files were merged: what one of them says is said by the other."""

from __future__ import annotations

from typing import Final

import numpy as np

from vatl_formats import Indices, Mask, Numbers, Rows, again, alike

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
    place = np.concatenate([boxes, *keypoints.transpose(1, 0, 2)], axis=1)
    nobody = np.array([track is None for track in rows.ids_or_none("track_id")], dtype=np.bool_)
    return again(image, alike(place)) & nobody
