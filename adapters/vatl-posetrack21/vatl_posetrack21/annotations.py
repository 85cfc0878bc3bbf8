"""One video's annotation file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np

from vatl_formats import (
    Annotations,
    Id,
    Indices,
    Mask,
    Pictures,
    Reading,
    Rows,
    Sieve,
    again,
    frame_numbers,
    images_and_annotations,
    keypoints_of,
    kinds,
    on_pictures,
    refuse_outside,
)
from vatl_posetrack21.skeleton import SKELETON

IMAGE_IDS = ("id", "frame_id", "image_id")
"""What an image's id is called, by release."""

Taken = Callable[[Rows, Indices], Mask]
"""(I,) which images are asked for, from what the file says about them and from their numbers."""


def read(path: Path, root: Path, taken: Taken, least: int, lenient: bool) -> Reading:
    """What the file says about the pictures that are asked for.

    Args:
        path: the annotation file.
        root: the folder that every ``file_name`` starts from.
        taken: which images.
        least: how many visible keypoints an instance must have.
        lenient: whether broken annotations are dropped.

    Raises:
        InputError: the file is missing, damaged or not PoseTrack's, or has something broken and is not to be lenient.
    """
    images, rows = _lists(path)
    dropped: dict[str, int] = {}
    number = frame_numbers(images)
    names = images.texts("file_name")
    refuse_outside(images, names, root, "take the published file")
    paths = [root / name for name in names]
    pictures = Pictures.of(images, paths, number, taken(images, number), Sieve.of(len(images), dropped, lenient))
    sieve = Sieve.of(len(rows), dropped, lenient)
    sieve.refuse(again(kinds(rows.ids())), "id there twice", lambda i: rows.error(i, "is there twice: correct one"))
    people = _people(*on_pictures(rows, images, pictures, sieve))
    return Reading(path, pictures, people, _with_boxes(people.rows, dropped, lenient), least)


def _lists(path: Path) -> tuple[Rows, Rows]:
    """The images, each with an ``id``, and the annotations."""
    images, annotations = images_and_annotations(path, "a PoseTrack annotation file")
    return attrs.evolve(images, objects=[row | {"id": _first(row)} for row in images.objects]), annotations


def _first(row: dict[str, object]) -> object:
    return next((row[field] for field in IMAGE_IDS if row.get(field) is not None), None)


def _people(rows: Rows, image: Indices) -> Annotations:
    keypoints, visible = keypoints_of(rows, len(SKELETON))
    boxes, _ = rows.pixel_lists("bbox", 4, "x, y, width, height")
    track: list[Id] = rows.ids("track_id")
    return Annotations(rows, list(map(str, rows.ids())), image, track, boxes, keypoints, visible)


def _with_boxes(rows: Rows, dropped: dict[str, int], lenient: bool) -> Sieve:
    sieve = Sieve.of(len(rows), dropped, lenient)
    sieve.drop(np.array([row.get("bbox") is None for row in rows.objects], dtype=np.bool_), "no box")
    return sieve
