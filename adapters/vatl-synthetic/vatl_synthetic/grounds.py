"""What people stand on: tiling pictures of floors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from vatl_synthetic.textures import Colour, Picture, blended, channels, noise, rough

GROUND_TEXELS: Final = 512
"""Side of the ground's picture."""
GROUND_METRES: Final = 5.0
"""What that side is in the world."""
Rng = np.random.Generator


def _ground(rng: Rng, colour: Colour, strength: float, finest: int = 2) -> Picture:
    return rough(rng, colour, strength, (GROUND_TEXELS, GROUND_TEXELS), finest)


def grass(rng: Rng) -> Picture:
    """A lawn."""
    picture = _ground(rng, (98, 128, 64), 0.26)
    return blended(picture, (146, 140, 84), np.clip(noise(rng, GROUND_TEXELS, GROUND_TEXELS, 16, 3), 0, 0.7))


def asphalt(rng: Rng) -> Picture:
    """A street with a worn line."""
    picture = _ground(rng, (116, 116, 120), 0.16)
    cv2.rectangle(picture, (0, 240), (330, 254), (198, 196, 184), -1)
    return picture


def sand(rng: Rng) -> Picture:
    """A beach."""
    picture = _ground(rng, (222, 196, 148), 0.12)
    return blended(picture, (176, 146, 104), np.clip(noise(rng, GROUND_TEXELS, GROUND_TEXELS, 8, 2) - 0.25, 0, 0.6))


def _flags(rng: Rng, picture: Picture, pitch: int, joint: Colour, variety: float) -> Picture:
    """Slabs of slightly different brightness with joints between them."""
    count = GROUND_TEXELS // pitch
    shade = 1 + variety * rng.uniform(-1, 1, (count, count, 1)).astype(np.float32)
    picture = picture * np.repeat(np.repeat(shade, pitch, 0), pitch, 1)
    for edge in range(0, GROUND_TEXELS, pitch):
        picture[edge : edge + 3] = joint
        picture[:, edge : edge + 3] = joint
    return np.asarray(picture, np.float32)


def paving(rng: Rng) -> Picture:
    """Stone slabs."""
    return _flags(rng, _ground(rng, (176, 168, 156), 0.14), 64, (120, 114, 106), 0.1)


def mats(rng: Rng) -> Picture:
    """Rubber mats of two colours."""
    picture = _ground(rng, (58, 62, 74), 0.1)
    half = GROUND_TEXELS // 2
    picture[:half, :half] = picture[half:, half:] = _ground(rng, (150, 52, 44), 0.1)[:half, :half]
    return _flags(rng, picture, half, (30, 30, 34), 0.0)


def planks(rng: Rng) -> Picture:
    """A stage of dark, glossy boards."""
    grain = cv2.resize(noise(rng, GROUND_TEXELS, GROUND_TEXELS // 16, 1, 3), (GROUND_TEXELS, GROUND_TEXELS))
    picture = channels((118, 74, 58)) * (1 + 0.25 * grain[..., None])
    for edge in range(0, GROUND_TEXELS, 32):
        picture[edge : edge + 32] *= rng.uniform(0.75, 1.15)
        picture[edge : edge + 2] *= 0.4
    return np.asarray(picture, np.float32)


def wet_street(rng: Rng) -> Picture:
    """A street at night, with puddles that mirror lamps."""
    picture = _ground(rng, (66, 68, 84), 0.25)
    puddles = np.clip(noise(rng, GROUND_TEXELS, GROUND_TEXELS, 16, 3) * 2.5 - 0.4, 0, 1)
    glow = noise(rng, GROUND_TEXELS, GROUND_TEXELS, 32, 2)
    picture = blended(picture, (170, 120, 70), puddles * np.clip(glow, 0, 1))
    return blended(picture, (70, 110, 170), puddles * np.clip(-glow, 0, 1))


GROUNDS: Final[dict[str, Callable[[Rng], Picture]]] = {
    "grass": grass, "asphalt": asphalt, "sand": sand, "paving": paving, "mats": mats, "planks": planks,
    "wet street": wet_street,
}  # fmt: skip
"""What people stand on: (GROUND_TEXELS, GROUND_TEXELS, 3) pictures."""
