"""COCO keypoints files, mutated, over pictures and over a video."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
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
from vatl_core.errors import InputError
from vatl_core.video import Video
from vatl_drawing import write_video

FRAMES, HEIGHT, WIDTH = 5, 48, 64


def document(over: str) -> dict[str, Any]:
    """Two flies of three keypoints; the ids of images and annotations count from different numbers.

    Args:
        over: ``pictures``; the same as ``cvat`` exports them, with tracks among the attributes; ``single``, without
            tracks; a ``video``.
    """
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
    if over == "cvat":
        annotations = [a | {"attributes": {"occluded": False, "track_id": a.pop("track_id")}} for a in annotations]
    if over == "single":
        annotations = [{key: value for key, value in a.items() if key != "track_id"} for a in annotations]
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


@pytest.mark.parametrize("over", ["pictures", "cvat", "single", "video"])
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


def changed(**changes: Callable[[list[dict[str, Any]]], object]) -> dict[str, Any]:
    """Single flies, one of whose lists was changed."""
    content = document("single")
    for field, change in changes.items():
        change(content[field])
    return content


def _load(pictures: Path, content: dict[str, Any]) -> Video:
    path = pictures / "annotations.json"
    path.write_text(json.dumps(content))
    data = Coco(path)
    return data.load(*data.videos())


def test_the_same_annotation_under_another_id_is_left_out_and_counted(pictures: Path) -> None:
    video = _load(pictures, changed(annotations=lambda rows: rows.append(rows[3] | {"id": 999})))
    assert len(video.instances) == 2 * FRAMES
    assert video.dropped == {"the same as another on its picture": 1}


def test_a_file_whose_annotations_are_all_of_another_category_is_named(pictures: Path) -> None:
    with pytest.raises(InputError, match="annotations\\.json has no instances to estimate; 10 dropped"):
        _load(pictures, changed(annotations=lambda rows: [row.update(category_id=7) for row in rows]))


def test_annotations_that_share_a_box_alone_are_different_ones(pictures: Path) -> None:
    video = _load(pictures, changed(annotations=lambda rows: rows[2].update(bbox=rows[3]["bbox"])))
    assert len(video.instances) == 2 * FRAMES


def test_tracks_tell_those_apart_that_are_in_one_place(pictures: Path) -> None:
    content = document("pictures")
    content["annotations"][3] = content["annotations"][2] | {"id": 999, "track_id": 7}
    assert len(_load(pictures, content).instances) == 2 * FRAMES


def test_two_images_of_one_picture_are_refused(pictures: Path) -> None:
    content = changed(images=lambda rows: rows.append(rows[3] | {"id": 999}))
    with pytest.raises(InputError, match=r"image 999 is the picture .*img003\.png, which image 10 is too"):
        _load(pictures, content)
