"""Images of a video that do not say which frame they are stand where they stand, unless their names say otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from vatl_annotate.boxes import boxes_file
from vatl_annotate.boxes.footage import Footage
from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_drawing import write_video
from vatl_formats import Rows, by_position
from vatl_video.dataset import AnyVideo

SPARSE = ("frame_000000.png", "frame_000010.png", "frame_000020.png")


def rows(names: Sequence[str | None]) -> Rows:
    return Rows(Path("a.json"), "image", [{"id": i, "file_name": name} for i, name in enumerate(names)])


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("clip.mp4",) * 3,
        (None, None),
        ("0.png", "1.png", "2.png"),
        ("a/frame_0101.jpg", "a/frame_0102.jpg"),
        ("head.png", "tail.png"),
        ("7.png", None, "9.png"),
    ],
)
def test_their_positions_count(names: Sequence[str | None]) -> None:
    assert by_position(rows(names)) == list(range(len(names)))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (SPARSE, "image 1 is called 'frame_000010.png', but is no. 2 of them: give each its frame_index, from 0 on"),
        (("2.png", "1.png"), "image 1 is called '1.png'"),
        (("0.png", "1.png", "3.png"), "image 2 is called '3.png', but is no. 3"),
    ],
)
def test_names_that_count_otherwise_are_refused(names: Sequence[str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        by_position(rows(names))
    assert said in str(refused.value)


def of_coco(annotations: Path, clip: Path) -> object:
    dataset = Coco(annotations, clip)
    return dataset.load(*dataset.videos())


def of_video(annotations: Path, clip: Path) -> object:
    dataset = AnyVideo(clip, annotations)
    return dataset.load(*dataset.videos())


def of_drawing(annotations: Path, clip: Path) -> object:
    return boxes_file.read_boxes(annotations, Footage.open(clip))


@pytest.mark.parametrize("read", [of_coco, of_video, of_drawing])
def test_whoever_reads_boxes_over_a_video_refuses_them(tmp_path: Path, read: Callable[[Path, Path], Any]) -> None:
    clip, path = tmp_path / "clip.mp4", tmp_path / "boxes.json"
    write_video(clip, (torch.zeros(3, 32, 48, dtype=torch.uint8) for _ in range(30)))
    content = {
        "images": [{"id": i, "file_name": name, "width": 48, "height": 32} for i, name in enumerate(SPARSE)],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 20, 20]}],
        "categories": [{"id": 1, "name": "fly", "keypoints": ["head", "tail"], "skeleton": [[1, 2]]}],
    }
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="frame_index") as refused:
        read(path, clip)
    assert str(refused.value).startswith(str(path))
    for frame, image in zip((0, 10, 20), content["images"], strict=True):
        image["frame_index"] = frame
    path.write_text(json.dumps(content))
    read(path, clip)
