"""A person's bones: proportions, and the joints' positions that follow from the joints' angles."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from vatl_synthetic.rotations import Array, about_x, about_y, about_z

JOINTS: Final = (
    "pelvis", "waist", "chest", "neck", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""The joints; from the shoulders on they are the keypoints of the same index."""
PARENTS: Final = (-1, 0, 1, 2, 3, 2, 2, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14)
JOINT: Final = {name: index for index, name in enumerate(JOINTS)}
SIDES: Final = (("left", 1.0), ("right", -1.0))

TRUNK: Final = ("pelvis_pitch", "pelvis_yaw", "pelvis_roll", "spine_pitch", "spine_yaw", "spine_roll",
                "neck_pitch", "neck_yaw", "neck_roll")  # fmt: skip
LIMB: Final = ("shoulder_flex", "shoulder_abduct", "shoulder_twist", "elbow", "wrist", "hip_flex", "hip_abduct",
               "hip_twist", "knee", "ankle")  # fmt: skip
CHANNELS: Final = (*TRUNK, *(f"{side}_{name}" for side, _ in SIDES for name in LIMB))
"""The angles that make a pose, each in radians.

Pitch leans forward, yaw turns to the own left, roll leans to the own right; a limb's flexion lifts it forward,
abduction sideways away from the body; elbows and knees bend one way only.
"""
LIMITS: Final = {"elbow": (0.0, 2.5), "knee": (0.0, 2.5), "ankle": (-0.7, 0.5), "neck_pitch": (-0.7, 0.8)}
"""What a joint can do at most, in radians: nobody's knee bends backwards."""


@attrs.frozen
class Proportions:
    """The lengths of one person's bones.

    Attributes:
        height: standing, metres.
        shoulders, hips: half the distance between the joints, in heights.
        arm, leg: factors on the usual lengths of the limbs.
        girth: factor on the usual thickness.
    """

    height: float = 1.72
    shoulders: float = 0.105
    hips: float = 0.053
    arm: float = 1.0
    leg: float = 1.0
    girth: float = 1.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Proportions:
        """Somebody grown up."""
        return cls(
            height=rng.uniform(1.56, 1.88),
            shoulders=rng.uniform(0.094, 0.112),
            hips=rng.uniform(0.048, 0.058),
            arm=rng.uniform(0.95, 1.06),
            leg=rng.uniform(0.95, 1.05),
            girth=rng.uniform(0.88, 1.18),
        )

    def offsets(self) -> Array:
        """(J, 3) metres: where each joint sits in its parent's frame (x to the own left, y up, z forward)."""
        upper_arm, forearm = 0.172 * self.arm, 0.15 * self.arm
        thigh, shin = 0.245 * self.leg, 0.24 * self.leg
        trunk = [(0, 0, 0), (0, 0.03, 0), (0, 0.115, 0), (0, 0.15, -0.008), (0, 0.05, 0.008)]
        limbs = [(self.shoulders, 0.132, -0.005), (0, -upper_arm, 0), (0, -forearm, 0)]
        legs = [(self.hips, -0.012, 0), (0, -thigh, 0), (0, -shin, 0)]
        mirrored = [(side * x, y, z) for x, y, z in limbs + legs for _, side in SIDES]
        return np.array([*trunk, *mirrored]) * self.height


def limit(angles: dict[str, Array]) -> dict[str, Array]:
    """The angles {channel: (T,)} with every joint kept within what it can do."""

    def within(channel: str, values: Array) -> Array:
        ends = LIMITS.get(channel.removeprefix("left_").removeprefix("right_"))
        return np.clip(values, *ends) if ends else values

    return {channel: within(channel, values) for channel, values in angles.items()}


def posture(proportions: Proportions, angles: dict[str, Array]) -> tuple[Array, Array]:
    """Forward kinematics with the pelvis at the origin.

    Args:
        proportions: whose bones.
        angles: {channel: (T,)} radians for every one of :data:`CHANNELS`.

    Returns:
        positions (T, J, 3) metres and orientations (T, J, 3, 3) of the joints' frames.
    """
    local, offsets = _local_rotations(angles), proportions.offsets()
    frames = len(local)
    positions, orientations = np.zeros((frames, len(JOINTS), 3)), local.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            positions[:, joint] = positions[:, parent] + orientations[:, parent] @ offsets[joint]
            orientations[:, joint] = orientations[:, parent] @ local[:, joint]
    return positions, orientations


def _local_rotations(angles: dict[str, Array]) -> Array:
    """(T, J, 3, 3): each joint's rotation in its parent's frame."""

    def leaning(part: str, share: float = 1.0) -> Array:
        pitch, yaw, roll = (share * angles[f"{part}_{way}"] for way in ("pitch", "yaw", "roll"))
        return about_y(yaw) @ about_x(pitch) @ about_z(roll)

    rotations = [leaning("pelvis"), *[leaning("spine", 0.5)] * 2, *[leaning("neck", 0.5)] * 2]
    rotations += [_ball(angles, f"{side}_shoulder", sign) for side, sign in SIDES]
    rotations += [about_x(-angles[f"{side}_elbow"]) for side, _ in SIDES]
    rotations += [about_x(-angles[f"{side}_wrist"]) for side, _ in SIDES]
    rotations += [_ball(angles, f"{side}_hip", sign) for side, sign in SIDES]
    rotations += [about_x(angles[f"{side}_knee"]) for side, _ in SIDES]
    rotations += [about_x(-angles[f"{side}_ankle"]) for side, _ in SIDES]
    return np.stack(rotations, axis=1)


def _ball(angles: dict[str, Array], joint: str, sign: float) -> Array:
    """(T, 3, 3): a shoulder or hip, swung sideways, then forward, and turned about its own bone."""
    flex, abduct, twist = (angles[f"{joint}_{way}"] for way in ("flex", "abduct", "twist"))
    return about_x(-flex) @ about_z(sign * abduct) @ about_y(sign * twist)
