"""The data set ``coco``: videos and picture sets annotated in COCO's keypoint format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from vatl_coco.annotated import Annotated
from vatl_coco.by_hand import PREDICTED
from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.video import Instances, Skeleton, Video
from vatl_formats import Sigmas, extent_of, sigmas_of, without_broken


@attrs.define
class Coco(Dataset):
    """COCO keypoints files over picture files or a video file: one to adapt to, others to train a source on.

    One file is one video, unless its images' ``video_id`` tells several apart; then their names come from its list
    ``videos``. An annotation's ``track_id``, which may stand among its ``attributes``, says which individual it is; one
    without is a track of its own. An image's ``frame_index`` is its frame in the video file and its place in time;
    where none has one, its position among the images is, or among picture files the number in its name. Boxes are kept
    as they are given; one that is missing is laid around the annotated keypoints, 15 % of their larger extent beyond
    them on each side. An instance without a list of keypoints stays: it can be estimated, and its truth is not known;
    where the list marks all as not annotated, it is known that nothing is visible. In a file in which no keypoint at
    all is annotated no truth is known. Crowds, other categories than the first with keypoints, boxes without area,
    boxes outside of the picture and, without a track, what is there twice are dropped and counted.

    Annotations may say who made them: ``labelled`` yes or no, an ``annotator``, or the ``score`` or ``keypoint_scores``
    of a prediction, beside which what says nothing is by hand. Then those by hand are labels that a run starts with. A
    prediction of whom somebody labelled on the same picture is dropped and counted.

    Of ``train`` and ``val``, such as the published person_keypoints_train2017 and val2017, only what one can train on
    is kept: annotated keypoints, an area, and a box, which ends where the picture ends.

    Attributes:
        annotations: the JSON file of what to adapt to; may be left out where there is one to train on.
        frames: its video file, or the folder that every ``file_name`` starts from; the annotations' folder if None.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; None for coco where the keypoints are the usual 17 of a person, else 0.05 each.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.
        flip_pairs: keypoints that are each other's mirror image, LEFT:RIGHT each; None for those that the file's
            category says as ``flip_pairs``, or else the keypoints' names.
        name: what the video to adapt to is called where the file holds one; the annotations' folder and file name if
            None.
        extent: pixels that a side of a box laid around keypoints has at least, also in place of a given box without
            area; needed where there is one keypoint. None for boxes as they are.
        train: the JSON file to train a source estimator on.
        train_frames: its pictures, as ``frames``.
        val: the JSON file to validate the source estimator on.
        val_frames: its pictures, as ``frames``.
        skip_broken: whether to leave out, and count, who is on frames that cannot be read; every frame is looked at.
        outside: whether a ``file_name`` may lead out of the folder that it starts from (``..``, absolute paths).
        predicted: what becomes of predictions beside labels by hand: ``boxes``, they are estimated and have no truth;
            ``truth``, they count as true; ``none``, they are dropped. In a file of them alone they are the truth.
    """

    annotations: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    frames: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    flip_pairs: tuple[str, ...] | None = None
    name: str | None = None
    extent: float | None = attrs.field(converter=extent_of, default=None)
    train: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    train_frames: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    val: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    val_frames: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    outside: bool = False
    skip_broken: bool = False
    predicted: str = attrs.field(default=PREDICTED[0], validator=attrs.validators.in_(PREDICTED))
    _parts: dict[str, Annotated] = attrs.field(init=False, repr=False, eq=False)

    @_parts.default
    def _annotated(self) -> dict[str, Annotated]:
        """The files that are given, by split; that to adapt to first, so that the others are read only if need be."""
        parts = {}
        options: dict[str, Any] = {"sigmas": self.sigmas, "ospa_sigmas": self.ospa_sigmas}
        options |= {"flip_pairs": self.flip_pairs, "extent": self.extent}
        options |= {"outside": self.outside, "predicted": self.predicted}
        if self.annotations is not None:
            parts["test"] = Annotated(self.annotations, self.frames, "frames", name=self.name, **options)
        for split, path, frames in (("train", self.train, self.train_frames), ("val", self.val, self.val_frames)):
            if path is not None:
                where = path, frames, f"{split}_frames"
                parts[split] = Annotated(*where, training=True, prefix=f"{split}-", **options)
        if not parts:
            raise InputError(
                "data set 'coco' has no file: give -o dataset.annotations=… to adapt to it, or -o dataset.train=… to "
                "train on it"
            )
        return parts

    def videos(self) -> list[str]:
        return self._names("test")

    def sources(self) -> list[str]:
        return self._names("train")

    def splits(self) -> dict[str, list[str]]:
        return {split: self._names(split) for split in ("train", "val", "test") if split in self._parts}

    def load(self, name: str) -> Video:
        for part in self._parts.values():
            if name in part.videos():
                video = part.load(name)
                return without_broken(video) if self.skip_broken else video
        raise unknown("video", name, [name for names in self.splits().values() for name in names])

    def split_poses(self, split: str) -> Iterator[tuple[Skeleton, Instances]]:
        for name in self.of_split(split):
            yield self._parts[split].poses(name)

    def _names(self, split: str) -> list[str]:
        return list(self._parts[split].videos()) if split in self._parts else []
