"""Drawing a scene: people in front of their backdrop, as the film sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

import attrs
import cv2
import numpy as np
import torch
from torch import Tensor

from vatl_synthetic.backdrop import Backdrop, shadow
from vatl_synthetic.camera import HEIGHT, WIDTH
from vatl_synthetic.depth import Depth, look
from vatl_synthetic.domains import Film
from vatl_synthetic.grounds import GROUNDS
from vatl_synthetic.movement import FPS
from vatl_synthetic.rotations import Array, wander
from vatl_synthetic.scene import Scene
from vatl_synthetic.shading import Lighting, shaded
from vatl_synthetic.textures import Picture
from vatl_synthetic.walls import WALLS

_GREY: Final = 118
"""The grey that contrast leaves alone."""


@attrs.define(slots=False)
class Drawing:
    """Draws the frames of one scene, in any order.

    Attributes:
        scene: what to draw.
    """

    scene: Scene

    @cached_property
    def backdrop(self) -> Backdrop:
        """The scene's place."""
        rng = np.random.default_rng((*self.scene.seed, 0))
        ground, wall = self.scene.domain.places[int(rng.integers(len(self.scene.domain.places)))]
        return Backdrop(GROUNDS[ground](rng), WALLS[wall](rng), float(rng.uniform(3.0, 4.5)))

    @cached_property
    def textures(self) -> Picture:
        """(M, TILE, TILE, 3) of everybody."""
        return np.concatenate([person.textures for person in self.scene.people])

    @cached_property
    def light(self) -> Array:
        """(T,) how bright it is in each frame."""
        rng, film = np.random.default_rng((*self.scene.seed, 1)), self.scene.domain.film
        return film.exposure * (1 + wander(rng, np.arange(len(self.scene)) / FPS, film.pulse, 1.0))

    def depth(self, frame: int) -> Depth:
        """A frame's depth buffer."""
        return look(self.scene.flesh, self.scene.shapes, frame, float(self.scene.camera.focal[frame]))

    def picture(self, frame: int, seen: Depth) -> Tensor:
        """Frame ``frame`` as (3, HEIGHT, WIDTH) uint8 RGB, given its depth buffer."""
        scene, lighting = self.scene, self.scene.domain.lighting
        axes, focal = scene.camera.axes[frame], float(scene.camera.focal[frame])
        fine = shaded(seen, scene.flesh, scene.shapes, frame, (axes, focal), self.textures, lighting)
        people = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        light = people[..., :3] + (1 - people[..., 3:]) * self._behind(frame)
        light *= np.float32(self.light[frame])
        exposed = developed(light, scene.domain.film) + scene.domain.film.grain * self._grain(frame)
        return torch.from_numpy(np.asarray(np.clip(exposed, 0, 255), np.uint8)).permute(2, 0, 1).contiguous()

    def _behind(self, frame: int) -> Picture:
        """(HEIGHT, WIDTH, 3) the place with the people's shadows."""
        camera, lighting = self.scene.camera, self.scene.domain.lighting
        view = camera.position[frame], camera.axes[frame], float(camera.focal[frame])
        joints = np.stack([m.positions[frame] for m in self.scene.movements])
        lit = shadow(joints, *view, lighting)[..., None] * _ambience(lighting)
        return np.asarray(self.backdrop.seen(*view) * lit)

    @cached_property
    def _plate(self) -> Picture:
        """Noise larger than a frame: every frame takes its grain from another place of it."""
        rng = np.random.default_rng((*self.scene.seed, 2))
        return rng.standard_normal((2 * HEIGHT, 2 * WIDTH, 3), dtype=np.float32)

    def _grain(self, frame: int) -> Picture:
        rng = np.random.default_rng((*self.scene.seed, 3, frame))
        top, left = int(rng.integers(HEIGHT)), int(rng.integers(WIDTH))
        return self._plate[top : top + HEIGHT, left : left + WIDTH]


def _ambience(lighting: Lighting) -> Picture:
    """(3,) the light's colour on the place itself, whose pictures are painted as they look by their own light."""
    sky = np.array(lighting.sky, np.float32)
    return np.asarray(0.7 + 0.3 * sky / sky.mean(), np.float32)


def developed(light: Picture, film: Film) -> Picture:
    """What the sensor records of ``light`` (HEIGHT, WIDTH, 3) but for its noise: the same shape, 0 to 255."""
    if film.blur:
        light = cv2.GaussianBlur(light, (0, 0), film.blur)
    mixing = film.saturation * np.eye(3) + (1 - film.saturation) / 3
    mixing = film.contrast * np.diag(film.tint) @ mixing
    offset = np.full((3, 1), _GREY * (1 - film.contrast))
    light = cv2.transform(light, np.concatenate([mixing, offset], axis=1))
    if film.vignette:
        y, x = np.ogrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
        light *= (1 - film.vignette * 0.5 * (x * x + y * y)).astype(np.float32)[..., None]
    return np.asarray(light, np.float32)


def pictures(drawing: Drawing, watch: Callable[[int, Depth], None]) -> Iterator[Tensor]:
    """Every frame in turn; ``watch`` is shown each frame's depth buffer."""
    for frame in range(len(drawing.scene)):
        seen = drawing.depth(frame)
        watch(frame, seen)
        yield drawing.picture(frame, seen)
