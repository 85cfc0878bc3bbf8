"""What ``vatl predict`` writes is read again over the same pictures: instances, frames, tracks and keypoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

from tests import trees
from tests.conftest import Registered, configured
from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_core.run import PastRun, execute
from vatl_core.video import Skeleton, Video
from vatl_drawing import write_video
from vatl_formats import NumberedPictures
from vatl_frames import PictureFiles, opened
from vatl_posetrack21.dataset import PoseTrack21
from vatl_predict.coco import write_coco
from vatl_predict.command import command
from vatl_predict.predictions import Predictions
from vatl_sleap_io.dataset import SleapIO

NODES = ["nose", "eye_a", "eye_b", "tail"]
PAIRS = [["eye_a", "eye_b"]]
NESTED = ["day2/cam/img010.png", "day2/cam/img011.png", "day2/cam/img012.png", "day1/cam/img010.png",
          "day1/cam/img011.png", "day1/cam/img031.png"]  # fmt: skip
"""In the order of the list, which is not that of their numbers."""


def picture(number: int) -> NDArray[np.uint8]:
    shown = np.full((96, 128, 3), 20 + 10 * number, np.uint8)
    shown[10 + number : 50, 20:90] = 200 - 10 * number
    return shown


def document(images: Sequence[dict[str, Any]], called: Sequence[Any]) -> dict[str, Any]:
    """Two tracks on every image but the last, which has one."""
    annotations = []
    for i, image in enumerate(images):
        for track in (4, 9)[: 1 if i == len(images) - 1 else 2]:
            points = [v for k in range(4) for v in (30 + 7 * k + track + i, 20 + 3 * k + track, 2)]
            row = {"image_id": image["id"], "category_id": 1, "track_id": track, "keypoints": points}
            annotations.append(row | {"id": called[len(annotations)], "bbox": [20.125 + i, 15, 40, 35.3]})
    category = {"id": 1, "name": "fly", "keypoints": NODES, "skeleton": [[1, 2]], "flip_pairs": PAIRS}
    return {"images": list(images), "annotations": annotations, "categories": [category]}


def loaded(annotations: Path, frames: Path) -> Video:
    data = Coco(annotations, frames)
    return data.load(*data.videos())


def predicted(registry: Registry, annotations: Path, frames: Path) -> Path:
    coco = {"annotations": str(annotations), "frames": str(frames)}
    options = {"dataset": {"coco": coco}, "estimator": {"tiny": {"input_size": [32, 32], "width": 8}}}
    settings = {"dataset": "coco", "options": options, "retrain": "none", "query": "lc", "schedule": ["1"]}
    execute(configured(registry, annotations.parent, **settings), registry)
    done = CliRunner().invoke(command, [str(annotations.parent / "run"), "--no-video"])
    assert done.exception is None, done.output
    return annotations.parent / "run" / "predictions" / "poses.json"


def assert_same(again: Video, video: Video, run: Path) -> None:
    """One by one; keypoints are the estimates."""
    one, two = again.instances, video.instances
    assert one.ids == two.ids
    for column in ("frame", "track", "previous", "next"):
        assert getattr(one, column).tolist() == getattr(two, column).tolist(), column
    assert torch.allclose(one.boxes, two.boxes, atol=1e-4)
    assert one.keypoints is not None
    assert torch.allclose(one.keypoints, Predictions.of(PastRun.open(run)).keypoints, atol=0.0051)
    assert again.skeleton == video.skeleton
    assert len(again.frames) == len(video.frames)
    for i in range(len(video.frames)):
        assert torch.equal(again.frames.read(i), video.frames.read(i))
        assert (again.frames.name(i), again.frames.time(i)) == (video.frames.name(i), video.frames.time(i))


@pytest.mark.parametrize("ids", ["numbers", "texts"])
def test_over_pictures_in_folders(tmp_path: Path, registered: Registered, ids: str) -> None:
    for number, name in enumerate(NESTED):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "data" / name), picture(number))
    images = [{"id": 50 + i, "file_name": name} for i, name in enumerate(NESTED)]
    called = [f"a-{n}" if ids == "texts" else 300 - 7 * n for n in range(11)]
    (tmp_path / "flies.json").write_text(json.dumps(document(images, called)))
    poses = predicted(registered(), tmp_path / "flies.json", tmp_path / "data")
    video, again = (loaded(path, tmp_path / "data") for path in (tmp_path / "flies.json", poses))
    assert video.instances.ids == tuple(map(str, [*called[6:], *called[:6]]))
    assert isinstance(video.frames, NumberedPictures)
    assert video.frames.names == [*NESTED[3:], *NESTED[:3]]
    assert video.instances.previous.tolist() == [-1, -1, 0, 1, -1, -1, -1, 5, 6, 7, 8]
    assert_same(again, video, tmp_path / "run")


def test_over_a_video_file(tmp_path: Path, registered: Registered) -> None:
    write_video(tmp_path / "clip.mp4", (torch.from_numpy(picture(i)).permute(2, 0, 1) for i in range(12)))
    images = [{"id": i, "file_name": "clip.mp4", "frame_index": frame} for i, frame in enumerate((2, 3, 4, 7, 8))]
    (tmp_path / "flies.json").write_text(json.dumps(document(images, range(100, 109))))
    poses = predicted(registered(), tmp_path / "flies.json", tmp_path / "clip.mp4")
    video = loaded(tmp_path / "flies.json", tmp_path / "clip.mp4")
    assert video.instances.frame.tolist() == [2, 2, 3, 3, 4, 4, 7, 7, 8]
    assert_same(loaded(poses, tmp_path / "clip.mp4"), video, tmp_path / "run")
    assert_same(loaded(poses, tmp_path), video, tmp_path / "run")


def written(video: Video, path: Path) -> dict[str, Any]:
    """The file for estimates that are all 1."""
    count, joints = len(video.instances), len(video.skeleton)
    there = torch.ones(count, joints, dtype=torch.bool)
    nobody = torch.zeros(count, dtype=torch.bool)
    index, keypoints = torch.arange(count), torch.ones(count, joints, 2)
    write_coco(Predictions(video, index, keypoints, there.float(), nobody, there, ~there), path)
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_frames_that_a_table_s_names_tell_are_kept(tmp_path: Path) -> None:
    names = [f"labeled-data/vid/img{n:03d}.png" for n in (5, 20, 40)]
    (tmp_path / "labeled-data" / "vid").mkdir(parents=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), picture(number))
    rows = ["scorer,me,me,me,me", "bodyparts,a,a,b,b", "coords,x,y,x,y", *(f"{name},10,10,30,40" for name in names)]
    (tmp_path / "CollectedData.csv").write_text("\n".join(rows) + "\n")
    content = written(SleapIO(tmp_path / "CollectedData.csv").load("vid"), tmp_path / "poses.json")
    assert [(image["file_name"], image["frame_index"]) for image in content["images"]] == list(
        zip(names, (5, 20, 40), strict=True)
    )
    again = loaded(tmp_path / "poses.json", tmp_path)
    assert again.instances.ids == ("5-0", "20-0", "40-0")
    write_video(tmp_path / "film.mp4", (torch.full((3, 96, 128), 5 * i, dtype=torch.uint8) for i in range(45)))
    assert loaded(tmp_path / "poses.json", tmp_path / "film.mp4").instances.frame.tolist() == [5, 20, 40]


@pytest.mark.parametrize("missing", [None, "000004.jpg"])
def test_a_posetrack_video_s_pictures_keep_their_folders_and_numbers(tmp_path: Path, missing: str | None) -> None:
    root = trees.posetrack21(tmp_path / "posetrack", train_val=True)
    if missing:
        next((root / "images").rglob(f"000342*/{missing}")).unlink()
    video = PoseTrack21(root, skip_broken=True).load("000342_mpii_test")
    content = written(video, tmp_path / "poses.json")
    assert content["images"][0]["file_name"] == "images/val/000342_mpii_test/000000.jpg"
    again = loaded(tmp_path / "poses.json", root).instances
    assert again.ids == video.instances.ids
    for column in ("frame", "track", "previous", "next"):
        assert getattr(again, column).tolist() == getattr(video.instances, column).tolist(), column


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [tmp_path / run / "cam" / "1.png" for run in ("b", "a")]
    skeleton = Skeleton("fly", ["nose", "left"], flip_pairs=())
    content = written(Video.of(PictureFiles(paths), np.ones((2, 4)), skeleton, frame=[0, 1]), tmp_path / "poses.json")
    assert [image["file_name"] for image in content["images"]] == ["b/cam/1.png", "a/cam/1.png"]
    assert [annotation["id"] for annotation in content["annotations"]] == [1, 2]
    assert content["categories"][0]["flip_pairs"] == []


def test_a_skeleton_without_pairs_has_none_when_it_is_read_back(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), picture(1))
    skeleton = Skeleton("fly", ["left_eye", "right_eye"], flip_pairs=())
    written(Video.of(opened([tmp_path / "1.png"]), [[10, 10, 30, 30]], skeleton), tmp_path / "poses.json")
    assert loaded(tmp_path / "poses.json", tmp_path).skeleton.flip_pairs == ()


def test_sleap_io_which_would_lose_instances_of_missing_pictures_refuses(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), picture(1))
    images = [{"id": i, "file_name": f"{i}.png", "width": 128, "height": 96} for i in (1, 2)]
    (tmp_path / "flies.json").write_text(json.dumps(document(images, range(100, 103))))
    with pytest.raises(InputError, match=r"flies\.json is no project .*1 of 2 images.*read by --dataset coco$"):
        SleapIO(tmp_path / "flies.json").videos()
