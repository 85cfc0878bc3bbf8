"""Answers of labelling tools read a second time, by the plainest means: who is said to be where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.mutations.coco_reading import once
from vatl_oracles.files.task import Task

Pose = dict[str, tuple[float, float, int]]
"""x, y in pixels and v of each keypoint that is there."""

Said = dict[str, Pose | str]
"""By instance: its pose, or the word that stands in its place."""


def coco(path: Path, task: Task) -> Said:
    content = json.loads(path.read_bytes(), object_pairs_hook=once)
    names = next((row["keypoints"] for row in content.get("categories") or [] if row.get("keypoints")), task.keypoints)
    images = {str(image["id"]): image for image in content.get("images") or []}
    said: Said = {}
    for row in content["annotations"]:
        inner = row["attributes"] if isinstance(row.get("attributes"), dict) else {}
        fields = row | {key: value for key, value in inner.items() if value is not None}
        name = fields.get("instance")
        name = task.items[int(row["id"]) - 1].name if name is None else str(name).strip()
        assert name not in said, "read, though somebody is answered twice"
        item = next(item for item in task.items if item.name == name)
        image = images[str(row["image_id"])] if images else {}
        assert image.get("file_name") in (None, item.picture), "read, though it is on another picture"
        values = row.get("keypoints") or []
        points = zip(names, values[::3], values[1::3], values[2::3], strict=True) if values else ()
        word = fields.get("answer")
        pose: Pose = {part: (x, y, v) for part, x, y, v in points if v}
        said[name] = pose if word in (None, "pose") else str(word).strip()
    return said


def cvat(path: Path, task: Task) -> Said:
    said: Said = {}
    for image in ElementTree.fromstring(path.read_bytes()).iter("image"):
        for skeleton in image.findall("skeleton"):
            fields = {part.get("name"): part.text for part in skeleton.findall("attribute")}
            name = (fields["instance"] or "").strip()
            assert name not in said, "read, though somebody is answered twice"
            item = next(item for item in task.items if item.name == name)
            assert image.get("name") in (None, item.picture), "read, though it is on another picture"
            parts = [part for part in skeleton.findall("points") if part.get("outside") != "1"]
            pose: Pose = {}
            for part in parts:
                assert part.get("outside") in ("0", None), f"read, though outside is {part.get('outside')!r}"
                assert part.get("occluded") in ("0", "1", None), f"read, though occluded is {part.get('occluded')!r}"
                x, y = map(float, str(part.get("points")).split(","))
                pose[str(part.get("label")).strip()] = (x, y, 1 if part.get("occluded") == "1" else 2)
            word = fields.get("answer")
            said[name] = pose if not word or word.strip() == "pose" else word.strip()
    return said


def label_studio(path: Path, task: Task) -> Said:
    said: Said = {}
    for row in json.loads(path.read_bytes(), object_pairs_hook=once):
        name = str(row["data"]["instance"]).strip()
        assert name not in said, "read, though somebody is answered twice"
        kept = [annotation for annotation in row["annotations"] if not annotation.get("was_cancelled")]
        if not kept:
            said[name] = "skipped"
            continue
        latest = max(kept, key=lambda annotation: annotation.get("updated_at") or annotation.get("created_at") or "")
        values = [(region, region["value"]) for region in latest["result"]]
        hidden = {str(region["id"]) for region, value in values if "occluded" in value.get("choices", ())}
        item = next(item for item in task.items if item.name == name)
        said[name] = {
            value["keypointlabels"][0].strip(): (
                value["x"] * item.size[0] / 100,
                value["y"] * item.size[1] / 100,
                1 if str(region.get("id")) in hidden else 2,
            )
            for region, value in values
            if "keypointlabels" in value
        }
        if any("nobody is here" in value.get("choices", ()) for _, value in values):
            said[name] = "nobody is here"
    return said


READINGS: dict[str, Any] = {"coco": coco, "cvat": cvat, "label-studio": label_studio}
