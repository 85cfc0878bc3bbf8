"""Pictures are as far apart in time as the numbers in their names, and none is a neighbour across those left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import sleap_io
import torch

from vatl_annotate.boxes.boxes_file import read_boxes, write_boxes
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.tracks import Key, Track
from vatl_coco.dataset import Coco
from vatl_core.video import Video
from vatl_formats import frames_of_names, neighbours_in_time, times_of_names
from vatl_sleap_io.dataset import SleapIO
from vatl_video.dataset import AnyVideo

POINTS = [10.0, 10.0, 2, 30.0, 40.0, 2]


# ----------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("names", "times"),
    [
        ([], []),
        (["a.png"], [0]),
        (["img7.png"], [7]),
        (["img005.png", "img020.png", "img040.png"], [5, 20, 40]),
        (["v/img10.png", "v/img2.png", "v/img1.png"], [10, 2, 1]),
        (["cam1_007_left.png", "cam1_009_left.png"], [7, 9]),
        (["f3_0.12s.png", "f4_0.16s.png", "f8_0.32s.png"], [3, 4, 8]),
        (["run1/2.png", "run1/3.png", "run2/3.png", "run2/4.png"], [0, 1, 4, 5]),
        (["b/2.png", "b/1.png", "a/1.png", "a/2.png"], [1, 0, 4, 5]),
        (["head.png", "tail.png", "wing.png"], [0, 1, 2]),
        (["b1.png", "a2.png"], [0, 1]),
        (["1.png", "01.png", "2.png"], [0, 1, 2]),
        ([f"{n}.png" for n in (3, 10**30, 7)], [0, 2, 1]),
        (["20240101101503123.png", "20240101101503156.png"], [0, 33]),
        (["a_png.rf.77aa.png", "b_png.rf.66bb.png"], [0, 1]),
        (["3_png.rf.77aa.png", "1_png.rf.66bb.png"], [3, 1]),
    ],
)
def test_numbers_in_names_are_times(names: list[str], times: list[int]) -> None:
    assert times_of_names(names) == times


@pytest.mark.parametrize(
    "names",
    [[], ["a.png"], ["7/a.png"], ["7/a.png", "8/a.png"], ["a1.png", "b2.png"], ["r1_1.png", "r1_2.png", "r2_1.png"]],
)
def test_names_that_do_not_tell_one_frame_tell_none(names: list[str]) -> None:
    assert frames_of_names(names) is None


def test_the_order_of_the_list_counts_nothing() -> None:
    names = [f"run{run}/{number}.png" for run in (1, 2, 3) for number in (1, 2, 11)]
    shuffled = np.random.default_rng(0).permutation(len(names))
    assert times_of_names([names[i] for i in shuffled]) == [times_of_names(names)[i] for i in shuffled]


# ------------------------------------------------------------------------------------------------------ neighbours
def previous(times: Sequence[int]) -> list[int]:
    return neighbours_in_time(torch.tensor(times), torch.zeros(len(times), dtype=torch.int64))[0].tolist()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([5, 20, 40], [-1, -1, -1]),
        ([7, 8, 30], [-1, 0, -1]),
        ([0, 10, 20, 30, 60, 70], [-1, 0, 1, 2, -1, 4]),
        ([0, 33, 67, 100, 134, 200, 233], [-1, 0, 1, 2, 3, -1, 5]),
        ([0, 7, 9, 40, 58, 90, 91, 140], [-1, -1, -1, -1, -1, -1, 5, -1]),
        ([3, 2, 1, 0], [1, 2, 3, -1]),
    ],
    ids=["none", "sparse", "two together", "every tenth", "milliseconds", "here and there", "backwards"],
)
def test_neighbours_are_a_usual_step_apart(times: list[int], expected: list[int]) -> None:
    assert previous(times) == expected


def test_tracks_share_the_usual_step_and_nothing_else() -> None:
    before, after = neighbours_in_time(torch.tensor([0, 0, 4, 4, 8, 20]), torch.tensor([0, 1, 0, 1, 1, 0]))
    assert before.tolist() == [-1, -1, 0, 1, 3, -1]
    assert after.tolist() == [2, 3, -1, 4, -1, -1]


# ------------------------------------------------------------------------------------------------------- data sets
def pictures(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.zeros((60, 80, 3), np.uint8))


def coco(folder: Path, names: Sequence[str]) -> Video:
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "track_id": 7, "keypoints": POINTS, "bbox": [5, 5, 40, 45]}
        for i in range(len(names))
    ]
    category = {"id": 1, "name": "fly", "keypoints": ["a", "b"]}
    path = folder.parent / "annotations.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    data = Coco(path, folder)
    return data.load(*data.videos())


def sleap(folder: Path, names: Sequence[str]) -> Video:
    heads = ["scorer,me,me,me,me", "individuals,ann,ann,ann,ann", "bodyparts,a,a,b,b", "coords,x,y,x,y"]
    (folder / "CollectedData.csv").write_text("\n".join([*heads, *(f"{name},10,10,30,40" for name in names)]) + "\n")
    data = SleapIO(folder / "CollectedData.csv")
    return data.load(*data.videos())


def boxes(folder: Path, names: Sequence[str]) -> Video:
    coco(folder, names)
    data = AnyVideo(folder, folder.parent / "annotations.json")
    return data.load(*data.videos())


@pytest.mark.parametrize("read", [coco, sleap, boxes])
@pytest.mark.parametrize(
    ("names", "times", "expected"),
    [
        (["img20.png", "img5.png", "img40.png"], [0, 15, 35], [-1, -1, -1]),
        (["img2.png", "img9.png", "img10.png"], [0, 7, 8], [-1, -1, 1]),
        ([f"img{n}.png" for n in (0, 5, 10, 15, 30)], [0, 5, 10, 15, 30], [-1, 0, 1, 2, -1]),
    ],
)
def test_all_who_read_pictures_read_their_times_alike(
    tmp_path: Path,
    read: Callable[[Path, Sequence[str]], Video],
    names: list[str],
    times: list[int],
    expected: list[int],
) -> None:
    pictures(tmp_path / "pictures", names)
    video = read(tmp_path / "pictures", names)
    assert video.instances.frame.tolist() == list(range(len(names)))
    assert [video.frames.time(i) - video.frames.time(0) for i in range(len(names))] == times
    assert video.instances.previous.tolist() == expected


def test_a_track_does_not_go_on_in_another_folder(tmp_path: Path) -> None:
    names = ["a/img1.png", "a/img2.png", "b/img1.png", "b/img2.png"]
    pictures(tmp_path / "pictures", names)
    assert coco(tmp_path / "pictures", names).instances.previous.tolist() == [-1, 0, -1, 2]


def test_boxes_that_were_drawn_on_pictures_leave_the_time_to_their_names(tmp_path: Path) -> None:
    pictures(tmp_path / "pictures", ["img5.png", "img20.png", "img40.png"])
    footage = Footage.open(tmp_path / "pictures")
    track = Track(0, tuple(Key(frame, (5.0, 5.0, 20.0, 20.0)) for frame in range(3)))
    category = {"id": 1, "name": "fly", "keypoints": ["a", "b"], "skeleton": []}
    write_boxes(tmp_path / "pictures.boxes.json", [track], category, footage)
    assert read_boxes(tmp_path / "pictures.boxes.json", footage).tracks == (track,)
    data = Coco(tmp_path / "pictures.boxes.json", tmp_path / "pictures")
    assert data.load(*data.videos()).instances.previous.tolist() == [-1, -1, -1]


def test_a_sleap_project_that_lists_its_pictures_as_text_has_them_by_number(tmp_path: Path) -> None:
    names = ["img1.png", "img10.png", "img2.png"]
    pictures(tmp_path, names)
    video = sleap_io.Video.from_filename([str(tmp_path / name) for name in names])
    fly, ann = sleap_io.Skeleton(nodes=["a", "b"]), sleap_io.Track("ann")
    frames = [
        sleap_io.LabeledFrame(
            video=video,
            frame_idx=i,
            instances=[sleap_io.Instance.from_numpy(np.array([[10.0 + i, 10], [30, 40]]), skeleton=fly, track=ann)],
        )
        for i in range(3)
    ]
    labels = sleap_io.Labels(frames, videos=[video], skeletons=[fly], tracks=[ann])
    labels.save(str(tmp_path / "flies.slp"), embed=False)
    data = SleapIO(tmp_path / "flies.slp")
    read = data.load(*data.videos())
    assert [read.frames.name(i) for i in range(3)] == ["img1.png", "img2.png", "img10.png"]
    assert read.instances.keypoints is not None
    assert read.instances.keypoints[:, 0, 0].tolist() == [10, 12, 11]
    assert (read.instances.frame.tolist(), read.instances.previous.tolist()) == ([0, 1, 2], [-1, 0, -1])
