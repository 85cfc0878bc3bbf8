"""The tracks as they stand, which are on disk before anybody is told so."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from vatl_annotate.boxes.boxes_file import BoxesFile, read_boxes, write_boxes
from vatl_annotate.boxes.category import PERSON, read_category
from vatl_annotate.boxes.changes import Changes
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.tracks import Track
from vatl_annotate.submission import RefusedError
from vatl_core.errors import InputError
from vatl_core.files import whole


def beside(footage: Footage) -> Path:
    """Where the boxes of a video are looked for: ``clip.boxes.json`` beside ``clip.mp4``."""
    return footage.path.absolute().parent / f"{footage.name}.boxes.json"


@attrs.define(eq=False)
class Drawing:
    """The boxes of a video while they are drawn.

    Attributes:
        footage: the video.
        path: the file that they are written to.
        category: of what is in them.
        tracks: by number, in its order.
        foreign: whether ``path`` holds what somebody else wrote: it is kept beside before it is replaced.
        revision: the same for the same tracks, also after a restart.
    """

    footage: Footage
    path: Path
    category: dict[str, Any]
    tracks: Mapping[int, Track]
    foreign: bool = False
    revision: str = attrs.field(init=False)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    @classmethod
    def open(cls, footage: Footage, path: Path, boxes: Path | None, skeleton: Path | None) -> tuple[Drawing, BoxesFile]:
        """Take up what was drawn, or boxes from elsewhere; also what was read.

        Args:
            footage: the video.
            path: the file to write.
            boxes: a file to begin with; None for ``path`` itself, if it is there.
            skeleton: a COCO keypoints file or its category; None for what the boxes' file says, else a person's.

        Raises:
            InputError: a file cannot be read, or both ``boxes`` and ``path`` are there.
        """
        category = read_category(skeleton) if skeleton else None
        if boxes and path.exists() and not path.samefile(boxes):
            raise InputError(
                f"{path} is there already and would be lost: leave out --boxes to go on with it, or give another --out"
            )
        source = boxes or (path if path.exists() else None)
        read = read_boxes(source, footage) if source else BoxesFile((), None, {}, True)
        tracks = {track.number: track for track in read.tracks}
        drawing = cls(footage, path, category or read.category or PERSON, tracks, path.exists() and not read.own)
        if source and (not path.exists() or drawing.category != read.category):
            drawing._write(read.tracks)
        return drawing, read

    @revision.default
    def _first(self) -> str:
        return _revision(self.tracks)

    def to_json(self) -> dict[str, Any]:
        """The revision, and its tracks as the page reads them."""
        with self._lock:
            return {"revision": self.revision, "tracks": _listed(self.tracks)}

    def change(self, base: str, changes: Changes) -> str:
        """Replace tracks; they are on disk when this returns.

        Args:
            base: the revision that they were changed from.
            changes: to make; made before, they are made already.

        Returns:
            The new revision.

        Raises:
            RefusedError: somebody else changed something meanwhile, or the file cannot be written.
        """
        with self._lock:
            tracks = {number: track for number, track in {**self.tracks, **changes}.items() if track}
            tracks = dict(sorted(tracks.items()))
            if tracks == self.tracks:
                return self.revision
            if base != self.revision:
                raise RefusedError(409, "another window changed these boxes")
            try:
                self._write(tracks.values())
            except OSError as error:
                raise RefusedError(500, f"{self.path.name} cannot be written: {error.strerror or error}") from error
            self.tracks, self.revision = tracks, _revision(tracks)
            return self.revision

    def summary(self) -> dict[str, int]:
        """How much was drawn."""
        return {"tracks": len(self.tracks), "boxes": sum(len(track.boxes()) for track in self.tracks.values())}

    def _write(self, tracks: Iterable[Track]) -> None:
        if self.foreign:
            with whole(_free(self.path.with_name(f"{self.path.name}.before"))) as kept:
                shutil.copyfile(self.path, kept)
            self.foreign = False
        write_boxes(self.path, tracks, self.category, self.footage)


def _listed(tracks: Mapping[int, Track]) -> list[dict[str, Any]]:
    return [
        {"number": number, "keys": [[key.frame, *key.box, key.leaves] for key in track.keys]}
        for number, track in tracks.items()
    ]


def _revision(tracks: Mapping[int, Track]) -> str:
    return hashlib.sha256(json.dumps(_listed(tracks)).encode()).hexdigest()[:16]


def _free(path: Path) -> Path:
    """A path like this that nothing has."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
