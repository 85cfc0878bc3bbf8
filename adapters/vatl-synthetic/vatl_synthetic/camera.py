"""The camera: where it is in every frame, and where the world falls in its pictures."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from vatl_synthetic.movement import FPS
from vatl_synthetic.rotations import Array, wander

WIDTH: Final = 320
HEIGHT: Final = 240
FOCAL: Final = 430.0
"""Focal length in pixels at zoom 1."""


@attrs.frozen
class Shot:
    """How a video is filmed.

    Attributes:
        size: how tall a person of 1.72 m in the middle is, pixels.
        height: of the camera above the ground, metres.
        side: degrees, how far to the right of straight ahead the camera stands.
        orbit, roll: degrees that it swings to either side, around the people and about its own axis.
        tilt: degrees that it is held askew all the time.
        shake: usual trembling, degrees.
        zoom: share by which the zoom goes in and out.
        follow: share of the people's way that it follows, 0 to 1.
        aim: height that it looks at, metres.
    """

    size: float = 145.0
    height: float = 1.4
    side: float = 0.0
    orbit: float = 0.0
    roll: float = 0.0
    tilt: float = 0.0
    shake: float = 0.0
    zoom: float = 0.0
    follow: float = 0.3
    aim: float = 0.88


@attrs.frozen
class Camera:
    """The camera in T frames.

    Attributes:
        position: (T, 3) metres in the world.
        axes: (T, 3, 3) rotation from the world to the camera (x right, y down, z away).
        focal: (T,) pixels.
    """

    position: Array
    axes: Array
    focal: Array

    def seen(self, points: Array) -> Array:
        """World points (T, ..., 3) in the camera's axes, metres."""
        shape = (len(points),) + (1,) * (points.ndim - 2) + (3,)
        away = points - self.position.reshape(shape)
        return np.asarray(np.einsum("tij,t...j->t...i", self.axes, away))

    def projected(self, points: Array) -> Array:
        """World points (T, ..., 3) as pixels (T, ..., 2); a pixel's centre is at whole numbers."""
        seen = self.seen(points)
        focal = self.focal.reshape((len(points),) + (1,) * (points.ndim - 1))
        return np.asarray(seen[..., :2] / seen[..., 2:] * focal + centre())


def centre() -> Array:
    """(2,) the pixel straight ahead."""
    return np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def film(rng: np.random.Generator, shot: Shot, people: Array) -> Camera:
    """The camera's way.

    Args:
        rng: where chance comes from.
        shot: how to film.
        people: (T, 2) metres, the middle of the people on the ground.
    """
    times = np.arange(len(people)) / FPS
    trembling = [wander(rng, times, np.radians(shot.shake), seconds) for seconds in (0.4, 0.4, 0.6)]
    angle = np.radians(shot.side) + wander(rng, times, np.radians(shot.orbit), 5.0)
    distance = FOCAL * 1.72 / shot.size
    middle = people.mean(axis=0) + shot.follow * (people - people.mean(axis=0))
    target = np.stack([middle[:, 0], np.full(len(times), shot.aim), middle[:, 1]], axis=1)
    away = np.stack(
        [np.sin(angle) * distance, np.full(len(times), shot.height - shot.aim), np.cos(angle) * distance], 1
    )
    position = target + away
    target = target + np.stack([trembling[0], trembling[1], np.zeros_like(angle)], axis=1) * distance
    roll = np.radians(shot.tilt) + wander(rng, times, np.radians(shot.roll), 2.2) + trembling[2]
    focal = FOCAL * (1 + wander(rng, times, shot.zoom, 2.5))
    return Camera(position, _axes(target - position, roll), focal)


def _axes(forward: Array, roll: Array) -> Array:
    """(T, 3, 3) the camera's right, down and forward, for its direction (T, 3) and roll (T,) radians."""
    forward = forward / np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right = right / np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(forward, right)
    cosine, sine = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([cosine * right + sine * down, cosine * down - sine * right, forward], axis=1)
