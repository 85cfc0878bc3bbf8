"""Rotation matrices about the coordinate axes, and curves that vary smoothly in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def about_x(angle: Array) -> Array:
    """Rotations (..., 3, 3) about x by ``angle`` (...), radians: y turns towards z."""
    return _about(angle, 1, 2)


def about_y(angle: Array) -> Array:
    """Rotations (..., 3, 3) about y by ``angle`` (...), radians: z turns towards x."""
    return _about(angle, 2, 0)


def about_z(angle: Array) -> Array:
    """Rotations (..., 3, 3) about z by ``angle`` (...), radians: x turns towards y."""
    return _about(angle, 0, 1)


def _about(angle: Array, first: int, second: int) -> Array:
    angle = np.asarray(angle, dtype=np.float64)
    matrix = np.zeros((*angle.shape, 3, 3))
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix[..., 3 - first - second, 3 - first - second] = 1
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., first, second], matrix[..., second, first] = -sine, sine
    return matrix


def wander(rng: np.random.Generator, times: Array, amplitude: float, seconds: float) -> Array:
    """A smooth curve (T,) without a period around zero.

    Args:
        rng: where chance comes from.
        times: (T,) seconds.
        amplitude: its usual size.
        seconds: how long its slower swings take.
    """
    frequencies = rng.uniform(0.6, 2.2, 3) / seconds
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * frequencies * times[:, None] + phases)
    return np.asarray(amplitude * waves.mean(axis=1) * 1.6)


def smooth_step(values: Array) -> Array:
    """0 below 0, 1 above 1, and a smooth rise between."""
    clipped = np.clip(values, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped))
