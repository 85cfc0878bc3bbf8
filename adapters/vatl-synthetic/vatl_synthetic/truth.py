"""The instances of a scene: boxes, keypoints, and which of these can really be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from vatl_core.video import PERSON_17, Instances
from vatl_synthetic.camera import HEIGHT, WIDTH
from vatl_synthetic.depth import FINE, Depth
from vatl_synthetic.flesh import Flesh
from vatl_synthetic.rotations import Array
from vatl_synthetic.scene import Scene

SMALLEST: Final = 400.0
"""Area of a person's box within the frame below which it is no instance, square pixels."""
_BENEATH: Final = {
    "nose": 0.03, "eye": 0.028, "ear": 0.035, "shoulder": 0.14, "elbow": 0.085, "wrist": 0.06, "hip": 0.17,
    "knee": 0.1, "ankle": 0.085,
}  # fmt: skip
"""How deep a keypoint lies beneath the skin and the clothes at most, metres, for a person of 1.72 m."""
_NEARBY: Final = 1
"""Rays around a keypoint's own that may see it too: a silhouette's edge hides nothing."""


def depths_beneath() -> Array:
    """(K,) metres: how far behind the visible surface a keypoint may be and still be seen."""
    return np.array([_BENEATH[name.rpartition("_")[2]] for name in PERSON_17.keypoints])


def visible_keypoints(seen: Depth, flesh: Flesh, pixels: Array, depth: Array) -> NDArray[np.bool_]:
    """Which keypoints nothing hides.

    Args:
        seen: the frame's depth buffer.
        flesh: the parts it was made from.
        pixels: (people, K, 2) where the keypoints fall.
        depth: (people, K) how far away they are, metres.

    Returns:
        (people, K): in the frame, and nothing in front but the own flesh that covers the joint.
    """
    inside = (depth > 0.3) & (pixels >= -0.5).all(-1) & (pixels[..., 0] < WIDTH - 0.5) & (pixels[..., 1] < HEIGHT - 0.5)
    column, row = (
        np.floor((np.where(inside[..., None], pixels, 0) + 0.5) * FINE).astype(int)[..., axis] for axis in (0, 1)
    )
    visible = np.zeros(inside.shape, bool)
    whose = np.append(flesh.person, -1)
    for down in range(-_NEARBY, _NEARBY + 1):
        for across in range(-_NEARBY, _NEARBY + 1):
            spot = (np.clip(row + down, 0, FINE * HEIGHT - 1), np.clip(column + across, 0, FINE * WIDTH - 1))
            gap = depth - seen.depth[spot]
            own = whose[seen.part[spot]] == np.arange(len(depth))[:, None]
            visible |= np.where(own, gap < depths_beneath(), gap < 0)
    return np.asarray(inside & visible)


@attrs.define
class Witness:
    """Notes what can be seen while a scene is drawn, frame by frame.

    Attributes:
        scene: what is drawn.
    """

    scene: Scene
    _pixels: Array = attrs.field(init=False, repr=False)
    _depth: Array = attrs.field(init=False, repr=False)
    _visible: NDArray[np.bool_] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        points = self.scene.keypoints()
        self._pixels, self._depth = self.scene.camera.projected(points), self.scene.camera.seen(points)[..., 2]
        self._visible = np.zeros(self._depth.shape, bool)

    def unhindered(self) -> Instances:
        """Everybody in every frame, with every keypoint in the frame taken for visible: poses without a drawing."""
        inside = (self._pixels >= -0.5).all(-1) & (self._pixels < np.array([WIDTH, HEIGHT]) - 0.5).all(-1)
        return collected(boxes(self.scene), self._pixels, inside & (self._depth > 0.3))

    def note(self, frame: int, seen: Depth) -> None:
        """Take down frame ``frame``, given its depth buffer."""
        self._visible[frame] = visible_keypoints(seen, self.scene.flesh, self._pixels[frame], self._depth[frame])

    def instances(self) -> Instances:
        """Everybody in every frame that was noted."""
        return collected(boxes(self.scene), self._pixels, self._visible)


def boxes(scene: Scene) -> Array:
    """(T, people, 4) x, y, width, height of everybody's extent within the frame; hidden parts count too."""
    whose = scene.flesh.person[None, :] == np.arange(len(scene.people))[:, None]
    corners = scene.shapes.boxes[:, None]
    low = np.where(whose[..., None], corners[..., :2], np.inf).min(axis=2)
    high = np.where(whose[..., None], corners[..., 2:], -np.inf).max(axis=2)
    edge = np.array([WIDTH, HEIGHT]) - 0.5
    low, high = np.clip(low, -0.5, edge), np.clip(high, -0.5, edge)
    return np.concatenate([low, high - low], axis=-1)


def collected(extent: Array, pixels: Array, visible: NDArray[np.bool_]) -> Instances:
    """Columns of what is worth being an instance: some keypoint visible and enough of the person in the frame.

    Args:
        extent: (T, people, 4) x, y, width, height, pixels.
        pixels: (T, people, K, 2).
        visible: (T, people, K).
    """
    kept = visible.any(-1) & (extent[..., 2] * extent[..., 3] >= SMALLEST)
    frame, person = np.nonzero(kept)
    return columns(frame, person, extent[kept], pixels[kept], visible[kept])


def columns(
    frame: NDArray[np.int64], person: NDArray[np.int64], extent: Array, pixels: Array, visible: NDArray[np.bool_]
) -> Instances:
    """Instances from their arrays, named after frame and person."""
    ids: Sequence[str] = [f"{f:04d}-{p}" for f, p in zip(frame.tolist(), person.tolist(), strict=True)]
    return Instances.of(
        torch.from_numpy(np.asarray(frame, np.int64)),
        torch.from_numpy(np.asarray(person, np.int64)),
        torch.from_numpy(np.asarray(extent, np.float32)),
        tuple(ids),
        torch.from_numpy(np.asarray(pixels, np.float32)),
        torch.from_numpy(np.asarray(visible, bool)),
    )
