"""Stick figures as a COCO keypoints file over a video on disk, with their keypoints or without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2

from tests.conftest import STICK, Squares, stick_video


def sticks_on_disk(folder: Path, frames: int = 12, tracks: int = 2) -> tuple[Path, Path]:
    """Two annotation files over the same pictures: with the keypoints, and as somebody's own video comes: without."""
    video = stick_video(frames, tracks)
    instances = video.instances
    assert isinstance(video.frames, Squares)
    assert instances.keypoints is not None
    for frame, picture in enumerate(video.frames.pictures):
        cv2.imwrite(str(folder / f"{frame:03d}.png"), picture.permute(1, 2, 0).numpy()[..., ::-1])
    height, width = video.frames.pictures.shape[2:]
    images = [{"id": f, "file_name": f"{f:03d}.png", "width": width, "height": height} for f in range(frames)]
    annotations = [
        {
            "id": 100 + i,
            "image_id": int(instances.frame[i]),
            "category_id": 1,
            "track_id": int(instances.track[i]),
            "iscrowd": 0,
            "bbox": instances.boxes[i].tolist(),
            "keypoints": [v for x, y in instances.keypoints[i].tolist() for v in (x, y, 2)],
        }
        for i in range(len(instances))
    ]
    edges = [[a + 1, b + 1] for a, b in STICK.edges]
    category = {"id": 1, "name": "stick", "keypoints": list(STICK.keypoints), "skeleton": edges}
    return (
        _saved(folder / "truth.json", images, annotations, category),
        _saved(folder / "boxes.json", images, [_without(a, "keypoints") for a in annotations], category),
    )


def _without(annotation: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in annotation.items() if name != field}


def _saved(path: Path, images: list[Any], annotations: list[Any], category: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    return path
