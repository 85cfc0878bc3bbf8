"""Poses drawn over pictures."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vatl_core.video import Skeleton

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

Colour = tuple[int, int, int]
"""RGB."""

PALETTE: Final[tuple[Colour, ...]] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Okabe and Ito's colours, apart for every kind of colour vision."""

_SHADOW: Final = (20, 20, 20)
_SUBPIXEL: Final = 4
_FAR: Final = 20_000


def track_colour(track: int) -> Colour:
    """The colour of an individual."""
    return PALETTE[track % len(PALETTE)]


def draw_pose(
    picture: Picture,
    points: NDArray[np.float64],
    skeleton: Skeleton,
    colour: Colour,
    size: float,
    visible: NDArray[np.bool_] | None = None,
    square: bool = False,
    hidden: NDArray[np.bool_] | None = None,
) -> None:
    """Draw limbs and keypoints in place; those not visible or not finite are left out.

    Args:
        picture: to draw on.
        points: (K, 2) in its pixels.
        skeleton: whose edges are the limbs.
        colour: of limbs and keypoints; a dark rim sets them off from any ground.
        size: how large the instance appears, in pixels; a larger one gets thicker limbs.
        visible: (K,); all if not given.
        square: whether keypoints are squares, for those who cannot tell the colours.
        hidden: (K,), keypoints that the picture does not show; they are hollow. None if not given.
    """
    there: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(points), axis=1)
    if visible is not None:
        there &= visible
    spots = [_spot(point) if ok else (0, 0) for point, ok in zip(points, there, strict=True)]
    width = max(1, round(size / 45))
    limbs = [(spots[a], spots[b]) for a, b in skeleton.edges if there[a] and there[b]]
    for shade, rim in ((_SHADOW, 2), (colour, 0)):
        for a, b in limbs:
            cv2.line(picture, a, b, shade, width + rim, cv2.LINE_AA, _SUBPIXEL)
        for spot in (s for s, ok in zip(spots, there, strict=True) if ok):
            _dot(picture, spot, width + 1 + rim / 2, shade, square)
    for spot in (s for s, ok, hollow in zip(spots, there, _or_none(hidden, there), strict=True) if ok and hollow):
        _dot(picture, spot, width / 2 + 0.5, _SHADOW, square)


def _or_none(flags: NDArray[np.bool_] | None, like: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.zeros_like(like) if flags is None else flags


def _spot(point: NDArray[np.float64]) -> tuple[int, int]:
    """A point in OpenCV's fixed-point pixels, kept where its integers do not overflow."""
    x, y = (np.clip(point, -_FAR, _FAR) * 2**_SUBPIXEL).round().astype(int).tolist()
    return x, y


def _dot(picture: Picture, spot: tuple[int, int], radius: float, colour: Colour, square: bool) -> None:
    reach = round(radius * 2**_SUBPIXEL)
    if square:
        low, high = (spot[0] - reach, spot[1] - reach), (spot[0] + reach, spot[1] + reach)
        cv2.rectangle(picture, low, high, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)
    else:
        cv2.circle(picture, spot, reach, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)


SIDES: Final[dict[str, Colour]] = {"left": (230, 159, 0), "right": (86, 180, 233), "middle": (240, 240, 240)}
"""Of keypoints in close-ups: apart for every kind of colour vision."""
