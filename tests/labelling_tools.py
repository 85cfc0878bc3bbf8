"""What people do in other labelling tools, on the files alone: a task's files become an answer as the tool exports it.

As a program it is an annotator: ``python -m tests.labelling_tools RUN FORMAT CYCLES`` answers each cycle's task.
"""

from __future__ import annotations

import copy
import json
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Triples = list[tuple[float, float, int]]
"""K times x, y in pixels and v."""

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""

TASKS = {"label-studio": "label-studio.json", "cvat": "annotations.xml", "coco": "coco.json"}
ANSWERS = {"label-studio": "answer.json", "cvat": "answer.xml", "coco": "answer.json"}


def labelled(format: str, text: str, poses: Mapping[str, Triples], boxes: Mapping[str, Box]) -> str:
    """The answer: each instance in ``poses`` gets that pose, those in ``boxes`` that box; others stay as they are."""
    return {"label-studio": in_label_studio, "cvat": in_cvat, "coco": in_coco}[format](text, poses, boxes)


def in_label_studio(text: str, poses: Mapping[str, Triples], boxes: Mapping[str, Box]) -> str:
    tasks = json.loads(text)
    for number, task in enumerate(tasks, 1):
        result = copy.deepcopy(task["predictions"][0]["result"])
        name = task["data"]["instance"]
        points = [region for region in result if region["type"] == "keypointlabels"]
        for region, (x, y, v) in zip(points, poses[name], strict=True) if name in poses else ():
            region["value"]["x"] = 100 * x / region["original_width"]
            region["value"]["y"] = 100 * y / region["original_height"]
            if v == 0:
                result.remove(region)
            if v == 1:
                place = {side: region["value"][side] for side in ("x", "y", "width")}
                choice = {"from_name": "visibility", "type": "choices", "value": place | {"choices": ["occluded"]}}
                result.append({k: v for k, v in region.items() if k != "parentID"} | choice)
        for region in (r for r in result if r["type"] == "rectanglelabels" and name in boxes):
            sides = zip(("x", "y", "width", "height"), boxes[name], strict=True)
            of = {"x": "width", "width": "width", "y": "height", "height": "height"}
            region["value"] |= {side: 100 * value / region[f"original_{of[side]}"] for side, value in sides}
        account = {"id": 7, "email": "ada@example.org", "first_name": "Ada"}
        task |= {
            "id": 100 + number,
            "annotations": [
                {
                    "id": number,
                    "completed_by": account,
                    "result": result,
                    "was_cancelled": False,
                    "lead_time": 12.5,
                    "created_at": "2026-03-01T10:00:00.000000Z",
                    "updated_at": "2026-03-01T10:00:00.000000Z",
                }
            ],
            "drafts": [],
            "meta": {},
            "total_annotations": 1,
        }
    return json.dumps(tasks)


def in_cvat(text: str, poses: Mapping[str, Triples], boxes: Mapping[str, Box]) -> str:
    root = ElementTree.fromstring(text)
    task = root.find("meta/task")
    assert task is not None
    ElementTree.SubElement(ElementTree.SubElement(task, "assignee"), "username").text = "ada"
    for shape in (shape for image in root.iter("image") for shape in image):
        name = instance_of(shape)
        if shape.tag == "skeleton" and name in poses:
            for point, (x, y, v) in zip(shape.findall("points"), poses[name], strict=True):
                point.attrib |= {"points": f"{x!r},{y!r}", "outside": str(int(v == 0)), "occluded": str(int(v == 1))}
        if shape.tag == "box" and name in boxes:
            x, y, width, height = boxes[name]
            corners = zip(("xtl", "ytl", "xbr", "ybr"), (x, y, x + width, y + height), strict=True)
            shape.attrib |= {side: repr(value) for side, value in corners}
    return ElementTree.tostring(root, encoding="unicode")


def instance_of(shape: ElementTree.Element) -> str:
    return next(part.text or "" for part in shape.findall("attribute") if part.get("name") == "instance")


def in_coco(text: str, poses: Mapping[str, Triples], boxes: Mapping[str, Box]) -> str:
    content = json.loads(text)
    for row in content["annotations"]:
        name = row["attributes"]["instance"]
        if name in poses:
            row["keypoints"] = [value for x, y, v in poses[name] for value in ((x, y, v) if v else (0, 0, 0))]
            row["num_keypoints"] = sum(v > 0 for _, _, v in poses[name])
        if name in boxes:
            row["bbox"] = list(boxes[name])
    return json.dumps(content)


def zipped(text: str, path: Path) -> None:
    """CVAT's archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", text)
        archive.writestr("images/", "")


def answer(tasks: Path, format: str, path: Path | None = None) -> None:
    """Answer the task in a folder: every keypoint two pixels right of where it was proposed, the last one hidden."""
    asked: Any = json.loads((tasks / "asked.json").read_text())
    poses = {
        item["name"]: [(x + 2.0, y, 1 if k == len(item["proposal"]) - 1 else 2) for k, (x, y) in enumerate(points)]
        for item in asked["items"]
        for points in [[(min(x, item["size"][0] - 2), y) for x, y in item["proposal"]]]
    }
    path = path or tasks / ANSWERS[format]
    beside = path.with_name("saving")
    beside.write_text(labelled(format, (tasks / TASKS[format]).read_text(), poses, {}))
    beside.replace(path)


def main(run: Path, format: str, cycles: int) -> None:
    """Answer the tasks of so many cycles as they come, within a minute."""
    end = time.monotonic() + 60
    for cycle in range(cycles):
        tasks = run / "cycles" / f"{cycle:03d}" / "tasks"
        while not tasks.exists() and time.monotonic() < end:
            time.sleep(0.1)
        answer(tasks, format)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
