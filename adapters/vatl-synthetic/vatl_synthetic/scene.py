"""A video before it is drawn: who does what where, and which camera looks on."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import attrs
import numpy as np

from vatl_synthetic.anatomy import JOINT
from vatl_synthetic.body import face_points
from vatl_synthetic.camera import Camera, film
from vatl_synthetic.domains import Domain
from vatl_synthetic.flesh import Flesh, Shapes, flesh_of, shapes
from vatl_synthetic.movement import Manner, Movement, move
from vatl_synthetic.people import Person, somebody
from vatl_synthetic.rotations import Array


@attrs.frozen
class Scene:
    """T frames of a domain.

    Attributes:
        domain: whose looks it has.
        seed: what the scenery and the sensor's noise are made from.
        people: who is in it.
        movements: what each of them does.
        camera: who looks on.
        flesh, shapes: everybody's parts and where they are.
    """

    domain: Domain
    seed: tuple[int, ...]
    people: Sequence[Person]
    movements: Sequence[Movement]
    camera: Camera
    flesh: Flesh
    shapes: Shapes

    def __len__(self) -> int:
        return len(self.camera.focal)

    def keypoints(self) -> Array:
        """(T, people, 17, 3) metres in the world."""
        return np.stack([_keypoints(movement) for movement in self.movements], axis=1)


def compose(domain: Domain, name: str, seed: int, people: int, frames: int) -> Scene:
    """The scene of this name: the same for the same arguments."""
    seeds = (seed, zlib.crc32(name.encode()))
    rng = np.random.default_rng((*seeds, 0))
    cast = [somebody(rng, domain.wardrobe) for _ in range(people)]
    spots = _spots(rng, domain, people)
    movements = [
        move(np.random.default_rng((*seeds, 1, who)), person.proportions, _manner(rng, domain, spots[who]), frames)
        for who, person in enumerate(cast)
    ]
    middle = np.mean([m.positions[:, JOINT["pelvis"]][:, [0, 2]] for m in movements], axis=0)
    camera = film(np.random.default_rng((*seeds, 2)), domain.filmed(rng), middle)
    flesh = flesh_of([(person.proportions, person.body) for person in cast])
    return Scene(domain, (*seeds, 3), cast, movements, camera, flesh, shapes(flesh, movements, camera))


def _spots(rng: np.random.Generator, domain: Domain, people: int) -> Array:
    """(people, 2) metres: side by side, some nearer than others, in no order."""
    beside = (np.arange(people) - (people - 1) / 2) * domain.spread + rng.uniform(-0.12, 0.12, people)
    behind = rng.permutation(np.linspace(-0.65, 0.55, people)) if people > 1 else np.zeros(1)
    return np.stack([beside, behind], axis=1)


def _manner(rng: np.random.Generator, domain: Domain, spot: Array) -> Manner:
    acts = rng.choice(domain.motions, domain.acts, replace=False)
    return Manner(
        motions=tuple(str(act) for act in acts),
        speed=rng.uniform(*domain.speed),
        amplitude=rng.uniform(*domain.amplitude),
        yaw=rng.uniform(-domain.yaw, domain.yaw),
        spot=(float(spot[0]), float(spot[1])),
    )


def _keypoints(movement: Movement) -> Array:
    """(T, 17, 3) metres: the face's points on the skull, then the joints from the shoulders on."""
    head = JOINT["head"]
    turned = np.einsum("tij,kj->tki", movement.orientations[:, head], face_points(movement.proportions))
    face = movement.positions[:, head, None] + turned
    return np.concatenate([face, movement.positions[:, JOINT["left_shoulder"] :]], axis=1)
