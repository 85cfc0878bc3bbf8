"""One annotation file with its pictures: the videos in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from vatl_coco.annotations import instances_of
from vatl_coco.by_hand import PREDICTED
from vatl_coco.document import Document, read_document
from vatl_coco.pictures import Places, open_frames, places_of
from vatl_core.files import exists
from vatl_core.video import Instances, Skeleton, Video
from vatl_formats import Id, Sigmas, refuse_outside, skeleton_of, with_sigmas


@attrs.define
class Annotated:
    """A COCO keypoints file; it is read when it is first asked about.

    Attributes:
        path: the file.
        frames: the video file, or the folder that every ``file_name`` starts from; the file's folder if None.
        option: what names ``frames``, for messages.
        sigmas, ospa_sigmas, flip_pairs: as :class:`vatl_coco.dataset.Coco` has them.
        training: whether only what one can train on is kept.
        prefix: what the videos' names begin with.
        name: what the video is called where the file holds one; the file's folder and own name if None.
        outside: whether a ``file_name`` may lead out of the folder.
        extent: pixels that a side of a box around keypoints has at least; None for boxes as they are.
        predicted: what becomes of predictions, as :class:`vatl_coco.dataset.Coco` has it.
    """

    path: Path
    frames: Path | None
    option: str
    sigmas: Sigmas
    ospa_sigmas: Sigmas
    flip_pairs: Sequence[str] | None
    training: bool = False
    prefix: str = ""
    name: str | None = None
    outside: bool = False
    extent: float | None = None
    predicted: str = PREDICTED[0]
    _document: Document | None = attrs.field(init=False, default=None)
    _ids: dict[str, Id | None] | None = attrs.field(init=False, default=None)

    def videos(self) -> dict[str, Id | None]:
        """The videos by name, with their ``video_id`` where it tells several apart."""
        if self._ids is None:
            several = self._read().video_ids()
            self._ids = {self.prefix + name: video for name, video in several.items()} or {self._only_name(): None}
        return self._ids

    def load(self, name: str) -> Video:
        """One of :meth:`videos` with its pictures."""
        document = self._part(name)
        edges: dict[str, int] = {}
        skeleton = self._skeleton(document, edges)
        places = self._places(document)
        frames = open_frames(document.images, places, self._source, self.option)
        instances, dropped, by = instances_of(document, skeleton, places, self.training, self.extent, self.predicted)
        return Video(name, skeleton, frames, instances, edges | dropped, by)

    def poses(self, name: str) -> tuple[Skeleton, Instances]:
        """One of :meth:`videos` without looking at its pictures."""
        document = self._part(name)
        skeleton = self._skeleton(document, {})
        places = self._places(document)
        return skeleton, instances_of(document, skeleton, places, self.training, self.extent, self.predicted)[0]

    def _skeleton(self, document: Document, dropped: dict[str, int]) -> Skeleton:
        skeleton = skeleton_of(document.categories, self.flip_pairs, dropped)
        return with_sigmas(skeleton, self.sigmas, self.ospa_sigmas)

    def _places(self, document: Document) -> Places:
        """Where a video's images stand; what they name lies in its folder, unless that is allowed otherwise."""
        images, source = document.images, self._source
        if not self.outside and (source.is_dir() or not exists(source)):  # else it is the video, and no name is read
            way_on = f"give the folder that holds all as the option {self.option}, or allow it with outside=true"
            refuse_outside(images, images.texts("file_name"), source, way_on)
        return places_of(images, source)

    def _part(self, name: str) -> Document:
        """What the file says about one video. A file of one is then forgotten: columns take a tenth of the memory."""
        ids, document = self.videos(), self._read()
        if len(ids) == 1:
            self._document = None
        video = ids[name]
        return document if video is None else document.of_video(video)

    def _read(self) -> Document:
        self._document = self._document or read_document(self.path)
        return self._document

    def _only_name(self) -> str:
        folder = self.path.absolute().parent.name
        return self.name or self.prefix + "-".join(part for part in (folder, self.path.stem) if part)

    @property
    def _source(self) -> Path:
        return self.path.parent if self.frames is None else self.frames
