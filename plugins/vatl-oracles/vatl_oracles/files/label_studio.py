"""Label Studio: tasks with the estimator's poses as predictions, and the labelling configuration that fits them.

One task is one instance, so that "nobody is here", skipping and the time spent belong to it. Label Studio gives
places in per cent of the picture: they are written with all the digits that a float has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

import attrs

from vatl_oracles.files import label_studio_export
from vatl_oracles.files.colours import BOX, colour
from vatl_oracles.files.label_studio_export import OCCLUDED
from vatl_oracles.files.layout import Layout
from vatl_oracles.files.replies import NOBODY, Reply
from vatl_oracles.files.task import Item, Task

_TASK: Final = "label-studio.json"
_CONFIGURATION: Final = "labelling-configuration.xml"
_STEPS: Final = f"""\
1. Make a project; under Settings, Labeling Interface, Code, paste {_CONFIGURATION}.
2. Under Settings, Cloud Storage, add a source storage of type Local files with this folder's absolute path, so that the
   pictures are served (see the documentation of vatl for the server's two environment variables); do not sync it.
3. Import {_TASK}. Each task is one person or animal: the one in the box.
4. Drag keypoints to their places, delete those that are not there, and mark a selected keypoint as {OCCLUDED} where it
   is hidden. Tick "{NOBODY}" where that is so; skip what cannot be labelled. Submit.
5. Export the project as JSON (not JSON-MIN) and save it as answer.json beside this file."""


@attrs.frozen
class LabelStudio(Layout):
    """Label Studio's JSON.

    Attributes:
        address: what comes before a picture's path from the folder of run directories.
    """

    answer_names: tuple[str, ...] = ("answer.json",)
    steps: str = _STEPS
    address: str = "/data/local-files/?d="

    def files(self, task: Task) -> Mapping[str, str]:
        tasks = [self._task(task, item) for item in task.items]
        return {
            _TASK: json.dumps(tasks, indent=1, ensure_ascii=False, allow_nan=False),
            _CONFIGURATION: configuration(task),
        }

    def read(self, path: Path, task: Task) -> list[tuple[Item, Reply]]:
        return label_studio_export.read(path, task)

    def _task(self, task: Task, item: Item) -> dict[str, Any]:
        return {
            "data": {
                "image": self.address + quote(f"{task.path}/pictures/{item.picture}"),
                "instance": item.name,
                "who": f"Instance {item.name}, frame {item.frame}: the one in the box",
                "picture": item.picture,
                "frame": item.frame,
                "track": item.track,
            },
            "predictions": [{"model_version": task.title, "score": item.score, "result": regions(task, item)}],
        }


def regions(task: Task, item: Item) -> list[dict[str, Any]]:
    """The box and the proposed keypoints, which belong to it."""
    width, height = item.size
    x, y, w, h = item.box
    sides = {"x": 100 * x / width, "y": 100 * y / height, "width": 100 * w / width, "height": 100 * h / height}
    box = _region(item, f"{item.index}-box", "box", sides | {"rotation": 0}, "rectanglelabels", "box")
    points = [
        _region(
            item,
            f"{item.index}-{k}",
            "keypoints",
            {"x": 100 * px / width, "y": 100 * py / height, "width": 0.5},
            "keypointlabels",
            name,
        )
        | {"parentID": box["id"]}
        for k, (name, (px, py)) in enumerate(zip(task.keypoints, item.proposal, strict=True))
    ]
    return [box, *points]


def _region(item: Item, number: str, control: str, value: Mapping[str, float], kind: str, label: str) -> dict[str, Any]:
    return {
        "id": number,
        "from_name": control,
        "to_name": "image",
        "type": kind,
        "original_width": item.size[0],
        "original_height": item.size[1],
        "image_rotation": 0,
        "value": {**value, kind: [label]},
    }


def configuration(task: Task) -> str:
    """The labelling configuration, XML."""
    view = ElementTree.Element("View")

    def add(tag: str, into: ElementTree.Element = view, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(into, tag, attributes)

    add("Header", value="$who")
    add("Image", name="image", value="$image", zoom="true", zoomControl="true")
    boxes = add("RectangleLabels", name="box", toName="image", canRotate="false", maxUsages="1")
    add("Label", boxes, value="box", background=BOX)
    points = add("KeyPointLabels", name="keypoints", toName="image", strokeWidth="2", opacity="1", maxUsages="1")
    for k, (name, side) in enumerate(zip(task.keypoints, task.sides, strict=True)):
        add("Label", points, value=name, background=colour(side), model_index=str(k))
    of_keypoint = add("Choices", name="visibility", toName="image", choice="multiple", perRegion="true")
    of_keypoint.set("whenTagName", "keypoints")
    add("Choice", of_keypoint, value=OCCLUDED)
    add("Choice", add("Choices", name="presence", toName="image", choice="multiple"), value=NOBODY)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
