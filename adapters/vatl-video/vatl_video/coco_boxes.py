"""Boxes in COCO's JSON format: read from whoever wrote them, and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from vatl_core.errors import InputError
from vatl_core.video import Skeleton
from vatl_formats import (
    Indices,
    Mask,
    Numbers,
    Rows,
    Sieve,
    again,
    by_position,
    described,
    numbered,
    of_another,
    read_json,
    skeleton_of,
    with_tracks,
)
from vatl_video.boxes import Boxes
from vatl_video.footage import Footage

UNREAD: Final = ("segmentation", "coco_url", "flickr_url", "date_captured", "license")
KEYPOINTS: Final = "only their keypoints: they are no truth here, the data set `coco` takes them; their boxes are used"


@attrs.frozen
class CocoBoxes:
    """What a file of boxes holds.

    Attributes:
        path: the file.
        boxes: on frames of the video.
        skeleton: the first category's; None where it describes none.
        dropped: why and how many annotations were left out.
    """

    path: Path
    boxes: Boxes
    skeleton: Skeleton | None
    dropped: dict[str, int]


def read_coco_boxes(path: Path, footage: Footage) -> CocoBoxes:
    """Read the boxes of a file's first category; crowds and annotations without a box are dropped and counted.

    Raises:
        InputError: it cannot be read or has other contents, an image is no frame of the video, an annotation is on no
            image, or a track is twice in a frame.
    """
    content = read_json(path, "a COCO file with boxes", UNREAD)
    images, annotations, categories = _lists(path, content)
    dropped = _counted(content)
    frames = _frames(images, footage)
    rows = _of_category(annotations, categories, dropped)
    frame = _on(rows, images, frames)
    xywh, _ = rows.pixel_lists("bbox", 4, "x, y, width, height")
    track = _tracks(rows)
    _refuse_twice(rows, frame, track)
    return CocoBoxes(
        path,
        Boxes(frame, track, xywh, _scores(rows), list(map(str, rows.unique_ids()))),
        _skeleton(categories, dropped),
        dropped,
    )


def write_coco_boxes(path: Path, boxes: Boxes, category: str, about: str, dropped: dict[str, int]) -> None:
    """Write boxes so that :func:`read_coco_boxes` reads the same; pixels to a hundredth.

    Args:
        path: where.
        boxes: each with a track.
        category: what is in them.
        about: how they came about.
        dropped: what was left out before, by reason.
    """
    images = [{"id": frame, "frame_index": frame} for frame in np.unique(boxes.frame).tolist()]
    columns = zip(
        boxes.ids,
        boxes.frame.tolist(),
        boxes.track.tolist(),
        boxes.xywh.tolist(),
        boxes.score.tolist(),
        strict=True,
    )
    annotations = [
        {
            "id": name,
            "image_id": frame,
            "category_id": 1,
            "track_id": track,
            "bbox": [round(value, 2) for value in xywh],
            "score": round(score, 4),
        }
        for name, frame, track, xywh, score in columns
    ]
    content = {
        "info": {"description": about, "dropped": dropped},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": category}],
    }
    path.write_text(json.dumps(content), "utf-8")


def read_skeleton(path: Path, dropped: dict[str, int] | None = None) -> Skeleton:
    """The skeleton of the first category with keypoints of a COCO file, with or without images, or of a lone category.

    Args:
        path: the file.
        dropped: where to count edges that are left out; a warning if None.

    Raises:
        InputError: it cannot be read, or describes no skeleton.
    """
    content = read_json(path, "a COCO category with keypoints", UNREAD)
    lone = isinstance(content, dict) and "keypoints" in content
    categories = [content] if lone else content.get("categories") if isinstance(content, dict) else None
    rows = Rows.listed(path, "categories", categories, "category")
    if not len(rows):
        raise InputError(f"{path} has no categories: a skeleton is the keypoints and skeleton of the first of them")
    return skeleton_of(rows, dropped=dropped)


def _lists(path: Path, content: Any) -> tuple[Rows, Rows, Rows]:
    if not isinstance(content, dict) or not all(isinstance(content.get(f), list) for f in ("images", "annotations")):
        raise InputError(f"{path}: boxes are an object with the lists images and annotations, as in COCO's files")
    images, annotations = (Rows.listed(path, field, content[field]) for field in ("images", "annotations"))
    return images, annotations, Rows.listed(path, "categories", content.get("categories"), "category")


def _counted(content: dict[str, Any]) -> dict[str, int]:
    """What whoever wrote the file left out, where it is one of ours."""
    info = content.get("info")
    dropped = info.get("dropped") if isinstance(info, dict) else None
    if not isinstance(dropped, dict) or not all(type(count) is int for count in dropped.values()):
        return {}
    return dict(dropped)


def _frames(images: Rows, footage: Footage) -> dict[str, int]:
    """The frame of each image, by its id as text: the picture of its name, else ``frame_index``, else its position."""
    ids = images.unique_ids()
    place = {file.name: i for i, file in enumerate(footage.files)} if footage.is_folder else {}
    named = [place.get(Path(str(row.get("file_name") or "")).name) for row in images.objects]
    given = images.whole_numbers_or_none("frame_index")
    if any(number is not None for number in named):
        frames = [_known(images, i, number, footage) for i, number in enumerate(named)]
    elif any(number is not None for number in given):
        frames = [_numbered(images, i, number) for i, number in enumerate(given)]
    else:
        frames = by_position(images)
    for position, frame in enumerate(frames):
        if frame >= len(footage.frames):
            said = f"is frame {frame}, but {footage.path} has {len(footage.frames)} frames, counted from 0"
            raise images.error(position, f"{said}: are these its boxes, and is it complete?")
    return dict(zip(map(str, ids), frames, strict=True))


def _known(images: Rows, position: int, frame: int | None, footage: Footage) -> int:
    if frame is None:
        name = images.objects[position].get("file_name")
        raise images.error(
            position, f"has file_name {name!r}, which is not in {footage.path}, while others are: add it"
        )
    return frame


def _numbered(images: Rows, position: int, frame: int | None) -> int:
    if frame is None:
        raise images.error(position, "has no frame_index, while others have: give it to all or to none")
    return frame


def _of_category(annotations: Rows, categories: Rows, dropped: dict[str, int]) -> Rows:
    """The annotations of single instances of the first category that have a box."""
    sieve = Sieve.of(len(annotations), dropped)
    if len(categories):
        sieve.drop(*of_another(annotations, categories))
    sieve.drop(annotations.flags("iscrowd"), "marked as a crowd")
    sieve.drop(_mask([row.get("bbox") in (None, []) for row in annotations.objects]), "without a box")
    rows = with_tracks(annotations.take(sieve.left))
    posed = sum(map(_has_keypoints, rows.objects))
    dropped |= {KEYPOINTS: posed} if posed else {}
    return rows


def _has_keypoints(row: dict[str, Any]) -> bool:
    keypoints = row.get("keypoints")
    return isinstance(keypoints, list) and any(keypoints[2::3])


def _mask(values: list[bool]) -> Mask:
    return np.array(values, dtype=np.bool_)


def _on(rows: Rows, images: Rows, frames: dict[str, int]) -> Indices:
    """(n,) the frame of each annotation."""
    on = rows.ids("image_id")
    for position, image in enumerate(on):
        if str(image) not in frames:
            raise rows.error(position, f"is on image {image!r}, which is not among images: add it")
    return np.array([frames[str(image)] for image in on], dtype=np.int64)


def _tracks(rows: Rows) -> Indices:
    """(n,) number of each annotation's track, its own where all are numbers from 0 on; −1 where it has none."""
    given = [None if track == -1 else track for track in rows.ids_or_none("track_id")]
    numbers = numbered(track for track in given if track is not None)
    if min(numbers.values(), default=0) < 0:
        numbers = {track: i for i, track in enumerate(numbers)}
    return np.array([-1 if track is None else numbers[track] for track in given], dtype=np.int64)


def _scores(rows: Rows) -> Numbers:
    given = [row.get("score") for row in rows.objects]
    for position, score in enumerate(given):
        if score is not None and not (type(score) in (int, float) and np.isfinite(score)):
            raise rows.error(position, f"has score {score!r}: it must be a number")
    return np.array([1.0 if score is None else score for score in given], dtype=np.float64)


def _refuse_twice(rows: Rows, frame: Indices, track: Indices) -> None:
    linked = np.flatnonzero(track >= 0)
    twice = linked[again(frame[linked], track[linked])] if len(linked) else linked
    if len(twice):
        position = int(twice[0])
        said = f"is of track {rows.objects[position]['track_id']!r} on frame {frame[position]}, as is another"
        raise rows.error(position, f"{said}: a track is in a frame once, correct one of them")


def _skeleton(categories: Rows, dropped: dict[str, int]) -> Skeleton | None:
    posed = len(categories) and categories.objects[described(categories)].get("keypoints")
    return skeleton_of(categories, dropped=dropped) if posed else None
