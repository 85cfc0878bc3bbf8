"""One scene's poses, from the pose file, with its boxes, from the box file."""

from __future__ import annotations

import reprlib
from collections import Counter
from pathlib import Path

import attrs
import numpy as np

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_formats import (
    Annotations,
    Indices,
    Numbers,
    Pictures,
    Reading,
    Rows,
    Sieve,
    frame_numbers,
    images_and_annotations,
    keypoints_of,
    on_pictures,
    read_json,
    refuse_outside,
)
from vatl_jrdb_pose.skeleton import SKELETON


def read(poses: Path, boxes: Path, pictures: Path, first: int | None, least: int, lenient: bool) -> Reading:
    """What the files say about a scene's first frames.

    Args:
        poses: the pose file.
        boxes: the box file.
        pictures: the folder with the scenes' folders of pictures.
        first: pictures are taken whose number is below it; all if None.
        least: how many visible keypoints an instance must have.
        lenient: whether broken annotations are dropped.

    Raises:
        InputError: a file is missing, damaged or not JRDB's, or has something broken and is not to be lenient.
    """
    images, rows = images_and_annotations(poses, "a JRDB pose file")
    dropped: dict[str, int] = {}
    number = frame_numbers(images)
    names = [str(Path(*Path(name).parts[-2:])) for name in images.texts("file_name")]
    refuse_outside(images, names, pictures, "take the published file")
    paths = [pictures / name for name in names]
    taken = number < (np.iinfo(np.int64).max if first is None else first)
    shown = Pictures.of(images, paths, number, taken, Sieve.of(len(images), dropped, lenient))
    rows, image = on_pictures(rows, images, shown, Sieve.of(len(rows), dropped, lenient))
    sieve = Sieve.of(len(rows), dropped, lenient)
    return Reading(poses, shown, _people(rows, image, shown, _labels(boxes), sieve), sieve, least)


@attrs.frozen
class Boxes:
    """The boxes on one picture, by track.

    Attributes:
        of: (4,) x, y, w, h in pixels.
        twice: tracks that have several.
    """

    of: dict[str, Numbers]
    twice: frozenset[str]

    @classmethod
    def in_labels(cls, labels: Rows) -> Boxes:
        """Those that a list of labels gives."""
        names = [label.get("label_id") for label in labels.objects]
        for position, name in enumerate(names):
            if not isinstance(name, str | int):
                raise labels.error(position, f"has label_id {reprlib.repr(name)}: it must be a text")
        tracks = [track_of(name) for name in names]
        numbers, given = labels.pixel_lists("box", 4, "x, y, width, height")
        of = {track: box for track, box, there in zip(tracks, numbers, given, strict=True) if there}
        return cls(of, frozenset(track for track, count in Counter(tracks).items() if count > 1))


def track_of(label: object) -> str:
    """The track that a ``track_id`` or ``label_id`` names: 3 of 3, "3" and "pedestrian:3"."""
    return str(label).rpartition(":")[2].strip()


def _labels(path: Path) -> dict[str, Rows]:
    """The labels by picture, ``000041.jpg``."""
    if not exists(path):
        raise InputError(f"{path}, the boxes of the scene, is not there: is the data set complete?")
    content = read_json(path, "a JRDB box file")
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, dict):
        raise InputError(f"{path}: a JRDB box file has an object labels with a list of boxes for each picture")
    return {name: Rows.listed(path, f"labels of {name}", boxes, f"{name}: label") for name, boxes in labels.items()}


def _people(rows: Rows, image: Indices, pictures: Pictures, labels: dict[str, Rows], sieve: Sieve) -> Annotations:
    """The poses, each with the box of its track on its picture; those without are dropped."""
    names = [path.name for path in pictures.paths]
    boxes = {i: Boxes.in_labels(labels[names[i]]) for i in np.unique(image).tolist() if names[i] in labels}
    keys = list(zip(image.tolist(), map(track_of, rows.ids("track_id")), strict=True))

    def error(position: int) -> InputError:
        picture, track = keys[position]
        return rows.error(position, f"has several boxes on {names[picture]}: the label file gives track {track} twice")

    twice = [i in boxes and track in boxes[i].twice for i, track in keys]
    sieve.refuse(np.array(twice, dtype=np.bool_), "several boxes in the label file", error)
    found = [boxes[i].of.get(track) if i in boxes else None for i, track in keys]
    sieve.drop(np.array([box is None for box in found], dtype=np.bool_), "no box in the label file")
    placed = np.array([np.zeros(4) if box is None else box for box in found], dtype=np.float64).reshape(-1, 4)
    ids = [f"{Path(names[i]).stem}:{track}" for i, track in keys]
    keypoints, visible = keypoints_of(rows, len(SKELETON))
    return Annotations(rows, ids, image, [track for _, track in keys], placed, keypoints, visible)
