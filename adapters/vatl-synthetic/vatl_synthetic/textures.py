"""Small pictures that tile: noise, cloth, skin and hair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 255."""
Picture = NDArray[np.float32]
TILE: Final = 128
"""Side of a texture, texels."""


def noise(rng: np.random.Generator, height: int, width: int, finest: int, octaves: int = 4) -> Picture:
    """(height, width) tiling noise around 0, about −1 to 1, whose finest grains are ``finest`` texels wide."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = [max(2, size // (finest << octave)) for size in (height, width)]
        grid = rng.uniform(-1, 1, cells).astype(np.float32)
        padded = np.pad(grid, 1, mode="wrap")
        scale = [size / count for size, count in zip((height, width), cells, strict=True)]
        large = cv2.resize(
            padded,
            (round(padded.shape[1] * scale[1]), round(padded.shape[0] * scale[0])),
            interpolation=cv2.INTER_CUBIC,
        )
        top, left = round(scale[0]), round(scale[1])
        total += large[top : top + height, left : left + width] * 2**octave
    return np.asarray(total / 2 ** (octaves - 1) * 0.8, np.float32)


def scaled(colour: Colour, share: float) -> Colour:
    """A colour with ``share`` of its light."""
    return (colour[0] * share, colour[1] * share, colour[2] * share)


def between(first: Colour, second: Colour) -> Colour:
    """The colour halfway."""
    return (0.5 * (first[0] + second[0]), 0.5 * (first[1] + second[1]), 0.5 * (first[2] + second[2]))


def channels(colour: Colour) -> Picture:
    """(3,) a colour as an array."""
    return np.array(colour, np.float32)


def filled(colour: Colour, height: int = TILE, width: int = TILE) -> Picture:
    """(height, width, 3) of one colour."""
    return np.full((height, width, 3), colour, np.float32)


def speckled(rng: np.random.Generator, colour: Colour, strength: float, finest: int = 2) -> Picture:
    """A tile of one colour, lighter and darker here and there by about ``strength`` (a share)."""
    return np.asarray(filled(colour) * (1 + strength * noise(rng, TILE, TILE, finest, 3)[..., None]), np.float32)


def rough(
    rng: np.random.Generator, colour: Colour, strength: float, size: tuple[int, int], finest: int = 2, octaves: int = 5
) -> Picture:
    """(*size, 3) of one colour, with grains of ``finest`` texels that vary its brightness by ``strength``."""
    grains = noise(rng, *size, finest, octaves)[..., None]
    return np.asarray(channels(colour) * (1 + strength * grains), np.float32)


def blended(below: Picture, colour: Colour, share: Any) -> Picture:
    """``below`` (h, w, 3) with ``colour`` laid over it, ``share`` (h, w) from 0 to 1."""
    weight = np.asarray(share, np.float32)[..., None]
    return np.asarray(below + (np.asarray(colour, np.float32) - below) * weight, np.float32)


def _plain(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    return speckled(rng, first, 0.08, 4)


def _stripes(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    rows = (np.arange(TILE) // rng.choice([4, 8, 16])) % 2
    return blended(_plain(rng, first, second), second, np.repeat(rows[:, None], TILE, 1))


def _pinstripes(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    columns = (np.arange(TILE) % rng.choice([8, 16])) < 3
    return blended(_plain(rng, first, second), second, np.repeat(columns[None], TILE, 0))


def _plaid(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    width = int(rng.choice([8, 16]))
    band = ((np.arange(TILE) // width) % 2).astype(np.float32)
    return blended(_plain(rng, first, second), second, 0.45 * band[:, None] + 0.45 * band[None])


def _dots(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    pitch = int(rng.choice([16, 32]))
    y, x = np.mgrid[:TILE, :TILE]
    shifted = x + (y // pitch % 2) * (pitch // 2)
    distance = np.hypot(shifted % pitch - pitch / 2, y % pitch - pitch / 2)
    return blended(_plain(rng, first, second), second, distance < pitch * 0.32)


def _blotches(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    cloth = blended(_plain(rng, first, second), second, noise(rng, TILE, TILE, 8, 2) > 0.1)
    return blended(cloth, between(first, second), noise(rng, TILE, TILE, 8, 2) > 0.35)


def _print(rng: np.random.Generator, first: Colour, second: Colour) -> Picture:
    cloth = _plain(rng, first, second)
    middle = (0, int(TILE * 0.86))
    for x in (0, TILE):
        cv2.circle(cloth, (x, middle[1]), 9, second, -1, cv2.LINE_AA)
        cv2.circle(cloth, (x, middle[1]), 4, first, -1, cv2.LINE_AA)
    cv2.line(cloth, (0, 58), (TILE, 58), second, 4)
    return cloth


CLOTHS: Final[dict[str, Callable[[np.random.Generator, Colour, Colour], Picture]]] = {
    "plain": _plain, "stripes": _stripes, "pinstripes": _pinstripes, "plaid": _plaid, "dots": _dots,
    "blotches": _blotches, "print": _print,
}  # fmt: skip
"""Patterns of cloth: each makes a tile of two colours."""


def denim(rng: np.random.Generator, colour: Colour) -> Picture:
    """A tile of trousers: a fine weave, worn lighter in places, seams at the sides."""
    worn = speckled(rng, colour, 0.16, 2)
    worn = blended(worn, between(colour, (190.0, 200.0, 215.0)), np.clip(noise(rng, TILE, TILE, 16, 2), 0, 0.6))
    worn[:, TILE // 4 - 1 : TILE // 4 + 1] *= 0.75
    worn[:, 3 * TILE // 4 - 1 : 3 * TILE // 4 + 1] *= 0.75
    return worn


def strands(rng: np.random.Generator, colour: Colour) -> Picture:
    """A tile of hair."""
    along = cv2.resize(noise(rng, TILE // 16, TILE, 1, 2), (TILE, TILE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(filled(colour) * (1 + 0.4 * along[..., None]), np.float32)
