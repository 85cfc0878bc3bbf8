"""The data set ``posetrack21``: PoseTrack21's folders as they come."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Instances, Skeleton, Video
from vatl_formats import Reading, Sigmas, sigmas_of, with_sigmas
from vatl_posetrack21 import protocol
from vatl_posetrack21.annotations import read
from vatl_posetrack21.skeleton import SKELETON


@attrs.define
class PoseTrack21(Dataset):
    """PoseTrack21 from its own ``images`` and ``posetrack_data``; PoseTrack18 from the same layout.

    As published (Taketsugu & Ukita, WACV 2024) it adapts to the densely labelled middle of 169 val videos. Videos to
    train on are taken with all their labelled frames. A person counts where the box, clipped to the picture, has an
    area and a keypoint is visible. Ignore regions are not used: whom to estimate is given by the boxes.

    Attributes:
        root: the folder with ``images`` and ``posetrack_data``.
        split: what to adapt to: ``val``, ``train_val`` or ``train``.
        videos_of: which videos of ``val``: ``paper`` for the 169 published ones, ``all``.
        frames: of the videos to adapt to: ``middle`` for those with keypoints around the video's middle,
            ``labelled`` for all with keypoints, ``all``.
        reach: ``middle`` ends this many frames from the video's middle.
        min_keypoints: how many visible keypoints an instance must have.
        skip_broken: whether to drop and count what is broken (a picture that is missing, ids that are there twice)
            instead of stopping.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; posetrack21 if None.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.
    """

    root: Path = attrs.field(converter=Path)
    split: str = attrs.field(default="val", validator=attrs.validators.in_(protocol.SPLITS))
    videos_of: str = attrs.field(default="paper", validator=attrs.validators.in_(("paper", "all")))
    frames: str = attrs.field(default="middle", validator=attrs.validators.in_(protocol.FRAMES))
    reach: int = attrs.field(default=17, validator=attrs.validators.ge(1))
    min_keypoints: int = attrs.field(default=1, validator=[attrs.validators.ge(1), attrs.validators.le(len(SKELETON))])
    skip_broken: bool = False
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    _skeleton: Skeleton = attrs.field(init=False, repr=False, eq=False)

    @_skeleton.default
    def _measured(self) -> Skeleton:
        return with_sigmas(SKELETON, self.sigmas, self.ospa_sigmas)

    def videos(self) -> list[str]:
        """Names of the split's videos to adapt to.

        Raises:
            InputError: there are none; the message says what was looked for.
        """
        names = self._names(self.split)
        if not names:
            raise InputError(self._nothing_there())
        return names

    def sources(self) -> list[str]:
        """Names of the videos of ``train`` that are not in ``train_val``; none where there is no ``train``."""
        return self._names("train")

    def splits(self) -> dict[str, list[str]]:
        """The folders of ``posetrack_data`` that are there."""
        return {split: names for split in protocol.SPLITS if (names := self._names(split))}

    def load(self, name: str) -> Video:
        """One video with its pictures.

        Raises:
            InputError: there is no such video, a picture is missing, or the annotations cannot be used.
        """
        return self._read(name).video(name, self._skeleton)

    def split_poses(self, split: str) -> Iterator[tuple[Skeleton, Instances]]:
        """A split's poses; no picture is decoded, and none need be there.

        Raises:
            InputError: there is no such split, or its annotations cannot be used.
        """
        for name in self.of_split(split):
            yield self._skeleton, self._read(name).poses()

    def missing(self, split: str | None) -> list[str]:
        """What belongs to a split, or to all of them, and is not there, a line each."""
        return [line for part in ((split,) if split else protocol.SPLITS) for line in self._missing_of(part)]

    def _missing_of(self, split: str) -> list[str]:
        folder, found = self._folder(split), self._found(split)
        if split == "train_val" and not exists(folder):
            return []  # it is not part of the data set, but some have made it
        if split in ("train", "val") and not found:
            return [f"{folder}: no annotations of split '{split}'"]
        expected = protocol.expected(split, self.videos_of)
        absent = sorted(expected - {protocol.number_of(name) for name in found})
        return [f"{folder}: {len(absent)} of {len(expected)} videos are not there: {', '.join(absent)}"] * bool(absent)

    def _read(self, name: str) -> Reading:
        split = self._split_of(name)
        frames = "labelled" if split == "train" and self.split != "train" else self.frames
        taken = partial(protocol.taken, frames=frames, reach=self.reach)
        return read(self._folder(split) / f"{name}.json", self.root, taken, self.min_keypoints, self.skip_broken)

    def _split_of(self, name: str) -> str:
        for split in dict.fromkeys((self.split, "train_val", "val", "train")):
            if name in self._names(split):
                return split
        self.videos()  # says so if it is the whole data set that is not there
        names = {video for videos in self.splits().values() for video in videos}
        near = "".join(f"did you mean '{other}'? " for other in get_close_matches(name, names, 1, cutoff=0.5))
        raise InputError(f"no video of posetrack21 is called '{name}': {near}there are {len(names)}")

    def _names(self, split: str) -> list[str]:
        names = self._found(split)
        if split == "val" and self.videos_of == "paper":
            return [name for name in names if protocol.number_of(name) in protocol.published()]
        if split == "train":
            held_out = set(self._found("train_val"))
            return [name for name in names if name not in held_out]
        return names

    def _found(self, split: str) -> list[str]:
        """Names of the annotation files of a split, sorted."""
        try:
            return sorted(path.stem for path in self._folder(split).iterdir() if path.suffix == ".json")
        except (OSError, ValueError):
            return []

    def _folder(self, split: str) -> Path:
        return self.root / "posetrack_data" / split

    def _nothing_there(self) -> str:
        folder = self._folder(self.split)
        if not exists(self.root):
            return f"{self.root} does not exist: give the folder with images and posetrack_data as the option root"
        if self._found(self.split):
            return f"{folder} has none of the published val videos: take all there are with videos_of=all"
        there = "is empty of them" if exists(folder) else "is not there"
        return f"no video annotations: looked for {folder}/*.json, which {there}: is {self.root} PoseTrack21's folder?"
