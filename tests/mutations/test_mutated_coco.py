"""COCO keypoints files, mutated, over pictures and over a video."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.mutations.calling import assert_refused_well, checked
from tests.mutations.coco_reading import assert_says
from tests.mutations.examples import mutated
from tests.mutations.files import mutate_file
from tests.mutations.json_trees import mutated_trees
from vatl_coco.dataset import Coco
from vatl_drawing import write_video

FRAMES, HEIGHT, WIDTH = 5, 48, 64


def document(over: str) -> dict[str, Any]:
    """Two flies of three keypoints; the ids of images and annotations count from different numbers."""
    images = [{"id": 7 + f, "file_name": f"img{f:03d}.png", "width": WIDTH, "height": HEIGHT} for f in range(FRAMES)]
    if over == "video":
        images = [image | {"file_name": "clip.mp4", "frame_index": f} for f, image in enumerate(images)]
    annotations = [
        {
            "id": 100 + 2 * f + t,
            "image_id": 7 + f,
            "category_id": 1,
            "track_id": t,
            "iscrowd": 0,
            "bbox": [4.0 + f + 20 * t, 6.5, 20.0, 15.25],
            "keypoints": [8 + f + 20 * t, 9.5, 2, 12.25 + f + 20 * t, 12, 1, *((14.0, 20, 2) if t == 0 else (0, 0, 0))],
        }
        for f in range(FRAMES)
        for t in (0, 1)
    ]
    category = {"id": 1, "name": "fly", "keypoints": ["head", "wingL", "wingR"], "skeleton": [[1, 2], [1, 3]]}
    return {"images": images, "annotations": annotations, "categories": [category]}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flies' pictures, and the same as a video."""
    folder = tmp_path_factory.mktemp("flies")
    for f in range(FRAMES):
        cv2.imwrite(str(folder / f"img{f:03d}.png"), np.full((HEIGHT, WIDTH, 3), 20 + 25 * f, np.uint8))
    grey = (torch.full((3, HEIGHT, WIDTH), 20 + 25 * f, dtype=torch.uint8) for f in range(FRAMES))
    write_video(folder / "clip.mp4", grey)
    return folder


def assert_refused_or_said(path: Path) -> None:
    outcome = checked("coco", f"annotations={path}", f"frames={path.parent}")
    if outcome.code:
        assert_refused_well(outcome, [path.name, "img0", "clip.mp4"])
        return
    data = Coco(path, path.parent)
    for name in data.videos():
        assert_says(path, data.load(name))


@pytest.mark.parametrize("over", ["pictures", "video"])
def test_a_mutated_document_is_refused_or_read_as_it_says(pictures: Path, over: str) -> None:
    @mutated(6)
    @given(mutated_trees(document(over)))
    def holds(text: str) -> None:
        path = pictures / "annotations.json"
        path.write_text(text)
        assert_refused_or_said(path)

    holds()


@pytest.mark.parametrize("over", ["pictures", "video"])
def test_a_mutated_file_is_refused_or_read_as_it_says(pictures: Path, over: str) -> None:
    @mutated(4)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "flies"
            shutil.copytree(pictures, copy)
            path = copy / "annotations.json"
            path.write_text(json.dumps(document(over)))
            mutate_file(data.draw, data.draw(st.sampled_from([path, path, *_media(copy, over)])))
            assert_refused_or_said(path)

    holds()


def _media(folder: Path, over: str) -> list[Path]:
    return [folder / "clip.mp4"] if over == "video" else sorted(folder.glob("img*.png"))
