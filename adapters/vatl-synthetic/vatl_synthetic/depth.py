"""A depth buffer of one frame: which part each ray meets first, by exact intersection with tapered round parts.

A ray is ``d = (x, y, 1)`` with x, y in focal lengths, so that its parameter is depth. Every polynomial that the
intersection with a round cone needs is quadratic in (x, y): its coefficients are found for all parts at once, and one
matrix product evaluates them over a part's window.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from vatl_synthetic.camera import FOCAL, HEIGHT, WIDTH
from vatl_synthetic.flesh import Flesh, Shapes
from vatl_synthetic.rotations import Array

FINE: Final = 2
"""Rays per pixel, in each direction."""


@attrs.frozen
class Depth:
    """What is seen through each of the (FINE · HEIGHT) x (FINE · WIDTH) rays.

    Attributes:
        depth: (H', W') metres; infinite where nobody is.
        part: (H', W') index of the part, −1 where nobody is.
    """

    depth: NDArray[np.float32]
    part: NDArray[np.int32]


@attrs.frozen
class Cones:
    """The P parts of one frame as polynomials of the ray.

    Attributes:
        forms: (P, 9, 6) coefficients on the monomials; what :func:`_cast` unpacks, in its order.
        level: (P,) the start's height on the axis, times the length.
        slant: (P,) squared length of the cone's side; where it is not positive one sphere swallows the other.
    """

    forms: Array
    level: Array
    slant: Array

    @property
    def is_cone(self) -> NDArray[np.bool_]:
        """(P,) whether there is more to the part than its first sphere."""
        return self.slant > 0


def rays(focal: float) -> tuple[Array, Array]:
    """x (W',) and y (H',) of the rays, in focal lengths."""
    columns, rows = ((np.arange(FINE * size) + 0.5) / FINE - 0.5 - (size - 1) / 2 for size in (WIDTH, HEIGHT))
    return columns / focal, rows / focal


def look(flesh: Flesh, shapes: Shapes, frame: int, focal: float) -> Depth:
    """Cast every ray of a frame."""
    basis = _monomials()
    cones = _cones(flesh, shapes.base[frame], shapes.warp[frame], focal)
    seen = Depth(np.full(basis.shape[1:], np.inf, dtype=np.float32), np.full(basis.shape[1:], -1, dtype=np.int32))
    windows = _windows(shapes.boxes[frame])
    in_front = shapes.base[frame, :, 2] > 0.3
    for part in np.nonzero(in_front & (windows[:, 2] > windows[:, 0]) & (windows[:, 3] > windows[:, 1]))[0]:
        left, top, right, bottom = windows[part]
        _cast(seen, int(part), cones, basis, (slice(top, bottom), slice(left, right)))
    return seen


@cache
def _monomials() -> Array:
    """(6, H', W'): x², y², xy, x, y, 1 of every ray, for a focal length of :data:`FOCAL`."""
    x, y = rays(FOCAL)
    row, column = np.broadcast_arrays(x[None, :], y[:, None])
    return np.stack([row * row, column * column, row * column, row, column, np.ones_like(row)])


def _windows(boxes: Array) -> NDArray[np.int64]:
    """(P, 4) rays left, top, right, bottom that may meet each part."""
    sizes = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT]) * FINE
    margin = np.array([-1.5, -1.5, 2.5, 2.5])
    grown = boxes + 0.04 * (boxes - boxes[:, [2, 3, 0, 1]])
    return np.asarray(np.clip(np.rint((grown + margin) * FINE), 0, sizes), np.int64)


def _cones(flesh: Flesh, base: Array, warp: Array, focal: float) -> Cones:
    """The parts of one frame, from :class:`Shapes`' ``base`` (P, 3) and ``warp`` (P, 3, 3)."""
    start = -np.einsum("pij,pj->pi", warp, base)
    end = start - np.stack([np.zeros_like(flesh.length), flesh.length, np.zeros_like(flesh.length)], axis=1)
    (small, large), length = flesh.radii.T, flesh.length
    taper = small - large
    slant = length**2 - taper**2
    square = np.einsum("pki,pkj->pij", warp, warp)
    upward = warp[:, 1] * length[:, None]
    to_start, to_end = (np.einsum("pk,pki->pi", point, warp) for point in (start, end))
    below = length * start[:, 1]
    k2 = slant[:, None, None] * square - _outer(upward, upward)
    k1 = slant[:, None] * to_start + (taper * small - below)[:, None] * upward
    k0 = slant * (start**2).sum(1) - below**2 + 2 * below * taper * small - (length * small) ** 2
    side = _outer(k1, k1) - k0[:, None, None] * k2
    spheres = [
        _outer(way, way) - ((point**2).sum(1) - radius**2)[:, None, None] * square
        for way, point, radius in ((to_start, start, small), (to_end, end, large))
    ]
    quadratic = [_quadratic(matrix) for matrix in (side, k2, square, *spheres)]
    forms = np.stack([*quadratic, *(_linear(vector) for vector in (k1, upward, to_start, to_end))], axis=1)
    longer = FOCAL / focal
    forms *= np.array([longer**2, longer**2, longer**2, longer, longer, 1])
    return Cones(forms, below - taper * small, slant)


def _outer(a: Array, b: Array) -> Array:
    return a[:, :, None] * b[:, None, :]


def _quadratic(m: Array) -> Array:
    """(P, 6) coefficients of uᵀMu for u = (x, y, 1) and symmetric M (P, 3, 3)."""
    return np.stack([m[:, 0, 0], m[:, 1, 1], 2 * m[:, 0, 1], 2 * m[:, 0, 2], 2 * m[:, 1, 2], m[:, 2, 2]], axis=1)


def _linear(v: Array) -> Array:
    """(P, 6) coefficients of v·u for u = (x, y, 1)."""
    return np.concatenate([np.zeros_like(v), v], axis=1)


def _cast(seen: Depth, part: int, cones: Cones, basis: Array, window: tuple[slice, slice]) -> None:
    """Enter one part into the buffer where it is nearer than what is there.

    After Inigo Quilez' intersection of a ray and a round cone: the cone's side between the circles where the spheres
    touch it, and both spheres; the nearest of the three.
    """
    view = basis[:, window[0], window[1]]
    values = (cones.forms[part] @ view.reshape(6, -1)).astype(np.float32).reshape(9, *view.shape[1:])
    side, k2, square, first, second, k1, upward, to_start, to_end = values
    with np.errstate(invalid="ignore", divide="ignore"):
        nearest = (-to_start - np.sqrt(first)) / square
        if cones.is_cone[part]:
            nearest = np.fmin(nearest, (-to_end - np.sqrt(second)) / square)
            along = (-k1 - np.sqrt(side)) / k2
            level = along * upward + np.float32(cones.level[part])
            between = (level > 0) & (level < np.float32(cones.slant[part]))
            nearest = np.fmin(nearest, np.where(between, along, np.inf))
        nearer = nearest < seen.depth[window]
    np.copyto(seen.depth[window], nearest, where=nearer)
    np.copyto(seen.part[window], part, where=nearer)
