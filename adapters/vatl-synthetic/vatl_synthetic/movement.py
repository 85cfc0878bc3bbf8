"""One person's way through a video: motions blended, feet on the ground, joints in the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from vatl_synthetic.anatomy import CHANNELS, JOINT, Proportions, limit, posture
from vatl_synthetic.repertoire import MOTIONS
from vatl_synthetic.rotations import Array, smooth_step, wander

FPS: Final = 25.0
_WARM_UP: Final = 3
"""Frames moved before the first one, so that smoothing has something to lean on."""
_LIVELY: Final = {"elbow": 8.0, "shoulder": 6.0, "neck": 8.0, "spine": 4.0, "hip": 2.0, "knee": 2.5, "wrist": 12.0}
"""How far joints stray from the motion's table, degrees."""


@attrs.frozen
class Movement:
    """Where a person's joints are in every frame.

    Attributes:
        positions: (T, J, 3) metres in the world (x to the right, y up, z towards the viewer).
        orientations: (T, J, 3, 3) from the joints' frames to the world.
        proportions: of the bones.
    """

    positions: Array
    orientations: Array
    proportions: Proportions


@attrs.frozen
class Manner:
    """How somebody moves.

    Attributes:
        motions: what they do, one after the other.
        speed: factor on the motions' usual tempo.
        amplitude: factor on their usual swing.
        yaw: radians, the direction they face; 0 is towards the viewer.
        spot: (x, z) metres on the ground, where they are halfway through the video.
    """

    motions: Sequence[str]
    speed: float
    amplitude: float
    yaw: float
    spot: tuple[float, float]


def move(rng: np.random.Generator, proportions: Proportions, manner: Manner, frames: int) -> Movement:
    """Carry a person through ``frames`` frames."""
    times = (np.arange(frames + 2 * _WARM_UP) - _WARM_UP) / FPS
    angles, lift, travelling = _blended(rng, manner, times)
    angles["pelvis_yaw"] = angles["pelvis_yaw"] + manner.yaw + wander(rng, times, 0.12, 4.0)
    positions, orientations = posture(proportions, limit(angles))
    positions = positions + _root(contacts(positions, orientations, proportions), lift, travelling)[:, None]
    kept = slice(_WARM_UP, _WARM_UP + frames)
    middle = positions[_WARM_UP + frames // 2, JOINT["pelvis"]]
    shift = np.array([manner.spot[0] - middle[0], 0, manner.spot[1] - middle[2]])
    return Movement(positions[kept] + shift, orientations[kept], proportions)


def _blended(rng: np.random.Generator, manner: Manner, times: Array) -> tuple[dict[str, Array], Array, Array]:
    """Angles {channel: (T,)}, lift (T,) metres and how far the person travels rather than stays (T,) 0..1."""
    angles = {channel: wander(rng, times, _liveliness(channel), 2.5) for channel in CHANNELS}
    lift, travelling = np.zeros_like(times), np.zeros_like(times)
    for name, weight in zip(manner.motions, _turns(rng, len(manner.motions), times), strict=True):
        motion = MOTIONS[name]
        pace = manner.speed / motion.seconds
        phase = rng.uniform() + pace * times + wander(rng, times, 0.04, 3.0)
        swing = manner.amplitude * rng.uniform(0.92, 1.06)
        for channel, values in motion.angles(phase, swing).items():
            angles[channel] = angles[channel] + weight * values
        lift = lift + weight * motion.lifted(phase, swing)
        travelling = travelling + weight * motion.travels
    return angles, lift, travelling


def _liveliness(channel: str) -> float:
    part = channel.removeprefix("left_").removeprefix("right_").split("_")[0]
    return float(np.radians(_LIVELY.get(part, 0.0)))


def _turns(rng: np.random.Generator, count: int, times: Array) -> Array:
    """(count, T) weights that sum to one: each motion's turn, with half a second to change over."""
    ends = np.linspace(times[0], times[-1], count + 1)[1:-1] + rng.uniform(-0.15, 0.15, count - 1)
    begun = [np.ones_like(times)] + [smooth_step((times - end) / 0.5 + 0.5) for end in ends]
    over = [*begun[1:], np.zeros_like(times)]
    return np.array([start - end for start, end in zip(begun, over, strict=True)])


def contacts(positions: Array, orientations: Array, proportions: Proportions) -> Array:
    """(T, 8, 3) metres: the points of heels, soles, toes and hands that may touch the ground."""
    height = proportions.height
    points = []
    for side in ("left", "right"):
        for along, joint in ((-0.032, "ankle"), (0.05, "ankle"), (0.105, "ankle")):
            points.append((JOINT[f"{side}_{joint}"], (0.0, -0.043, along)))
        points.append((JOINT[f"{side}_wrist"], (0.0, -0.09, 0.0)))
    touching = [positions[:, joint] + orientations[:, joint] @ (np.array(spot) * height) for joint, spot in points]
    return np.stack(touching, axis=1)


def _root(touching: Array, lift: Array, travelling: Array) -> Array:
    """(T, 3) metres: where the pelvis must be for the lowest points to stand still on the ground."""
    lowest = touching[..., 1].min(axis=1)
    weights = np.exp(-(touching[..., 1] - lowest[:, None]) / 0.025)
    weights = weights[1:] + weights[:-1]
    steps = np.diff(touching[..., [0, 2]], axis=0)
    pace = -(weights[..., None] * steps).sum(axis=1) / weights.sum(axis=1)[:, None]
    pace = _smoothed(np.concatenate([pace[:1], pace]))
    stays = 1 - travelling[:, None]
    pace = pace - stays * pace.mean(axis=0)
    ground = np.cumsum(pace, axis=0)
    height = _smoothed((lift - lowest)[:, None])[:, 0]
    return np.stack([ground[:, 0], height, ground[:, 1]], axis=1)


def _smoothed(values: Array) -> Array:
    """(T, D) without jerks: a short binomial average over time."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    kernel = (0.0625, 0.25, 0.375, 0.25, 0.0625)
    return np.asarray(sum(share * padded[i : i + len(values)] for i, share in enumerate(kernel)))
