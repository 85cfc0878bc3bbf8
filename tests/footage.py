"""Stick figures as a COCO keypoints file over a video on disk, with their keypoints or without."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import av
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


def turn(path: Path, degrees: int) -> None:
    """Have a file say that its camera was turned, in the matrix of its track header (ISO 14496-12, 8.3.2)."""
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one, data = 1 << 16, bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    matrix = struct.pack(">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    data[start : start + len(matrix)] = matrix
    path.write_bytes(data)


def trim(path: Path, frames: int) -> None:
    """Have a file of 25 frames a second begin later, in its edit list (ISO 14496-12, 8.6.6), as phones cut videos."""
    with av.open(str(path)) as container:
        step = round(1 / 25 / container.streams.video[0].time_base)
    data = bytearray(path.read_bytes())
    start = data.index(b"elst") + 12
    duration, begins = struct.unpack_from(">Ii", data, start)
    struct.pack_into(">Ii", data, start, duration - frames * 40, begins + frames * step)
    path.write_bytes(data)
