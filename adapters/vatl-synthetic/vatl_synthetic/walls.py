"""What stands behind the people: pictures that tile sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from vatl_synthetic.textures import Colour, Picture, blended, channels, noise, rough, scaled

WALL_TEXELS: Final = (512, 1024)
"""Height and width of the picture of what stands behind."""
WALL_METRES: Final = (8.0, 16.0)
"""What these are in the world."""
Rng = np.random.Generator
_PER_METRE: Final = WALL_TEXELS[0] / WALL_METRES[0]


def _any(rng: Rng, low: float, high: float) -> Colour:
    """Some colour."""
    red, green, blue = rng.uniform(low, high, 3).tolist()
    return (red, green, blue)


def _sky(rng: Rng, top: Colour, bottom: Colour, clouds: float) -> Picture:
    """The wall's picture, row 0 at the top."""
    height, width = WALL_TEXELS
    fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = channels(top) * (1 - fade) + channels(bottom) * fade
    cover = np.clip(noise(rng, height, width, 8, 5) * clouds, 0, 0.9)
    return blended(np.repeat(sky, width, 1), (250, 250, 252), cover)


def _row(metres: float) -> int:
    """The row of a height above the ground."""
    return round(WALL_TEXELS[0] - metres * _PER_METRE)


def _foliage(rng: Rng, picture: Picture, x: int, metres: float, radius: float, colour: Colour) -> None:
    """A crown of leaves: many overlapping blobs, lighter towards the sky."""
    for _ in range(260):
        angle, away = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
        dx, dy = away * np.cos(angle) * 1.1, away * np.sin(angle) * 0.85
        light = float(0.78 + 0.3 * dy / radius + rng.uniform(-0.16, 0.16))
        spot = (round(x + dx * _PER_METRE), _row(metres + dy))
        size = round(rng.uniform(0.05, 0.13) * radius * _PER_METRE)
        for shift in (-WALL_TEXELS[1], 0, WALL_TEXELS[1]):
            cv2.circle(picture, (spot[0] + shift, spot[1]), size, scaled(colour, light), -1, cv2.LINE_AA)


def park(rng: Rng) -> Picture:
    """Trees, a hedge and a fence under a blue sky."""
    picture = _sky(rng, (104, 152, 214), (206, 222, 236), 1.2)
    hedge = _row(1.5) + (noise(rng, 2, WALL_TEXELS[1], 1, 5)[0] * 14).astype(int)
    leaves = rough(rng, (78, 108, 62), 0.55, WALL_TEXELS)
    rows = np.arange(WALL_TEXELS[0])[:, None]
    picture = np.where((rows > hedge)[..., None], leaves, picture).astype(np.float32)
    for x in rng.permutation(np.arange(50, WALL_TEXELS[1], 150))[: int(rng.integers(4, 7))]:
        trunk = rng.integers(6, 13)
        cv2.rectangle(picture, (int(x - trunk), _row(3.2)), (int(x + trunk), _row(0)), (92, 72, 54), -1)
        green: Colour = (rng.uniform(60, 120), rng.uniform(98, 140), rng.uniform(44, 70))
        _foliage(rng, picture, int(x), rng.uniform(3.2, 4.6), rng.uniform(1.1, 1.8), green)
    return picture


def _windows(rng: Rng, picture: Picture, left: int, right: int, top: int, lit: float) -> None:
    """Rows of windows on a house; a share ``lit`` of them has a light on."""
    pitch = int(rng.integers(46, 72))
    for y in range(top + 20, _row(1.2), int(pitch * 1.3)):
        for x in range(left + 14, right - 34, pitch):
            pane: Colour = (92, 110, 132) if rng.uniform() > lit else (250, 206, 120)
            cv2.rectangle(picture, (x - 3, y - 3), (x + 29, y + 43), (222, 214, 200), -1)
            cv2.rectangle(picture, (x, y), (x + 26, y + 40), scaled(pane, rng.uniform(0.75, 1.1)), -1)
            cv2.line(picture, (x + 13, y), (x + 13, y + 40), (222, 214, 200), 2)


def _houses(rng: Rng, picture: Picture, shades: list[Colour], lit: float) -> Picture:
    x = 0
    while x < WALL_TEXELS[1]:
        width = int(rng.integers(170, 300))
        right, top = min(x + width, WALL_TEXELS[1]), _row(rng.uniform(5.5, 9.0))
        colour = shades[int(rng.integers(len(shades)))]
        face = rough(rng, colour, 0.1, WALL_TEXELS)
        picture[max(top, 0) :, x:right] = face[max(top, 0) :, x:right]
        _windows(rng, picture, x, right, max(top, -20), lit)
        cv2.rectangle(picture, (x, _row(0.45)), (right, _row(0)), scaled(colour, 0.6), -1)
        cv2.line(picture, (x, max(top, 0)), (x, _row(0)), scaled(colour, 0.5), 3)
        x += width
    return picture


def street(rng: Rng) -> Picture:
    """A row of houses by day."""
    shades: list[Colour] = [(196, 170, 140), (170, 98, 78), (206, 198, 184), (146, 152, 160), (214, 186, 122)]
    return _houses(rng, _sky(rng, (120, 160, 214), (214, 224, 232), 1.0), shades, 0.05)


def wall(rng: Rng) -> Picture:
    """A painted wall with panels and a few pictures."""
    colour: Colour = (rng.uniform(150, 220), rng.uniform(150, 210), rng.uniform(140, 200))
    picture = rough(rng, colour, 0.07, WALL_TEXELS)
    cv2.rectangle(picture, (0, _row(0.95)), (WALL_TEXELS[1], _row(0)), scaled(colour, 0.72), -1)
    cv2.rectangle(picture, (0, _row(0.14)), (WALL_TEXELS[1], _row(0)), (92, 82, 74), -1)
    for x in range(40, WALL_TEXELS[1] - 120, int(rng.integers(150, 230))):
        size, middle = (int(rng.integers(50, 100)), int(rng.integers(44, 84))), _row(rng.uniform(1.9, 2.5))
        cv2.rectangle(
            picture, (x - 4, middle - size[1] // 2 - 4), (x + size[0] + 4, middle + size[1] // 2 + 4), (70, 56, 44), -1
        )
        art = rough(rng, _any(rng, 60, 220), 0.6, (size[1] // 2 * 2, size[0]), 4, 3)
        picture[middle - size[1] // 2 : middle + size[1] // 2, x : x + size[0]] = art
    return picture


def stage(rng: Rng) -> Picture:
    """Curtains in folds, with coloured lights thrown on them and a band of bulbs."""
    height, width = WALL_TEXELS
    x = np.arange(width) / width * 2 * np.pi
    folds = 0.62 + 0.26 * np.sin(34 * x + 1.5 * np.sin(5 * x)) + 0.1 * np.sin(81 * x)
    picture = np.repeat((channels((110, 20, 52)) * folds[:, None].astype(np.float32))[None], height, 0)
    rows, columns = np.mgrid[:height, :width]
    lights: list[Colour] = [(255, 70, 200), (60, 150, 255), (255, 190, 60), (120, 255, 190)]
    for spot in range(8):
        middle = (width * (spot + 0.5) / 8, _row(rng.uniform(1.2, 3.6)))
        distance = np.hypot(columns - middle[0], rows - middle[1]) / (rng.uniform(0.8, 1.5) * _PER_METRE)
        picture = blended(picture, lights[spot % 4], 0.75 * np.exp(-(distance**2)))
    for bulb in range(0, width, 32):
        cv2.circle(picture, (bulb + 16, _row(3.05)), 6, (255, 244, 200), -1, cv2.LINE_AA)
        cv2.circle(picture, (bulb + 16, _row(0.12)), 5, (255, 214, 140), -1, cv2.LINE_AA)
    return np.asarray(picture, np.float32)


def gymhall(rng: Rng) -> Picture:
    """Wall bars, mirrors, a rack of weights and strip lights."""
    picture = rough(rng, (198, 190, 170), 0.06, WALL_TEXELS)
    cv2.rectangle(picture, (0, _row(1.1)), (WALL_TEXELS[1], _row(0)), (74, 98, 128), -1)
    for x in range(0, WALL_TEXELS[1], 256):
        for bar in range(14):
            y = _row(0.2 + 0.2 * bar)
            cv2.line(picture, (x + 12, y), (x + 90, y), (176, 124, 70), 5)
        for post in (12, 90):
            cv2.line(picture, (x + post, _row(3.0)), (x + post, _row(0)), (128, 84, 44), 8)
        picture[_row(2.8) : _row(0.4), x + 118 : x + 236] = rough(
            rng, (150, 168, 178), 0.35, (_row(0.4) - _row(2.8), 118), 8, 4
        )
        for weight in range(5):
            spot = (x + 130 + 24 * weight, _row(0.22))
            cv2.circle(picture, spot, 13, (36, 36, 42), -1, cv2.LINE_AA)
            cv2.circle(picture, spot, 4, (206, 60, 46), -1, cv2.LINE_AA)
        cv2.rectangle(picture, (x + 30, _row(4.0)), (x + 200, _row(3.8)), (255, 255, 246), -1)
    return picture


def shore(rng: Rng) -> Picture:
    """The sea with waves under a bright sky, and a parasol or two."""
    picture = _sky(rng, (70, 150, 226), (226, 236, 240), 0.8)
    height, width = WALL_TEXELS
    horizon = _row(1.9)
    waves = cv2.resize(noise(rng, height, width // 8, 2, 4), (width, height))[..., None]
    sea = channels((30, 120, 150)) * (1 + 0.35 * waves)
    picture[horizon:] = sea[horizon:]
    foam = np.clip(noise(rng, height, width, 4, 4) * 2 - 0.2, 0, 1) * (np.arange(height) > _row(0.35))[:, None]
    picture = blended(picture, (240, 246, 246), foam)
    for x in rng.integers(60, width - 60, 4):
        colour: Colour = _any(rng, 60, 255)
        cv2.line(picture, (int(x), _row(2.5)), (int(x), _row(0)), (240, 236, 226), 4)
        cv2.ellipse(picture, (int(x), _row(2.2)), (70, 34), 0, 180, 360, colour, -1, cv2.LINE_AA)
        cv2.ellipse(picture, (int(x), _row(2.2)), (24, 34), 0, 180, 360, (250, 248, 240), -1, cv2.LINE_AA)
    return picture


def night_street(rng: Rng) -> Picture:
    """Dark houses with lit windows and neon signs."""
    shades: list[Colour] = [(46, 44, 58), (58, 46, 48), (36, 42, 54)]
    picture = _houses(rng, _sky(rng, (12, 14, 34), (48, 40, 62), 0.1), shades, 0.45) * np.float32(0.85)
    for x in range(40, WALL_TEXELS[1] - 120, 170):
        colour = ((255, 40, 120), (40, 220, 255), (120, 255, 80), (255, 160, 30))[int(rng.integers(4))]
        y, size = _row(rng.uniform(2.2, 3.2)), (int(rng.integers(50, 100)), 26)
        sign = np.zeros((*WALL_TEXELS, 1), np.float32)
        cv2.rectangle(sign, (x, y), (x + size[0], y + size[1]), 1.0, 5)
        cv2.line(sign, (x + 10, y + 13), (x + size[0] - 10, y + 13), 1.0, 5)
        picture = blended(picture, colour, np.clip(0.7 * cv2.GaussianBlur(sign, (0, 0), 12) * 2, 0, 0.7))
        picture = blended(picture, (255, 250, 250), 0.9 * sign[..., 0])
    return np.asarray(picture, np.float32)


WALLS: Final[dict[str, Callable[[Rng], Picture]]] = {
    "park": park, "street": street, "wall": wall, "stage": stage, "gymhall": gymhall, "shore": shore,
    "night street": night_street,
}  # fmt: skip
"""What stands behind them: (*WALL_TEXELS, 3) pictures, the ground at the last row."""
