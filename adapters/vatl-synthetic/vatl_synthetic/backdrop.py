"""The scenery as the camera sees it: the ground, what stands on it far behind, and the people's shadows."""

from __future__ import annotations

from typing import Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from vatl_synthetic.anatomy import JOINT, PARENTS
from vatl_synthetic.camera import HEIGHT, WIDTH, centre
from vatl_synthetic.grounds import GROUND_METRES, GROUND_TEXELS
from vatl_synthetic.rotations import Array
from vatl_synthetic.shading import Lighting
from vatl_synthetic.textures import Picture
from vatl_synthetic.walls import WALL_METRES, WALL_TEXELS

_THICKNESS: Final = {"waist": 0.26, "chest": 0.3, "neck": 0.2, "head": 0.16, "knee": 0.15, "ankle": 0.11, "elbow": 0.1}
"""How wide a shadow the bone that ends in a joint casts, metres."""


_GROUND: Final = GROUND_TEXELS / GROUND_METRES
_WALL: Final = WALL_TEXELS[0] / WALL_METRES[0]


def _bytes(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _lying(picture: Picture) -> NDArray[np.uint8]:
    """Softened away from the viewer, where it is seen foreshortened and would flicker."""
    border = 16
    padded = np.pad(picture, ((border, border), (border, border), (0, 0)), mode="wrap")
    return _bytes(cv2.GaussianBlur(padded, (0, 0), sigmaX=0.8, sigmaY=2.6)[border:-border, border:-border])


@attrs.frozen
class Backdrop:
    """A place.

    Attributes:
        ground: (GROUND_TEXELS, GROUND_TEXELS, 3) tiling.
        wall: (*WALL_TEXELS, 3) tiling sideways.
        distance: how far behind the people's middle the wall stands, metres.
    """

    ground: NDArray[np.uint8] = attrs.field(converter=_lying)
    wall: NDArray[np.uint8] = attrs.field(converter=_bytes)
    distance: float

    def seen(self, position: Array, axes: Array, focal: float) -> NDArray[np.uint8]:
        """(HEIGHT, WIDTH, 3) as seen from ``position`` (3,) through ``axes`` (3, 3)."""
        x = ((np.arange(WIDTH) - centre()[0]) / focal).astype(np.float32)[None]
        y = ((np.arange(HEIGHT) - centre()[1]) / focal).astype(np.float32)[:, None]
        east, up, north = (np.float32(a[0]) * x + np.float32(a[1]) * y + np.float32(a[2]) for a in axes.T)
        to_wall = np.float32(position[2] + self.distance) / np.maximum(-north, 1e-3)
        to_ground = np.where(up < -1e-4, -np.float32(position[1]) / np.minimum(up, -1e-4), np.inf)
        ahead = np.minimum(to_wall, to_ground)
        across = position[0].astype(np.float32) + ahead * east
        high = np.float32(position[1]) + ahead * up
        deep = np.float32(position[2]) + ahead * north
        picture = _looked_up(self.wall, across * _WALL + WALL_TEXELS[1] / 2, WALL_TEXELS[0] - 1 - high * _WALL)
        ground = _looked_up(self.ground, across * _GROUND, deep * _GROUND % GROUND_TEXELS)
        np.copyto(picture, ground, where=(to_ground < to_wall)[..., None])
        return picture


def _looked_up(texture: NDArray[np.uint8], column: Picture, row: Picture) -> NDArray[np.uint8]:
    """``texture`` at (H, W) columns, which go round, and rows, which end at its edge."""
    height, width = texture.shape[:2]
    found = cv2.remap(
        texture,
        np.float32(column % width),
        np.float32(np.clip(row, 0, height - 1)),
        cv2.INTER_LINEAR,
        None,
        cv2.BORDER_WRAP,
    )
    return np.asarray(found, np.uint8)


def shadow(joints: Array, position: Array, axes: Array, focal: float, light: Lighting) -> Picture:
    """How much light the people's shadows on the ground leave, (HEIGHT, WIDTH) 0 to 1.

    Args:
        joints: (people, J, 3) metres.
        position, axes, focal: of the camera.
        light: of the scene; its first lamp casts the shadows.
    """
    towards = np.array(light.lamps[0].towards)
    fallen = joints - joints[..., 1:2] / towards[1] * towards
    fallen[..., 1] = 0.0
    seen = (fallen - position) @ axes.T
    dark = np.zeros((HEIGHT, WIDTH), np.float32)
    for who in np.nonzero(seen[..., 2].min(axis=1) > 0.5)[0]:
        _fall(dark, seen[who], focal)
    return np.asarray(1 - light.shadow * cv2.GaussianBlur(dark, (0, 0), 2.2), np.float32)


def _fall(dark: Picture, seen: Array, focal: float) -> None:
    """Draw one person's shadow (joints (J, 3) on the ground, in the camera's axes)."""
    spots = np.rint(seen[:, :2] / seen[:, 2:] * focal + centre()).astype(int)
    for name, joint in JOINT.items():
        if (parent := PARENTS[joint]) >= 0:
            width = _THICKNESS.get(name.rpartition("_")[2], 0.1) * focal / seen[joint, 2] * 0.8
            cv2.line(
                dark,
                tuple(spots[parent].tolist()),
                tuple(spots[joint].tolist()),
                1.0,
                max(1, round(width)),
                cv2.LINE_AA,
            )
