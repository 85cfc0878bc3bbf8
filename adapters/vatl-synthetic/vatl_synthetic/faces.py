"""Faces, painted on the tile that wraps the skull."""

from __future__ import annotations

from typing import Final

import attrs
import cv2
import numpy as np

from vatl_synthetic.body import FACE, HEAD
from vatl_synthetic.textures import TILE, Colour, Picture, channels, speckled

_FINE: Final = 4
"""How much finer than the tile a face is painted, to be averaged down."""
_PUPIL: Final[Colour] = (12, 10, 10)
_LASHES: Final[Colour] = (30, 22, 20)
_WHITE: Final[Colour] = (246, 244, 240)
_LIPS: Final[Colour] = (168, 74, 74)
_MOUTH: Final[Colour] = (90, 30, 34)


@attrs.frozen
class Canvas:
    """A skull's tile while it is painted: the front in its middle, the crown at its last row.

    Attributes:
        picture: (FINE · TILE, FINE · TILE, 3), painted in place.
    """

    picture: Picture

    def ellipse(
        self,
        spot: tuple[float, float],
        size: tuple[float, float],
        colour: Colour,
        share: float = 1.0,
        soft: float = 0.15,
    ) -> None:
        """Lay an ellipse over what is there.

        Args:
            spot: its middle: angle from the front (radians), height above the skull's centre (heights).
            size: its half axes, texels.
            colour: its colour.
            share: how much it covers, 0 to 1.
            soft: width of its edge, as a share of its size.
        """
        middle = np.array([spot[0] / (2 * np.pi) + 0.5, spot[1] / (2 * HEAD[1]) + 0.5]) * TILE
        reach = np.array(size) * (1 + soft)
        left, top = np.maximum(np.floor((middle - reach) * _FINE), 0).astype(int)
        right, bottom = np.minimum(np.ceil((middle + reach) * _FINE), TILE * _FINE).astype(int)
        y, x = np.mgrid[top:bottom, left:right] / _FINE
        away = np.hypot((x - middle[0]) / size[0], (y - middle[1]) / size[1])
        cover = share * np.clip((1 + soft - away) / (2 * soft), 0, 1)
        below = self.picture[top:bottom, left:right]
        below += (channels(colour) - below) * cover[..., None].astype(np.float32)


def face(rng: np.random.Generator, skin: Colour, hair: Colour, eyes: Colour, beard: float) -> Picture:
    """A skull's tile (TILE, TILE, 3) with eyes, brows, nostrils, mouth and cheeks.

    Args:
        rng: where chance comes from.
        skin, hair, eyes: colours; the eyes' is the iris'.
        beard: how dense, 0 to 1.
    """
    size = (TILE * _FINE, TILE * _FINE)
    canvas = Canvas(cv2.resize(speckled(rng, skin, 0.03, 4), size, interpolation=cv2.INTER_LINEAR))
    if beard:
        canvas.ellipse((0, -0.05), (16, 18), hair, 0.75 * beard, 0.35)
    for side in (-1, 1):
        _half(canvas, side, skin, hair, eyes)
    dark = _shade(skin)
    canvas.ellipse((0, -0.0235), (6, 3), dark, 0.5, 0.6)
    canvas.ellipse((0, -0.037), (7.5, 4.6), _lips(skin), 0.9, 0.3)
    canvas.ellipse((0, -0.0365), (7.0, 1.1), _MOUTH, 1.0, 0.4)
    return np.asarray(cv2.resize(canvas.picture, (TILE, TILE), interpolation=cv2.INTER_AREA), np.float32)


def _half(canvas: Canvas, side: int, skin: Colour, hair: Colour, iris: Colour) -> None:
    """One eye, its brow, cheek and nostril."""
    angle, height, _ = FACE["eye"]
    eye, dark = side * angle, _shade(skin)
    canvas.ellipse(
        (side * 0.55, -0.018), (6, 10), (min(255.0, skin[0] * 1.05), skin[1] * 0.82, skin[2] * 0.8), 0.6, 0.6
    )
    canvas.ellipse((eye, height + 0.002), (6.4, 10), dark, 0.55, 0.5)
    canvas.ellipse((eye, height), (4.8, 5.6), _WHITE)
    canvas.ellipse((eye * 0.97, height), (2.6, 5.4), iris)
    canvas.ellipse((eye * 0.97, height), (1.5, 3.2), _PUPIL)
    canvas.ellipse((eye, height + 0.0065), (5.2, 1.7), _LASHES, 1.0, 0.4)
    canvas.ellipse((eye * 1.06, height + 0.0155), (6.2, 2.6), hair, 0.9, 0.3)
    canvas.ellipse((side * 0.1, -0.021), (1.6, 2.0), dark, 0.7, 0.5)


def _lips(skin: Colour) -> Colour:
    """Lips: redder than the skin around them."""
    return (0.5 * (_LIPS[0] + skin[0] * 0.8), 0.5 * (_LIPS[1] + skin[1] * 0.55), 0.5 * (_LIPS[2] + skin[2] * 0.55))


def _shade(skin: Colour) -> Colour:
    return (skin[0] * 0.62, skin[1] * 0.52, skin[2] * 0.5)
