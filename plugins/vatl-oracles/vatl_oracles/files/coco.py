"""Plain COCO keypoints: for tools that read nothing else, and for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.errors import InputError
from vatl_formats import Rows, read_json
from vatl_oracles.files.layout import Layout
from vatl_oracles.files.names import listed, told_apart
from vatl_oracles.files.replies import (
    NOBODY,
    POSE,
    SKIPPED,
    Declined,
    Reply,
    box_of,
    fits_its_own,
    flaw,
    keypoint,
    on_picture,
    paired,
    posed,
    word,
)
from vatl_oracles.files.task import Box, Item, Task

_TASK: Final = "coco.json"
_STEPS: Final = f"""\
1. Open {_TASK} and the folder pictures in your tool. Each annotation is one person or animal that is asked for, with
   the estimator's keypoints to begin with.
2. Correct keypoints (x, y in pixels; v: 0 not there, 1 hidden, 2 visible) and boxes. In an annotation's attributes,
   "answer" may be "{POSE}", "{NOBODY}" or "{SKIPPED}". Leave "instance" as it is: it says who is meant. Where a tool
   loses it, the annotation's id does, as long as its box fits nobody else who is asked for better.
3. Save the file as answer.json beside this one."""


@attrs.frozen
class Coco(Layout):
    """COCO keypoints; who is meant, and other answers than a pose, stand in the annotations' attributes."""

    answer_names: tuple[str, ...] = ("answer.json",)
    steps: str = _STEPS

    def files(self, task: Task) -> Mapping[str, str]:
        return {_TASK: json.dumps(document(task), indent=1, ensure_ascii=False, allow_nan=False)}

    def read(self, path: Path, task: Task) -> list[tuple[Item, Reply]]:
        content = read_json(path, "a COCO keypoints file")
        if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
            raise InputError(f"{path} is no COCO keypoints file: it must be an object with a list of annotations")
        rows = Rows.listed(path, "annotations", content["annotations"])
        pictures = _pictures(path, content)
        found = paired(path, task, [(name, i) for i, name in enumerate(_names(rows, task))])
        _refuse_exchanged(rows, task, found)
        order = _order(path, task, content)
        return [(item, _reply(rows, i, task, item, pictures, order)) for item, i in found]


# -------------------------------------------------------------------------------------------------------------- writing
def document(task: Task) -> dict[str, Any]:
    """The task as a COCO keypoints file; every keypoint is proposed as visible."""
    pictures = task.pictures()
    images = [
        {
            "id": number,
            "file_name": picture,
            "width": items[0].size[0],
            "height": items[0].size[1],
            "frame_index": items[0].frame,
        }
        for number, (picture, items) in enumerate(pictures.items(), 1)
    ]
    place = {picture: number for number, picture in enumerate(pictures, 1)}
    category = {
        "id": 1,
        "name": task.skeleton,
        "keypoints": list(task.keypoints),
        "skeleton": [[a + 1, b + 1] for a, b in task.edges],
    }
    annotations = [_annotation(number, item, place[item.picture]) for number, item in enumerate(task.items, 1)]
    return {
        "info": {"description": task.title},
        "images": images,
        "annotations": annotations,
        "categories": [category],
    }


def _annotation(number: int, item: Item, image: int) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "track_id": item.track,
        "bbox": list(item.box),
        "area": item.box[2] * item.box[3],
        "iscrowd": 0,
        "num_keypoints": len(item.proposal),
        "keypoints": [value for point in item.proposal for value in (*point, 2)],
        "attributes": {"instance": item.name, "answer": POSE},
    }


# -------------------------------------------------------------------------------------------------------------- reading
def _field(row: Mapping[str, Any], name: str) -> Any:
    """What an annotation says of itself, in its attributes or beside them."""
    attributes = row.get("attributes")
    inner = attributes.get(name) if isinstance(attributes, dict) else None
    return row.get(name) if inner is None else inner


def _names(rows: Rows, task: Task) -> list[str]:
    """Who each annotation speaks of: by its attribute, else by the id that it was written with."""
    asked = {str(number): item.name for number, item in enumerate(task.items, 1)}
    numbers = rows.ids_or_none("id")
    given = [_field(row, "instance") for row in rows.objects]
    return [
        asked.get(str(number), f"annotation {number}") if name is None else str(name)
        for name, number in zip(given, numbers, strict=True)
    ]


def _refuse_exchanged(rows: Rows, task: Task, found: Sequence[tuple[Item, int]]) -> None:
    """Hold those who are recognised by the annotation's id alone, which many tools give anew, to their boxes.

    Raises:
        InputError: a box, or where there is none what surrounds the keypoints, fits somebody else better.
    """
    for item, position in found:
        if _field(rows.objects[position], "instance") is None and (box := _around(rows.take([position]), task)):
            fits_its_own(rows.path, task, item, box)


def _around(one: Rows, task: Task) -> Box | None:
    """The box x, y, w, h in pixels of one annotation, else that of its annotated keypoints; None where it has none."""
    sides, drawn = one.without_empty("bbox").pixel_lists("bbox", 4, "x, y, width, height")
    if drawn.all():
        x, y, width, height = sides[0].tolist()
        return x, y, width, height
    count = len(task.keypoints)
    numbers, _ = one.without_empty("keypoints").pixel_lists("keypoints", 3 * count, f"{count} times x, y, v")
    points = [(x, y) for x, y, v in numbers.reshape(count, 3).tolist() if v]
    if not points:
        return None
    (left, top), (right, bottom) = (tuple(map(end, zip(*points, strict=True))) for end in (min, max))
    return left, top, right - left, bottom - top


def _pictures(path: Path, content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The images by what their ids read; none where the file lists none."""
    images = Rows.listed(path, "images", content.get("images"))
    return dict(zip(map(str, images.unique_ids()), images.objects, strict=True))


def _order(path: Path, task: Task, content: Mapping[str, Any]) -> list[int]:
    """The skeleton's keypoint that stands at each place of the file's lists."""
    categories = Rows.listed(path, "categories", content.get("categories"), "category")
    described = [row for row in categories.objects if row.get("keypoints")]
    if not described:
        return list(range(len(task.keypoints)))
    names, where = described[0]["keypoints"], f"{path}: category '{described[0].get('name')}'"
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{where} must have a list of names as its keypoints")
    order = [keypoint(where, task, name) for name in told_apart(names)]
    missing = [name for k, name in enumerate(task.keypoints) if k not in order]
    if missing:
        raise InputError(f"{where} lacks the keypoints {listed(missing)}")
    return order


def _reply(
    rows: Rows, position: int, task: Task, item: Item, pictures: Mapping[str, Mapping[str, Any]], order: list[int]
) -> Reply:
    row, path = rows.objects[position], rows.path
    image = _image(rows, position, pictures)
    on_picture(path, item, image.get("file_name"), image.get("width"), image.get("height"))
    annotator = str(_field(row, "annotator") or "")
    answer = word(path, item, _field(row, "answer"))
    if answer != POSE:
        return Declined(answer == NOBODY, annotator)
    one = rows.take([position])
    count = len(task.keypoints)
    numbers, given = one.without_empty("keypoints").pixel_lists("keypoints", 3 * count, f"{count} times x, y, v")
    if not given.all():
        raise flaw(path, item, "has no keypoints")
    points = {}
    for k, (x, y, v) in zip(order, numbers.reshape(count, 3).tolist(), strict=True):
        if v not in (0, 1, 2):
            raise flaw(path, item, f"has v = {v} at '{task.keypoints[k]}': 0 (not there), 1 (hidden) or 2 (visible)")
        points[k] = (x, y, int(v))
    sides, drawn = one.without_empty("bbox").pixel_lists("bbox", 4, "x, y, width, height")
    box = box_of(path, item, sides[0].tolist()) if drawn.all() else None
    return posed(path, task, item, points, box, annotator)


def _image(rows: Rows, position: int, pictures: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The image that an annotation is on; an empty one where the file lists none."""
    if not pictures:
        return {}
    number = rows.take([position]).ids("image_id")[0]
    if str(number) not in pictures:
        raise rows.error(position, f"is on image {number!r}, which is not among images")
    return pictures[str(number)]
