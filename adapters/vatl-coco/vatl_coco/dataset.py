"""The data set ``coco``: videos annotated in COCO's keypoint format."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import attrs

from vatl_coco.annotations import instances_of
from vatl_coco.category import skeleton_of
from vatl_coco.document import Document, read_document
from vatl_coco.pictures import open_pictures
from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.frames import exists
from vatl_core.video import Video


def _sigmas(values: Iterable[float] | None) -> tuple[float, ...] | None:
    sigmas = None if values is None else tuple(values)
    if sigmas is not None and not all(math.isfinite(value) and value > 0 for value in sigmas):
        raise InputError(f"sigmas are {sigmas}: give one positive number for each keypoint")
    return sigmas


@attrs.define
class Coco(Dataset):
    """A COCO keypoints file over picture files or a video file.

    One file is one video, unless its images' ``video_id`` tells several apart; then their names come from its list
    ``videos``. An annotation's ``track_id`` says which individual it is; one without is a track of its own. An
    image's ``frame_index`` is its frame in the video file and its place in time; where none has one, its position
    among the images is. Boxes are kept as they are given; one that is missing is laid around the annotated
    keypoints, 15 % of their extent beyond them on each side. An instance without keypoints, or with none annotated,
    stays: it can be estimated. Crowds, other categories than the first, boxes without area and boxes outside of
    the picture are dropped and counted.

    Attributes:
        annotations: the JSON file.
        frames: the video file, or the folder that every ``file_name`` starts from; the annotations' folder if None.
        sigmas: K OKS constants, as a fraction of the instance's size; None for a person's where the keypoints are
            the usual 17 of a person, else 0.05 each.
        name: what the video is called where the file holds one; the annotations' folder and file name if None.
    """

    annotations: Path = attrs.field(converter=Path)
    frames: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    sigmas: tuple[float, ...] | None = attrs.field(converter=_sigmas, default=None)
    name: str | None = None
    _document: Document | None = attrs.field(init=False, default=None, repr=False, eq=False)

    def videos(self) -> list[str]:
        self._document = self._document or read_document(self.annotations)
        return list(self._document.video_ids()) or [self._only_name()]

    def load(self, name: str) -> Video:
        document = self._part(name)
        skeleton = skeleton_of(document.categories, self.sigmas)
        pictures = open_pictures(document.images, self._source())
        instances, dropped = instances_of(document, skeleton, pictures)
        return Video(name, skeleton, pictures.frames, instances, dropped)

    def _part(self, name: str) -> Document:
        """What the file says about one video. It is then forgotten: as columns it takes a tenth of the memory."""
        names, document = self.videos(), self._document
        assert document is not None
        if name not in names:
            raise unknown("video", name, names)
        self._document = None
        ids = document.video_ids()
        return document.of_video(ids[name]) if ids else document

    def _only_name(self) -> str:
        folder = self.annotations.absolute().parent.name
        return self.name or "-".join(part for part in (folder, self.annotations.stem) if part)

    def _source(self) -> Path:
        if self.frames is None:
            return self.annotations.parent
        if not exists(self.frames):
            raise InputError(f"{self.frames} is neither a folder nor a video file: correct the option frames")
        return self.frames
