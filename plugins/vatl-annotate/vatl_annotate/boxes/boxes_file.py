"""The file of boxes: COCO's JSON over the frames of a video, with marks from which drawing goes on.

``drawn`` marks key frames: the others follow from them. ``leaves`` marks a key frame after which the individual is out
of the picture. Who does not know the marks reads boxes with tracks as anybody writes them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from vatl_annotate.boxes.category import category_of
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.linking import linked
from vatl_annotate.boxes.tracks import Box, Key, Track, keys_of, rounded
from vatl_core.errors import InputError
from vatl_core.files import write_whole
from vatl_formats import (
    Rows,
    Sieve,
    again,
    by_position,
    clipped,
    described,
    numbered,
    of_another,
    read_json,
    skeleton_of,
    with_tracks,
)
from vatl_frames import PictureFiles

ABOUT: Final = "boxes drawn by hand (vatl annotate)"
MOST: Final = 1_000_000
"""Tracks are numbered below, so that ids stay numbers that every program can hold."""


@attrs.frozen
class BoxesFile:
    """What a file of boxes holds.

    Attributes:
        tracks: one at least per individual, in order of their numbers.
        category: the first; None where it has no keypoints.
        dropped: why and how many annotations were left out.
        own: whether it was written here.
    """

    tracks: tuple[Track, ...]
    category: dict[str, Any] | None
    dropped: dict[str, int]
    own: bool


def write_boxes(path: Path, tracks: Iterable[Track], category: dict[str, Any], footage: Footage) -> None:
    """Write all boxes, whole or not at all.

    A box's id follows from its track and frame alone, so that it keeps it whatever happens to others.
    """
    boxes = sorted((frame, track.number, box) for track in tracks for frame, box in track.boxes().items())
    keys = {(key.frame, track.number): key for track in tracks for key in track.keys}
    frames = dict.fromkeys(frame for frame, _, _ in boxes)
    content = {
        "info": {"description": ABOUT},
        "images": [_image(frame, footage) for frame in frames],
        "annotations": [
            {
                "id": number * len(footage) + frame,
                "image_id": frame,
                "track_id": number,
                "category_id": category["id"],
                "bbox": list(box),
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
                **_marks(keys.get((frame, number))),
            }
            for frame, number, box in boxes
        ],
        "categories": [category],
    }
    write_whole(path, json.dumps(content))


def _image(frame: int, footage: Footage) -> dict[str, Any]:
    """A picture's place among those of its folder is no time, which its name may tell."""
    width, height = footage.size_of(frame)
    told = {} if isinstance(footage.frames, PictureFiles) else {"frame_index": frame}
    return {"id": frame, **told, "file_name": footage.frames.name(frame), "width": width, "height": height}


def _marks(key: Key | None) -> dict[str, bool]:
    return {} if key is None else {"drawn": True, **({"leaves": True} if key.leaves else {})}


def read_boxes(path: Path, footage: Footage) -> BoxesFile:
    """Read boxes of a video from whoever wrote them.

    Those of other categories than the first, crowds and what has no box are left out and counted. Boxes without any
    track are linked from frame to frame.

    Raises:
        InputError: it cannot be read or has other contents, an image is no frame of the video, or a track is twice in
            a frame.
    """
    content = read_json(path, "a COCO file with boxes", ("segmentation",))
    if not isinstance(content, dict) or not all(isinstance(content.get(f), list) for f in ("images", "annotations")):
        raise InputError(f"{path}: boxes are an object with the lists images and annotations, as in COCO's files")
    images, annotations = (Rows.listed(path, field, content[field]) for field in ("images", "annotations"))
    categories = Rows.listed(path, "categories", content.get("categories"), "category")
    dropped: dict[str, int] = {}
    rows = _usable(annotations, categories, dropped)
    rows, frames, boxes = _inside(rows, _frames(rows, images, footage), footage, dropped)
    numbers = _track_numbers(rows, frames, boxes)
    posed = len(categories) and categories.objects[described(categories)].get("keypoints")
    info = content.get("info")
    own = isinstance(info, dict) and info.get("description") == ABOUT
    category = category_of(skeleton_of(categories, dropped=dropped)) if posed else None
    return BoxesFile(_tracks(rows, frames, boxes, numbers, own), category, dropped, own)


def _usable(annotations: Rows, categories: Rows, dropped: dict[str, int]) -> Rows:
    sieve = Sieve.of(len(annotations), dropped)
    if len(categories):
        sieve.drop(*of_another(annotations, categories))
    sieve.drop(annotations.flags("iscrowd"), "marked as a crowd")
    sieve.drop(_mask(row.get("bbox") in (None, []) for row in annotations.objects), "without a box")
    return with_tracks(annotations.take(sieve.left))


def _frames(rows: Rows, images: Rows, footage: Footage) -> list[int]:
    """The frame of each annotation: its image's picture, else its ``frame_index``, else the image's position."""
    frame_of = dict(zip(map(str, images.unique_ids()), _image_frames(images, footage), strict=True))
    frames = []
    for position, image in enumerate(rows.ids("image_id")):
        if str(image) not in frame_of:
            raise rows.error(position, f"is on image {image!r}, which is not among images: add it")
        frames.append(frame_of[str(image)])
    return frames


def _image_frames(images: Rows, footage: Footage) -> list[int]:
    files = footage.frames.paths if isinstance(footage.frames, PictureFiles) else []
    place = {file.name: frame for frame, file in enumerate(files)}
    named = [place.get(Path(str(row.get("file_name") or "")).name) for row in images.objects]
    given = images.whole_numbers_or_none("frame_index")
    columns = [column for column in (named, given) if any(v is not None for v in column)]
    told = columns[0] if columns else by_position(images)
    frames = []
    for position, frame in enumerate(told):
        if frame is None:
            raise images.error(position, f"does not tell which frame of {footage.path} it is, while others do")
        if frame >= len(footage):
            said = f"is frame {frame}, but {footage.path} has {len(footage)} frames, counted from 0"
            raise images.error(position, f"{said}: are these its boxes?")
        frames.append(frame)
    return frames


def _inside(
    rows: Rows, frames: Sequence[int], footage: Footage, dropped: dict[str, int]
) -> tuple[Rows, list[int], list[Box]]:
    """What is left of each box within its picture, in the decimals that are written, and whose."""
    xywh, _ = rows.pixel_lists("bbox", 4, "x, y, width, height")
    left = [clipped(box[None], *footage.size_of(f))[0].tolist() for box, f in zip(xywh, frames, strict=True)]
    boxes = [rounded((x, y, width, height)) for x, y, width, height in left]
    sieve = Sieve.of(len(rows), dropped)
    sieve.drop(_mask(min(box[2:]) <= 0 for box in boxes), "without an area in the picture")
    kept = sieve.left.tolist()
    return rows.take(kept), [frames[i] for i in kept], [boxes[i] for i in kept]


def _track_numbers(rows: Rows, frames: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    """The number of each annotation's track, its own where all have numbers from 0 on that are not too large."""
    given = [None if track == -1 else track for track in rows.ids_or_none("track_id")]
    if all(track is None for track in given):
        return linked(frames, boxes)
    numbers = numbered(track for track in given if track is not None)
    if min(numbers.values()) < 0 or max(numbers.values()) >= MOST:
        numbers = {track: i for i, track in enumerate(numbers)}
    free = max(numbers.values()) + 1
    found = [free + i if track is None else numbers[track] for i, track in enumerate(given)]
    twice = np.flatnonzero(again(np.array(frames), np.array(found)))
    if len(twice):
        position = int(twice[0])
        said = f"is of track {given[position]!r} on frame {frames[position]}, as is another"
        raise rows.error(position, f"{said}: a track is in a frame once, correct one of them")
    return found


def _tracks(
    rows: Rows, frames: Sequence[int], boxes: Sequence[Box], numbers: Sequence[int], own: bool
) -> tuple[Track, ...]:
    """Tracks of whatever origin; those that were not drawn here are known to end where they end."""
    drawn, leaves = rows.flags("drawn"), rows.flags("leaves")
    members: dict[int, list[int]] = defaultdict(list)
    for row, number in enumerate(numbers):
        members[number].append(row)
    tracks = []
    for number, of in sorted(members.items()):
        track = {frames[i]: boxes[i] for i in of}
        ends = {frames[i] for i in of if leaves[i]} | (set() if own else {max(track)})
        tracks.append(Track(number, keys_of(track, {frames[i] for i in of if drawn[i]}, ends)))
    return tuple(tracks)


def _mask(values: Iterable[bool]) -> Any:
    return np.array(list(values), dtype=np.bool_)
