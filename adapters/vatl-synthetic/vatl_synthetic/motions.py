"""How a motion is described: a cycle of key poses, angles at evenly spaced moments."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from vatl_synthetic.anatomy import CHANNELS, SIDES
from vatl_synthetic.rotations import Array

Cycle = tuple[float, ...]


@attrs.frozen
class Motion:
    """One cycle, each angle given at evenly spaced moments of it and joined smoothly.

    Attributes:
        seconds: how long a cycle usually takes.
        trunk: {channel: degrees} of pelvis, spine and neck.
        both: {angle: degrees} of the left and the right limb alike.
        alternate: the same for the left limb; the right one follows half a cycle later.
        left, right: of one side only; these win.
        lift: metres above the ground beyond what the feet's contact asks for.
        travels: whether the person walks off rather than coming back to the same place.
    """

    seconds: float
    trunk: Mapping[str, Cycle] = attrs.field(factory=dict)
    both: Mapping[str, Cycle] = attrs.field(factory=dict)
    alternate: Mapping[str, Cycle] = attrs.field(factory=dict)
    left: Mapping[str, Cycle] = attrs.field(factory=dict)
    right: Mapping[str, Cycle] = attrs.field(factory=dict)
    lift: Cycle = (0.0,)
    travels: bool = False

    def angles(self, phase: Array, amplitude: float) -> dict[str, Array]:
        """{channel: (T,)} radians at ``phase`` (T,) cycles, swinging ``amplitude`` times as far as usual."""
        tables: dict[str, tuple[Cycle, float]] = {name: (cycle, 0.0) for name, cycle in self.trunk.items()}
        for (side, _), later, own in zip(SIDES, (0.0, 0.5), (self.left, self.right), strict=True):
            tables |= {f"{side}_{name}": (cycle, 0.0) for name, cycle in self.both.items()}
            tables |= {f"{side}_{name}": (cycle, later) for name, cycle in self.alternate.items()}
            tables |= {f"{side}_{name}": (cycle, 0.0) for name, cycle in own.items()}
        still = {channel: np.zeros_like(phase) for channel in CHANNELS}
        return still | {name: np.radians(around(c, phase + later, amplitude)) for name, (c, later) in tables.items()}

    def lifted(self, phase: Array, amplitude: float) -> Array:
        """(T,) metres at ``phase`` (T,) cycles; never below the ground."""
        return np.maximum(around(self.lift, phase, amplitude), 0)


def around(cycle: Cycle, phase: Array, amplitude: float) -> Array:
    """A cycle's smooth curve (Catmull-Rom, closed) at ``phase`` (T,), its deviation from its mean amplified."""
    knots = np.asarray(cycle)
    knots = knots.mean() + amplitude * (knots - knots.mean())
    place = (phase % 1.0) * len(knots)
    index = np.floor(place).astype(int)
    t = place - index
    before, at, after, beyond = (knots[(index + step) % len(knots)] for step in (-1, 0, 1, 2))
    bend = (2 * before - 5 * at + 4 * after - beyond) * t**2 + (3 * (at - after) + beyond - before) * t**3
    return np.asarray(at + 0.5 * ((after - before) * t + bend))
