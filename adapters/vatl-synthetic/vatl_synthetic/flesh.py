"""All parts of all people as columns, and where they are in one frame in the camera's axes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from vatl_synthetic.anatomy import Proportions
from vatl_synthetic.body import MATERIALS, Part, placed
from vatl_synthetic.camera import Camera, centre
from vatl_synthetic.movement import Movement
from vatl_synthetic.rotations import Array


@attrs.frozen
class Flesh:
    """P parts of everybody in a scene.

    Attributes:
        person: (P,) whose part it is.
        joint: (P,) which joint it is fixed to.
        start: (P, 3) metres, the first sphere's centre in the joint's frame.
        axes: (P, 3, 3) its axes (columns: across, along, through) in the joint's frame.
        length: (P,) metres between the spheres' centres.
        radii: (P, 2) metres.
        squash: (P, 2) factors on the thickness across and through.
        texture: (P,) index of its texture: the person's number and the material's.
        wrap: (P, 3) tiles around, tiles a metre along, tile to begin with.
    """

    person: NDArray[np.int64]
    joint: NDArray[np.int64]
    start: Array
    axes: Array
    length: Array
    radii: Array
    squash: Array
    texture: NDArray[np.int64]
    wrap: Array


@attrs.frozen
class Shapes:
    """The P parts in the T frames of a camera.

    Attributes:
        base: (T, P, 3) metres, the first sphere's centre in the camera's axes.
        warp: (T, P, 3, 3) from the camera's axes to the part's own, in which it is round.
        boxes: (T, P, 4) pixels x1, y1, x2, y2 that it covers.
    """

    base: Array
    warp: Array
    boxes: Array


def flesh_of(bodies: Sequence[tuple[Proportions, Sequence[Part]]]) -> Flesh:
    """Collect everybody's parts."""
    rows = [(who, part, placed(part, bones)) for who, (bones, body) in enumerate(bodies) for part in body]
    heights = np.array([bodies[who][0].height for who, _, _ in rows])
    wrap = np.array([(part.around, part.along, part.origin) for _, part, _ in rows])
    wrap[:, 1] /= heights
    return Flesh(
        person=np.array([who for who, _, _ in rows]),
        joint=np.array([place[0] for _, _, place in rows]),
        start=np.array([place[1] for _, _, place in rows]),
        axes=np.array([place[2] for _, _, place in rows]),
        length=np.array([place[3] for _, _, place in rows]),
        radii=np.array([place[4] for _, _, place in rows]),
        squash=np.array([part.squash for _, part, _ in rows]),
        texture=np.array([who * len(MATERIALS) + MATERIALS.index(part.material) for who, part, _ in rows]),
        wrap=wrap,
    )


def shapes(flesh: Flesh, movements: Sequence[Movement], camera: Camera) -> Shapes:
    """Where every part is in every frame."""
    positions = np.stack([m.positions for m in movements], axis=1)[:, flesh.person, flesh.joint]
    orientations = np.stack([m.orientations for m in movements], axis=1)[:, flesh.person, flesh.joint]
    base = camera.seen(positions + np.einsum("tpij,pj->tpi", orientations, flesh.start))
    axes = camera.axes[:, None] @ orientations @ flesh.axes
    squash = np.stack([flesh.squash[:, 0], np.ones(len(flesh.length)), flesh.squash[:, 1]], axis=1)
    warp = np.swapaxes(axes / squash[:, None], -1, -2)
    return Shapes(base, warp, _extent(flesh, base, axes * squash[:, None], axes[..., 1], camera))


def _extent(flesh: Flesh, base: Array, stretched: Array, along: Array, camera: Camera) -> Array:
    """(T, P, 4) pixels x1, y1, x2, y2 around both spheres of every part."""
    spread = np.linalg.norm(stretched, axis=-1)[..., :2]
    corners = []
    for end, centres in enumerate((base, base + along * flesh.length[:, None])):
        depth = np.maximum(centres[..., 2:], 0.3)
        scale = camera.focal[:, None, None] / depth
        reach = spread * flesh.radii[:, end, None] * scale
        middle = centres[..., :2] * scale + centre()
        corners.append((middle - reach, middle + reach))
    low = np.minimum(corners[0][0], corners[1][0])
    high = np.maximum(corners[0][1], corners[1][1])
    return np.concatenate([low, high], axis=-1)
