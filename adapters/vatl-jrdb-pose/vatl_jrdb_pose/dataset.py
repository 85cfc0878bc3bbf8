"""The data set ``jrdb-pose``: JRDB-Pose's folders as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.video import Instances, Skeleton, Video
from vatl_formats import Reading, Sigmas, sigmas_of, with_sigmas
from vatl_jrdb_pose.annotations import read
from vatl_jrdb_pose.folders import BOXES, PICTURES, POSES, find
from vatl_jrdb_pose.scenes import SPLITS
from vatl_jrdb_pose.skeleton import SKELETON

_SOME: Final[Any] = attrs.validators.optional(attrs.validators.ge(1))


@attrs.define
class JrdbPose(Dataset):
    """JRDB-Pose (JRDB 2022) from its stitched panoramas, its poses and its boxes.

    As published (Taketsugu & Ukita, WACV 2024) it adapts to the first 150 frames of 15 scenes and trains on those of
    10 others. A pose has the box of its track on its picture; one without is dropped. A person counts where the box,
    clipped to the picture, has an area and a keypoint is occluded or visible.

    Attributes:
        root: the folder that ``images`` and ``labels`` lie in, or ``jrdb2022`` or ``train_dataset_with_activity``.
        split: what to adapt to: ``test``, ``val``, ``train``, or ``all`` scenes that are there.
        frames: how many from the beginning of each scene; none for all.
        min_keypoints: how many keypoints of an instance must be occluded or visible.
        skip_broken: whether to drop and count what is broken (a picture that is missing, a track twice in one)
            instead of stopping.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; jrdb-pose if None.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.
    """

    root: Path = attrs.field(converter=Path)
    split: str = attrs.field(default="test", validator=attrs.validators.in_((*SPLITS, "all")))
    frames: int | None = attrs.field(default=150, validator=_SOME)
    min_keypoints: int = attrs.field(default=1, validator=[attrs.validators.ge(1), attrs.validators.le(len(SKELETON))])
    skip_broken: bool = False
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    _skeleton: Skeleton = attrs.field(init=False, repr=False, eq=False)

    @_skeleton.default
    def _measured(self) -> Skeleton:
        return with_sigmas(SKELETON, self.sigmas, self.ospa_sigmas)

    def videos(self) -> list[str]:
        """Names of the split's scenes that are there.

        Raises:
            InputError: there are none; the message says what was looked for.
        """
        there = self._there()
        names = there if self.split == "all" else self._of(self.split, there)
        if not names:
            raise InputError(
                f"{find(self.root, POSES)} has no file of a scene of split '{self.split}', such as "
                f"{SPLITS.get(self.split, SPLITS['test'])[0]}.json: take what there is with split=all"
            )
        return names

    def sources(self) -> list[str]:
        """Names of the training scenes that are there."""
        return self._of("train", self._there())

    def splits(self) -> dict[str, list[str]]:
        """The published splits, as far as their scenes are there; with ``split=all``, those that are in none, too."""
        there = self._there()
        found = {split: self._of(split, there) for split in SPLITS}
        if self.split == "all":
            found["other"] = [scene for scene in there if not any(scene in scenes for scenes in SPLITS.values())]
        return {split: scenes for split, scenes in found.items() if scenes}

    def load(self, name: str) -> Video:
        """One scene with its pictures.

        Raises:
            InputError: there is no such scene, a picture is missing, or the annotations cannot be used.
        """
        return self._read(name, find(self.root, PICTURES)).video(name, self._skeleton)

    def split_poses(self, split: str) -> Iterator[tuple[Skeleton, Instances]]:
        """A split's poses; no picture is decoded, and none need be there.

        Raises:
            InputError: there is no such split, or its annotations cannot be used.
        """
        pictures = find(self.root, PICTURES, needed=False)
        for name in self.of_split(split):
            yield self._skeleton, self._read(name, pictures).poses()

    def missing(self, split: str | None) -> list[str]:
        """What belongs to a split, or to all of them, and is not there, a line each."""
        poses, there = find(self.root, POSES), self._there()
        lines = []
        for name in (split,) if split else SPLITS:
            scenes = SPLITS.get(name, ())
            absent = [scene for scene in scenes if scene not in there]
            if absent:
                which = f"{len(absent)} of {len(scenes)} scenes of split '{name}'"
                lines.append(f"{poses}: {which} are not there: {', '.join(absent)}")
        return lines

    def _read(self, name: str, pictures: Path) -> Reading:
        there = self._there()
        if name not in there:
            raise unknown("scene of jrdb-pose", name, there)
        poses, boxes = (find(self.root, folder) / f"{name}.json" for folder in (POSES, BOXES))
        return read(poses, boxes, pictures, self.frames, self.min_keypoints, self.skip_broken)

    def _of(self, split: str, there: list[str]) -> list[str]:
        return [scene for scene in SPLITS[split] if scene in there]

    def _there(self) -> list[str]:
        """Names of the scenes with a pose file, sorted."""
        return sorted(path.stem for path in find(self.root, POSES).iterdir() if path.suffix == ".json")
