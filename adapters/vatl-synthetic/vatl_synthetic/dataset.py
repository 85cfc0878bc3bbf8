"""The data set ``synthetic``: people made from a seed, rendered once, then read like any other video."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.video import PERSON_17, Instances, Skeleton, Video
from vatl_drawing import write_video
from vatl_formats import Sigmas, sigmas_of, with_sigmas
from vatl_synthetic.domains import SOURCE, TARGETS
from vatl_synthetic.movement import FPS
from vatl_synthetic.picture import Drawing, pictures
from vatl_synthetic.scene import Scene, compose
from vatl_synthetic.shelf import Shelf, writable
from vatl_synthetic.truth import Witness

GENERATOR_VERSION: Final = 2
"""Counts changes of the pictures or the poses; cached videos of another version are not used."""
SOURCE_PEOPLE: Final = 2
HELD_OUT: Final = 4
"""Videos of the source domain that nothing trains on."""


def _between(low: int, high: int) -> Any:
    """A validator: a whole number from ``low`` to ``high``."""

    def check(_: object, attribute: attrs.Attribute[int], value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"synthetic: {attribute.name} = {value!r}: give a whole number from {low} to {high}")

    return check


def _default_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("vatl")) / "synthetic"


@attrs.define
class Synthetic(Dataset):
    """Videos of articulated people, made from a seed: 320 x 240 pixels, 25 frames a second.

    The source videos show upright people by daylight; the videos to adapt to differ from them, and from each other,
    in looks, light, camera and motion.

    Attributes:
        seed: another one gives other people, clothes and motions in the same places.
        frames: length of the videos to adapt to.
        people: how many are in each of them.
        source_videos: how many videos there are to train a source estimator on.
        source_frames: length of the source videos.
        cache: folder for the rendered videos; by default the user's cache folder.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; coco if None.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.

    Raises:
        ValueError: an option is no number, or out of its range.
    """

    seed: int = attrs.field(default=0, validator=_between(0, 2**32 - 1))
    frames: int = attrs.field(default=72, validator=_between(2, 10_000))
    people: int = attrs.field(default=3, validator=_between(1, 6))
    source_videos: int = attrs.field(default=24, validator=_between(0, 1000))
    source_frames: int = attrs.field(default=32, validator=_between(2, 10_000))
    cache: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    _skeleton: Skeleton = attrs.field(init=False, repr=False, eq=False)

    @_skeleton.default
    def _measured(self) -> Skeleton:
        return with_sigmas(PERSON_17, self.sigmas, self.ospa_sigmas)

    def videos(self) -> list[str]:
        """Names of the videos to adapt to."""
        return list(TARGETS)

    def sources(self) -> list[str]:
        """Names of the videos to train on."""
        return [f"source-{number:02d}" for number in range(self.source_videos)]

    def held_out(self) -> list[str]:
        """Names of videos of the source domain that are not trained on: how well an estimator did learn it."""
        return [f"source-val-{number:02d}" for number in range(HELD_OUT)]

    def load(self, name: str) -> Video:
        """One video, rendered if it is not in the cache.

        Raises:
            InputError: there is no such video.
        """
        shelf, found = self._shelved(name)
        return Video(name, self._skeleton, shelf.frames(), found)

    def poses(self, name: str) -> Instances:
        """One video's instances with their truth; no picture is decoded.

        Raises:
            InputError: there is no such video.
        """
        return self._shelved(name)[1]

    def splits(self) -> dict[str, list[str]]:
        """``train`` and ``val`` show the source domain, ``test`` the videos to adapt to."""
        named = {"train": self.sources(), "val": self.held_out(), "test": self.videos()}
        return {split: names for split, names in named.items() if names}

    def split_poses(self, split: str) -> Iterator[tuple[Skeleton, Instances]]:
        """A split's poses, from their geometry: nothing is drawn for it, so nobody hides anybody."""
        for name in self.of_split(split):
            yield self._skeleton, Witness(self.scene(name)).unhindered()

    def weights(self, estimator: str) -> Path | None:
        """Weights of an estimator trained on the source videos, if they ship with the package."""
        path = Path(__file__).parent / "weights" / f"{estimator}.safetensors"
        return path if path.is_file() else None

    def scene(self, name: str) -> Scene:
        """What a video shows, before it is drawn.

        Raises:
            InputError: there is no such video.
        """
        return compose(TARGETS.get(name, SOURCE), name, **self._made_from(name))

    def _made_from(self, name: str) -> dict[str, int]:
        if name in TARGETS:
            return {"seed": self.seed, "people": self.people, "frames": self.frames}
        if name in self.sources() or name in self.held_out():
            return {"seed": self.seed, "people": SOURCE_PEOPLE, "frames": self.source_frames}
        raise unknown("synthetic video", name, [*self.videos(), *self.sources(), *self.held_out()])

    def _shelved(self, name: str) -> tuple[Shelf, Instances]:
        key = json.dumps([GENERATOR_VERSION, name, self._made_from(name)], sort_keys=True)
        folder = f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        shelf = Shelf(writable(self.cache or _default_cache()) / folder)
        if (found := shelf.read()) is None:
            shelf.fill(lambda path: render(self.scene(name), path))
            found = shelf.read()
        if found is None:
            raise InputError(f"{shelf.folder} cannot be kept: delete it, or give another folder as synthetic.cache")
        return shelf, found


def render(scene: Scene, path: Path) -> Instances:
    """Draw a scene into a video file.

    Returns:
        its instances; what hides what is seen while drawing.
    """
    witness = Witness(scene)
    write_video(path, pictures(Drawing(scene), witness.note), FPS, repeatable=True)
    return witness.instances()
