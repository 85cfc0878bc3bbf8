"""CVAT for images 1.1: skeletons and boxes in XML, and the labels that a CVAT task must be made with.

One image is one frame. CVAT keeps the attributes of what it imports: ``instance`` says who is meant, ``answer`` holds
answers other than a pose. CVAT itself rounds to 0.01 pixels; here every digit of a float is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import attrs

from vatl_oracles.files import cvat_export
from vatl_oracles.files.colours import BOX, colour
from vatl_oracles.files.layout import Layout
from vatl_oracles.files.names import told_apart
from vatl_oracles.files.replies import NOBODY, POSE, SKIPPED, WORDS, Reply
from vatl_oracles.files.task import Item, Point, Task

_TASK: Final = "annotations.xml"
_LABELS: Final = "labels.json"
_STEPS: Final = f"""\
1. Make a task: paste {_LABELS} under Labels, Raw, and upload the files of the folder pictures.
2. In the task's menu choose Upload annotations, format CVAT 1.1, file {_TASK}.
3. Correct the skeletons: drag their points; a point that is not there is marked as outside, a hidden one as occluded.
   Leave the attribute instance as it is: it says who is meant. The attribute answer of a skeleton may be "{POSE}",
   "{NOBODY}" or "{SKIPPED}". Save.
4. Choose Export job or task dataset, format CVAT for images 1.1, without images, and save it as answer.zip (or the
   XML file in it as answer.xml) beside this file."""

_SKELETON: Final = ("instance", "answer")
_BOX: Final = ("instance",)


@attrs.frozen
class Cvat(Layout):
    """CVAT's XML for images."""

    answer_names: tuple[str, ...] = ("answer.xml", "answer.zip")
    steps: str = _STEPS

    def files(self, task: Task) -> Mapping[str, str]:
        return {_TASK: document(task), _LABELS: json.dumps(labels(task), indent=1, ensure_ascii=False) + "\n"}

    def read(self, path: Path, task: Task) -> list[tuple[Item, Reply]]:
        return cvat_export.read(path, task)


# --------------------------------------------------------------------------------------------------------------- labels
def label_names(task: Task) -> tuple[str, ...]:
    """What skeletons and boxes are called."""
    return told_apart([task.skeleton, "box"])


def labels(task: Task) -> list[dict[str, Any]]:
    """The labels as CVAT's constructor takes them."""
    skeleton, box = label_names(task)
    points = [
        {"name": name, "color": colour(side), "type": "points", "attributes": []}
        for name, side in zip(task.keypoints, task.sides, strict=True)
    ]
    return [
        {
            "name": skeleton,
            "color": colour("middle"),
            "type": "skeleton",
            "attributes": [_attribute(name) for name in _SKELETON],
            "sublabels": points,
            "svg": drawing(task),
        },
        {"name": box, "color": BOX, "type": "rectangle", "attributes": [_attribute(name) for name in _BOX]},
    ]


def _attribute(name: str) -> dict[str, Any]:
    chosen = name == "answer"
    return {
        "name": name,
        "mutable": False,
        "input_type": "select" if chosen else "text",
        "default_value": POSE if chosen else "",
        "values": list(WORDS) if chosen else [""],
    }


def drawing(task: Task) -> str:
    """The skeleton as CVAT draws a new one: the mean of the proposed poses in a square of 100."""
    places = _mean_pose(task.items)
    root = ElementTree.Element("svg")
    for a, b in task.edges:
        ends = dict(zip(("x1", "y1", "x2", "y2"), map(repr, (*places[a], *places[b])), strict=True))
        edge = {"stroke": "black", "data-type": "edge", "data-node-from": str(a + 1), "data-node-to": str(b + 1)}
        ElementTree.SubElement(root, "line", ends | edge | {"stroke-width": "0.5"})
    for k, (name, (x, y)) in enumerate(zip(task.keypoints, places, strict=True)):
        look = {"r": "1.5", "stroke": "black", "fill": "#b3b3b3", "cx": repr(x), "cy": repr(y), "stroke-width": "0.1"}
        number = str(k + 1)
        node = {"data-type": "element node", "data-element-id": number, "data-node-id": number}
        ElementTree.SubElement(root, "circle", look | node | {"data-label-name": name})
    return "".join(ElementTree.tostring(part, encoding="unicode", short_empty_elements=False) for part in root)


def _mean_pose(items: Sequence[Item]) -> list[Point]:
    """K places within 5 to 95: where the keypoints are in their boxes on average."""
    poses = [[_in_box(point, item) for point in item.proposal] for item in items]
    means = [(sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at)) for at in zip(*poses, strict=True)]
    return [(min(max(5 + 90 * x, 5.0), 95.0), min(max(5 + 90 * y, 5.0), 95.0)) for x, y in means]


def _in_box(point: Point, item: Item) -> Point:
    x, y, width, height = item.box
    return (point[0] - x) / width, (point[1] - y) / height


# ------------------------------------------------------------------------------------------------------------- document
def document(task: Task) -> str:
    """The task as CVAT exports one."""
    root = ElementTree.Element("annotations")
    _text(root, "version", "1.1")
    pictures = task.pictures()
    about = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    for tag, text in {"name": task.title, "size": str(len(pictures)), "mode": "annotation", "overlap": "0"}.items():
        _text(about, tag, text)
    _add_labels(about, task)
    for number, (picture, items) in enumerate(pictures.items()):
        width, height = map(str, items[0].size)
        about_image = {"id": str(number), "name": picture, "width": width, "height": height}
        image = ElementTree.SubElement(root, "image", about_image)
        for group, item in enumerate(items, 1):
            _add_item(image, task, item, group)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add_labels(about: ElementTree.Element, task: Task) -> None:
    into = ElementTree.SubElement(about, "labels")
    for label in labels(task):
        for part, parent in [(label, ""), *((sublabel, label["name"]) for sublabel in label.get("sublabels", []))]:
            described = ElementTree.SubElement(into, "label")
            for tag in ("name", "color", "type"):
                _text(described, tag, part[tag])
            attributes = ElementTree.SubElement(described, "attributes")
            for attribute in part["attributes"]:
                inner = ElementTree.SubElement(attributes, "attribute")
                for tag in ("name", "mutable", "input_type", "default_value"):
                    _text(inner, tag, str(attribute[tag]))
                _text(inner, "values", "\n".join(attribute["values"]))
            if "svg" in part:
                _text(described, "svg", part["svg"])
            if parent:
                _text(described, "parent", parent)


def _add_item(image: ElementTree.Element, task: Task, item: Item, group: int) -> None:
    skeleton, box = label_names(task)
    common = {"source": "file", "z_order": "0", "group_id": str(group)}
    drawn = ElementTree.SubElement(image, "skeleton", {"label": skeleton, **common})
    for name, (x, y) in zip(task.keypoints, item.proposal, strict=True):
        place = {"outside": "0", "occluded": "0", "points": f"{x!r},{y!r}"}
        ElementTree.SubElement(drawn, "points", {"label": name, "source": "file", **place})
    x, y, width, height = item.box
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(repr, (x, y, x + width, y + height)), strict=True))
    around = ElementTree.SubElement(image, "box", {"label": box, "occluded": "0", **common, **corners})
    for element, names in ((drawn, _SKELETON), (around, _BOX)):
        for name in names:
            _text(element, "attribute", item.name if name == "instance" else POSE).set("name", name)


def _text(into: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(into, tag)
    element.text = text
    return element
