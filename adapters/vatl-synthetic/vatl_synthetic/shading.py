"""Light and texture on what the depth buffer saw."""

from __future__ import annotations

from typing import Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from vatl_synthetic.depth import FINE, Depth, rays
from vatl_synthetic.flesh import Flesh, Shapes
from vatl_synthetic.rotations import Array
from vatl_synthetic.textures import TILE, Picture

Vector = tuple[float, float, float]
_ABOVE: Final = 64 * TILE
"""Whole tiles that keep a texture's coordinate positive, so that truncating it rounds down."""
_HOLLOW: Final = 0.09
"""How far in front its surroundings must lie for a point to be in their shade, metres."""


@attrs.frozen
class Lamp:
    """A light far away.

    Attributes:
        towards: direction from the people to the light, in the world.
        colour: what it adds to a surface that faces it; 1 is full daylight.
    """

    towards: Vector
    colour: Vector


@attrs.frozen
class Lighting:
    """All light of a scene.

    Attributes:
        sky, ground: light from above and from below; 1 is full daylight.
        lamps: lights with a direction; the first casts the shadows.
        shadow: how dark these are, 0 to 1.
    """

    sky: Vector
    ground: Vector
    lamps: tuple[Lamp, ...]
    shadow: float = 0.5


def shaded(
    seen: Depth,
    flesh: Flesh,
    shapes: Shapes,
    frame: int,
    camera: tuple[Array, float],
    textures: Picture,
    light: Lighting,
) -> NDArray[np.float32]:
    """Paint what a frame's rays met.

    Args:
        seen: the frame's depth buffer.
        flesh, shapes, frame: what it was made from.
        camera: the frame's axes (3, 3) and focal length.
        textures: (M, TILE, TILE, 3) 0 to 255, as the flesh's ``texture`` counts them.
        light: of the scene.

    Returns:
        (H', W', 4) red, green, blue (0 to 255, premultiplied) and coverage (0 or 1).
    """
    picture = np.zeros((*seen.part.shape, 4), np.float32)
    where = np.flatnonzero(seen.part.ravel() >= 0)
    rows, columns = np.divmod(where, seen.part.shape[1])
    part = seen.part.ravel()[where]
    x, y = rays(camera[1])
    depth = seen.depth.ravel()[where]
    points = np.stack([x.astype(np.float32)[columns] * depth, y.astype(np.float32)[rows] * depth, depth])
    local, normal = _surface(points, part, flesh, shapes.base[frame], shapes.warp[frame])
    colours = _textured(local, part, flesh, textures) * _lit(normal, camera[0], light)
    colours *= _hollows(seen)[rows // FINE, columns // FINE, None]
    painted = picture.reshape(-1, 4)
    painted[where] = np.concatenate([np.clip(colours, 0, 255), np.ones((len(where), 1), np.float32)], axis=1)
    return picture


def _surface(
    points: Picture, part: NDArray[np.int32], flesh: Flesh, base: Array, warp: Array
) -> tuple[Picture, Picture]:
    """The N points (3, N) in their parts' own axes, and the surface's normals (3, N) in the camera's."""
    turn = warp.reshape(-1, 9).T.astype(np.float32)[:, part].reshape(3, 3, -1)
    away = points - base.T.astype(np.float32)[:, part]
    local = turn[:, 0] * away[0] + turn[:, 1] * away[1] + turn[:, 2] * away[2]
    cone = _slant(flesh) > 0
    slopes = np.where(cone, (flesh.radii[:, 0] - flesh.radii[:, 1]) / np.sqrt(np.maximum(_slant(flesh), 1e-9)), 0)
    lengths = np.where(cone, flesh.length, 0).astype(np.float32)
    around = np.sqrt(local[0] ** 2 + local[2] ** 2)
    level = np.clip(local[1] - around * slopes.astype(np.float32)[part], 0, lengths[part])
    normal = turn[0] * local[0] + turn[1] * (local[1] - level) + turn[2] * local[2]
    normal /= np.sqrt(np.maximum(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2, 1e-12))
    return local, normal


def _slant(flesh: Flesh) -> Array:
    return np.asarray(flesh.length**2 - (flesh.radii[:, 0] - flesh.radii[:, 1]) ** 2)


def _textured(local: Picture, part: NDArray[np.int32], flesh: Flesh, textures: Picture) -> Picture:
    """(N, 3) the texture's colour at the N points."""
    around, along, origin = flesh.wrap.T.astype(np.float32)[:, part] * TILE
    u = ((np.arctan2(local[0], local[2]) * np.float32(0.5 / np.pi) + np.float32(0.5)) * around).astype(np.int32) % TILE
    v = (local[1] * along + origin + _ABOVE).astype(np.int32) % TILE
    index = (flesh.texture.astype(np.int32)[part] * TILE + v) * TILE + u
    return np.asarray(textures.reshape(-1, 3)[index])


def _lit(normal: Picture, axes: Array, light: Lighting) -> Picture:
    """(N, 3) how much of each colour the surface sends back."""
    above = 0.5 + 0.5 * ((axes @ np.array([0.0, 1.0, 0.0])).astype(np.float32) @ normal)
    rim = np.float32(0.72) + np.clip(-normal[2] * np.float32(0.45), 0, np.float32(0.28))
    shares, colours = [above * rim, (1 - above) * rim], [light.sky, light.ground]
    for lamp in light.lamps:
        towards = np.array(lamp.towards) / np.linalg.norm(lamp.towards)
        facing = (axes @ towards).astype(np.float32) @ normal
        shares.append(np.clip(facing * np.float32(0.9) + np.float32(0.1), 0, 1) * rim)
        colours.append(lamp.colour)
    return np.asarray(np.stack(shares, axis=1) @ np.array(colours, np.float32))


def _hollows(seen: Depth) -> Picture:
    """(HEIGHT, WIDTH) shade where the surroundings lie in front: under the chin, between arm and trunk."""
    part, depth = seen.part[::FINE, ::FINE], seen.depth[::FINE, ::FINE]
    covered = (part >= 0).astype(np.float32)
    deep = np.where(part >= 0, depth, np.float32(0))
    around = cv2.blur(deep, (7, 7)) / np.maximum(cv2.blur(covered, (7, 7)), np.float32(1e-3))
    return np.asarray(1 - np.clip((deep - around) / _HOLLOW, 0, 1) * 0.4, np.float32)
