"""A person's flesh and clothes: tapered round parts fixed to the joints, each with a material."""

from __future__ import annotations

from typing import Final, Literal

import attrs
import numpy as np

from vatl_synthetic.anatomy import JOINT, Proportions
from vatl_synthetic.rotations import Array

Material = Literal["skin", "face", "hair", "top", "bottom", "shoe", "sole", "accent"]
MATERIALS: Final[tuple[Material, ...]] = ("skin", "face", "hair", "top", "bottom", "shoe", "sole", "accent")
Point = tuple[float, float, float]

HEAD: Final = (0.047, 0.068, 0.056)
"""Half axes of the skull, in heights; its centre is :data:`SKULL` in the head's frame."""
SKULL: Final[Point] = (0.0, 0.056, 0.01)
FACE: Final = {"nose": (0.0, -0.013, 0.011), "eye": (0.42, 0.007, 0.001), "ear": (1.62, -0.004, 0.006)}
"""Where the face's keypoints lie on the skull: angle from the front (radians), height above the centre, distance
above the surface (both in heights)."""


@attrs.frozen
class Part:
    """Two spheres and the cone around them, squashed across.

    Attributes:
        joint: whose frame it moves with.
        start, end: the spheres' centres in that frame, in heights.
        radii: of the spheres, in heights.
        squash: factors on the thickness sideways and front to back.
        material: what it is made of.
        around, along: texture tiles around the part, and a height's length along it.
        origin: where along the texture it begins, in tiles.
    """

    joint: str
    start: Point
    end: Point
    radii: tuple[float, float]
    material: Material
    squash: tuple[float, float] = (1.0, 1.0)
    around: float = 1.0
    along: float = 3.4
    origin: float = 0.0


@attrs.frozen
class Style:
    """What somebody wears.

    Attributes:
        sleeves: share of the arm that is covered, 0 to 2 (1: to the elbow).
        trousers: share of the leg that is covered, 0.3 to 2 (1: to the knee).
        hair: how it is cut.
        cap: whether they wear one.
        loose: how much wider the clothes are than the body, in heights.
    """

    sleeves: float
    trousers: float
    hair: Literal["short", "long", "bun", "curly", "bald"]
    cap: bool
    loose: float = 0.006


def face_points(proportions: Proportions) -> Array:
    """(5, 3) metres in the head's frame: nose, left and right eye, left and right ear."""
    points = [on_skull(*FACE["nose"])]
    for name in ("eye", "ear"):
        angle, height, above = FACE[name]
        points += [on_skull(side * angle, height, above) for side in (1, -1)]
    return np.array(points) * proportions.height


def on_skull(angle: float, height: float, above: float) -> Point:
    """A point of the skull's surface, or above it, in the head's frame and in heights."""
    wide, tall, deep = HEAD
    level = float(np.sqrt(max(1 - (height / tall) ** 2, 0.0)))
    x, z = (wide * level + above) * np.sin(angle), (deep * level + above) * np.cos(angle)
    return SKULL[0] + float(x), SKULL[1] + height, SKULL[2] + float(z)


def parts(proportions: Proportions, style: Style) -> list[Part]:
    """Everything there is to see of somebody."""
    girth = proportions.girth
    body = [*_trunk(proportions, girth), *_head(), *_hair(style)]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        body += _arm(side, sign, proportions, style) + _leg(side, proportions, style) + _foot(side, style)
    return body


def _trunk(proportions: Proportions, girth: float) -> list[Part]:
    flat = (1.0, 0.66)
    hips, chest = proportions.hips + 0.041 * girth, proportions.shoulders - 0.012
    slope = (proportions.shoulders * 0.97, 0.131, -0.005)
    return [
        Part("pelvis", (0, -0.03, 0), (0, 0.035, 0), (hips, 0.083 * girth), "bottom", (1.0, 0.74)),
        Part("waist", (0, 0.005, 0), (0, 0.1, 0.004), (0.085 * girth, 0.086 * girth), "top", flat, origin=0.22),
        Part("chest", (0, -0.005, 0.003), (0, 0.09, 0), (0.086 * girth, chest), "top", flat, origin=0.62),
        Part("chest", (0, 0.15, -0.01), slope, (0.04, 0.038), "top", (0.9, 1.0), origin=0.3),
        Part("chest", (0, 0.15, -0.01), (-slope[0], *slope[1:]), (0.04, 0.038), "top", (0.9, 1.0), origin=0.3),
        Part("neck", (0, -0.02, -0.004), (0, 0.055, 0.004), (0.034, 0.03), "skin"),
    ]


def _head() -> list[Part]:
    wide, tall, deep = HEAD
    nose = on_skull(*FACE["nose"])
    bridge = on_skull(0.0, 0.008, -0.003)
    ears = [on_skull(side * FACE["ear"][0], FACE["ear"][1], 0.001) for side in (1, -1)]
    skull = Part(
        "head", SKULL, SKULL, (tall, tall), "face", (wide / tall, deep / tall), along=1 / (2 * tall), origin=0.5
    )
    jaw = Part("head", (0, 0.016, 0.028), (0, 0.034, 0.022), (0.024, 0.034), "skin", (1.05, 1.0))
    tip = (nose[0], nose[1], nose[2] - 0.008)
    return [
        skull,
        jaw,
        Part("head", tip, (bridge[0], bridge[1], bridge[2] - 0.004), (0.0095, 0.006), "skin"),
        *(Part("head", (x, y - 0.007, z), (x, y + 0.008, z), (0.009, 0.012), "skin", (0.5, 1.0)) for x, y, z in ears),
    ]


def _hair(style: Style) -> list[Part]:
    wide, tall, deep = (axis * 1.06 for axis in HEAD)
    x, y, z = SKULL
    cap = (x, y + 0.012, z - 0.011)
    crown = Part("head", cap, cap, (tall * 0.97, tall * 0.97), "hair", (wide / tall * 1.02, deep / tall))
    parts = [] if style.hair == "bald" else [crown]
    if style.hair == "long":
        fall = ((0, 0.07, -0.02), (0, -0.03, -0.045))
        parts.append(Part("head", *fall, (0.05, 0.036), "hair", (1.08, 0.55)))
        parts += [
            Part("head", (s * 0.042, 0.08, -0.004), (s * 0.046, -0.015, -0.012), (0.018, 0.014), "hair")
            for s in (1, -1)
        ]
    if style.hair == "bun":
        parts.append(Part("head", (0, 0.112, -0.045), (0, 0.118, -0.052), (0.025, 0.025), "hair"))
    if style.hair == "curly":
        around = [(0.0, 0.035), (0.9, 0.036), (-0.9, 0.036), (2.0, 0.03), (-2.0, 0.03), (3.14, 0.034)]
        for angle, size in around:
            spot = on_skull(angle, 0.046 if abs(angle) < 1.5 else 0.03, 0.002)
            parts.append(Part("head", (spot[0], spot[1] + 0.012, spot[2] - 0.02), spot, (size, size * 0.98), "hair"))
    if style.cap:
        parts.append(Part("head", (0, 0.088, 0.004), (0, 0.09, -0.002), (0.0555, 0.0555), "accent", (0.92, 1.08)))
        parts.append(Part("head", (0, 0.089, 0.06), (0, 0.094, 0.02), (0.034, 0.04), "accent", (1.0, 0.3)))
    return parts


def _arm(side: str, sign: float, proportions: Proportions, style: Style) -> list[Part]:
    girth = 0.5 + 0.5 * proportions.girth
    upper, fore = 0.172 * proportions.arm, 0.15 * proportions.arm
    shoulder, elbow, wrist = 0.0325 * girth, 0.0245 * girth, 0.0165 * girth
    arm = [
        Part(f"{side}_shoulder", (0, 0, 0), (0, -upper, 0), (shoulder * 0.94, elbow), "skin"),
        Part(f"{side}_elbow", (0, 0, 0), (0, -fore, 0), (elbow * 1.04, wrist), "skin"),
        *_hand(side, sign),
    ]
    loose = style.loose
    covered = min(style.sleeves, 1.0)
    if covered > 0:
        end = shoulder + covered * (elbow - shoulder) + loose * (1.0 if style.sleeves < 1 else 0.5)
        arm.append(
            Part(
                f"{side}_shoulder", (0, 0, 0), (0, -upper * covered, 0), (shoulder + loose * 0.4, end), "top", along=3.4
            )
        )
    if style.sleeves > 1:
        covered = style.sleeves - 1
        end = elbow + covered * (wrist - elbow) + loose * 0.8
        arm.append(
            Part(f"{side}_elbow", (0, 0, 0), (0, -fore * covered, 0), (elbow + loose * 0.5, end), "top", origin=0.6)
        )
    return arm


def _hand(side: str, sign: float) -> list[Part]:
    joint = f"{side}_wrist"
    return [
        Part(joint, (0, 0, 0), (0, -0.034, 0.002), (0.0165, 0.024), "skin", (0.52, 1.0)),
        Part(joint, (0, -0.042, 0.004), (-sign * 0.008, -0.085, 0.004), (0.021, 0.013), "skin", (0.45, 1.0)),
        Part(joint, (0, -0.016, 0.014), (-sign * 0.004, -0.046, 0.032), (0.010, 0.007), "skin"),
    ]


def _leg(side: str, proportions: Proportions, style: Style) -> list[Part]:
    girth = 0.35 + 0.65 * proportions.girth
    thigh, shin = 0.245 * proportions.leg, 0.24 * proportions.leg
    hip, knee, ankle = 0.053 * girth, 0.0335 * girth, 0.0215 * girth
    leg = [
        Part(f"{side}_hip", (0, 0, 0), (0, -thigh, 0), (hip, knee), "skin"),
        Part(f"{side}_knee", (0, 0, 0), (0, -shin, 0), (knee, ankle), "skin"),
        Part(f"{side}_knee", (0, -0.03, -0.008), (0, -0.1, -0.008), (0.028 * girth, 0.026 * girth), "skin"),
    ]
    loose, covered = style.loose, min(style.trousers, 1.0)
    end = hip + covered * (knee - hip) + loose * 1.2
    leg.append(
        Part(f"{side}_hip", (0, 0.004, 0), (0, -thigh * covered, 0), (hip + loose * 0.6, end), "bottom", origin=0.1)
    )
    if style.trousers > 1:
        covered = style.trousers - 1
        end = knee + covered * (ankle - knee) + loose * 1.5
        calf = (0.03 * girth + loose, 0.028 * girth + loose)
        leg.append(Part(f"{side}_knee", (0, 0, 0), (0, -shin * covered, 0), (knee + loose, end), "bottom", origin=0.9))
        leg.append(Part(f"{side}_knee", (0, -0.03, -0.008), (0, -0.1 * covered, -0.008), calf, "bottom", origin=0.9))
    return leg


def _foot(side: str, style: Style) -> list[Part]:
    joint = f"{side}_ankle"
    return [
        Part(joint, (0, 0.004, -0.002), (0, -0.018, -0.012), (0.0235, 0.026), "shoe"),
        Part(joint, (0, -0.016, -0.004), (0, -0.024, 0.084), (0.027, 0.0185), "shoe", (0.95, 1.0), origin=0.4),
        Part(joint, (0, -0.031, -0.012), (0, -0.031, 0.088), (0.0245, 0.023), "sole", (1.12, 0.5)),
    ]


def placed(part: Part, proportions: Proportions) -> tuple[int, Array, Array, float, tuple[float, float]]:
    """Where a part sits on its joint.

    Returns:
        the joint's index; the start (3,) metres and the axes (3, 3; columns across, along, through) in its frame; the
        length and the two radii, metres.
    """
    start, end = np.array(part.start) * proportions.height, np.array(part.end) * proportions.height
    axis = end - start
    length = float(np.linalg.norm(axis))
    along = axis / length if length > 0 else np.array([0.0, 1.0, 0.0])
    across = np.cross(along, [0.0, 0.0, 1.0]) if abs(along[2]) < 0.9 else np.cross(along, [0.0, 1.0, 0.0])
    across /= np.linalg.norm(across)
    if across[0] < 0:
        across = -across
    axes = np.stack([across, along, np.cross(across, along)], axis=1)
    small, large = part.radii[0] * proportions.height, part.radii[1] * proportions.height
    return JOINT[part.joint], start, axes, length, (small, large)
