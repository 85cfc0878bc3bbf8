"""The data set ``coco``: what loads, what is dropped, and what each kind of bad input is told."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Vatl
from vatl_coco.dataset import Coco
from vatl_coco.plugin import vatl_components
from vatl_core.errors import InputError
from vatl_core.estimation import Crops
from vatl_core.video import PERSON_17, Video
from vatl_drawing import write_video
from vatl_frames import PictureFiles, VideoFile

FRAMES, HEIGHT, WIDTH = 6, 48, 64
NAN, INFINITY = float("nan"), float("inf")


def document() -> dict[str, Any]:
    """Two flies of three keypoints over six frames; the third keypoint of track 1 is never annotated."""
    images = [{"id": 10 + f, "file_name": f"{f:03d}.png", "width": WIDTH, "height": HEIGHT} for f in range(FRAMES)]
    annotations = [
        {
            "id": 100 + 2 * f + t,
            "image_id": 10 + f,
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


def save(folder: Path, content: Any) -> Path:
    path = folder / "annotations.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load(folder: Path, content: Any, **options: Any) -> Video:
    data = Coco(save(folder, content), **options)
    (name,) = data.videos()
    return data.load(name)


def grey(frame: int) -> int:
    """How bright a frame of the test's video is, so that one can tell which it is."""
    return 20 + 30 * frame


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flies")
    for f in range(FRAMES):
        cv2.imwrite(str(folder / f"{f:03d}.png"), np.full((HEIGHT, WIDTH, 3), grey(f), np.uint8))
    write_video(
        folder / "clip.mp4", (torch.full((3, HEIGHT, WIDTH), grey(f), dtype=torch.uint8) for f in range(FRAMES))
    )
    return folder


def same(a: Video, b: Video) -> bool:
    """Whether two videos have the same instances."""
    one, two = a.instances, b.instances
    columns = ("frame", "track", "boxes", "keypoints", "visible", "previous", "next")
    return one.ids == two.ids and all(torch.equal(getattr(one, c), getattr(two, c)) for c in columns)


# ------------------------------------------------------------------------------------------------------ what loads
def test_an_instance_is_where_its_annotation_says(pictures: Path) -> None:
    video = load(pictures, document())
    instances = video.instances
    assert len(instances) == 2 * FRAMES
    assert instances.frame.tolist() == [f for f in range(FRAMES) for _ in (0, 1)]
    assert instances.track.tolist() == [0, 1] * FRAMES
    assert instances.ids[:3] == ("100", "101", "102")
    assert instances.boxes[3].tolist() == [25.0, 6.5, 20.0, 15.25]
    assert instances.keypoints is not None
    assert instances.visible is not None
    assert instances.keypoints[3, :2].tolist() == [[29.0, 9.5], [33.25, 12.0]]
    assert instances.visible[2:4].tolist() == [[True, True, True], [True, True, False]]
    assert instances.previous[:4].tolist() == [-1, -1, 0, 1]
    assert video.dropped == {}


def test_the_skeleton_is_the_first_category(pictures: Path) -> None:
    skeleton = load(pictures, document()).skeleton
    assert (skeleton.name, skeleton.keypoints) == ("fly", ("head", "wingL", "wingR"))
    assert skeleton.edges == ((0, 1), (0, 2))
    assert skeleton.flip_pairs == ((1, 2),)
    assert skeleton.sigmas == (0.05, 0.05, 0.05)


def test_a_person_has_measured_sigmas_in_any_order_of_keypoints(pictures: Path) -> None:
    content = document()
    content["categories"][0] = {"id": 1, "keypoints": list(reversed(PERSON_17.keypoints))}
    for annotation in content["annotations"]:
        annotation["keypoints"] = [9, 9, 2] * 17
    assert load(pictures, content).skeleton.sigmas == tuple(reversed(PERSON_17.sigmas))


def test_sigmas_can_be_given(pictures: Path) -> None:
    assert load(pictures, document(), sigmas=[0.1, 0.2, 0.3]).skeleton.sigmas == (0.1, 0.2, 0.3)


def test_an_edge_that_is_there_twice_counts_once(pictures: Path) -> None:
    content = document()
    content["categories"][0]["skeleton"] = [[2, 1], [1, 3], [1, 2]]
    assert load(pictures, content).skeleton.edges == ((1, 0), (0, 2))


NO_EDGE = "edge of the skeleton that joins no two of its keypoints"
EDGES: list[tuple[list[Any], tuple[tuple[int, int], ...], int]] = [
    ([[0, 1], [2, 1]], ((0, 1), (2, 1)), 0),  # counted from 0
    ([[0, 2], [2, 3]], ((0, 2),), 1),
    ([[1, 2], [2, 4]], ((0, 1),), 1),
    ([[1.0, 3.0], [1.5, 2]], ((0, 2),), 1),
    ([[2, 2], [1, 2, 3], "ab", None, [1, "2"], [True, 2], [-1, 2], [], [3, 2]], ((2, 1),), 8),
    ([], (), 0),
]


@pytest.mark.parametrize(("edges", "expected", "left_out"), EDGES)
def test_edges_are_counted_from_0_or_1_and_impossible_ones_left_out(
    pictures: Path, edges: list[Any], expected: tuple[tuple[int, int], ...], left_out: int
) -> None:
    content = document()
    content["categories"][0]["skeleton"] = edges
    video = load(pictures, content)
    assert video.skeleton.edges == expected
    assert video.dropped == ({NO_EDGE: left_out} if left_out else {})


@pytest.mark.parametrize("empty", [{}, {"keypoints": []}, {"keypoints": None, "skeleton": [[9, 9]]}])
def test_the_first_category_with_keypoints_counts(pictures: Path, empty: dict[str, Any]) -> None:
    content = document()
    content["categories"] = [{"id": 0, "name": "insects", "supercategory": "none"} | empty, *content["categories"]]
    content["annotations"][5] |= {"category_id": 0, "keypoints": []}
    video = load(pictures, content)
    assert video.skeleton == load(pictures, document()).skeleton
    assert video.dropped == {"of another category than the first with keypoints": 1}
    assert len(video.instances) == 2 * FRAMES - 1


@pytest.mark.parametrize("field", ["category_id", "image_id"])
@pytest.mark.parametrize("of_annotations", [False, True])
def test_ids_as_text_are_those_that_read_the_same(pictures: Path, field: str, of_annotations: bool) -> None:
    content = document()
    meant = "categories" if field == "category_id" else "images"
    rows, key = (content["annotations"], field) if of_annotations else (content[meant], "id")
    for row in rows:
        row[key] = str(row[key])
    assert same(load(pictures, content), load(pictures, document()))


def test_videos_are_told_apart_by_ids_as_text(pictures: Path) -> None:
    content = document()
    content["videos"] = [{"id": 1, "name": "first"}, {"id": "2", "name": "second"}]
    for f, image in enumerate(content["images"]):
        image["video_id"] = (1, "1", 2, "2")[f] if f < 4 else 2
    for annotation in content["annotations"]:
        annotation["image_id"] = str(annotation["image_id"])
    data = Coco(save(pictures, content))
    assert data.videos() == ["first", "second"]
    assert [len(data.load(name).instances) for name in data.videos()] == [4, 8]


def test_the_video_is_called_after_its_file_unless_told(pictures: Path) -> None:
    assert Coco(save(pictures, document())).videos() == [f"{pictures.name}-annotations"]
    assert Coco(save(pictures, document()), name="courtship").videos() == ["courtship"]


def test_picture_files_and_a_video_file_have_the_same_instances(pictures: Path) -> None:
    as_pictures = load(pictures, document())
    as_video = load(pictures, document(), frames=pictures / "clip.mp4")
    assert isinstance(as_pictures.frames, PictureFiles)
    assert isinstance(as_video.frames, VideoFile)
    assert same(as_pictures, as_video)
    for video in (as_pictures, as_video):
        assert [abs(video.frames.read(f).float().mean().item() - grey(f)) < 4 for f in range(FRAMES)] == [True] * FRAMES


def test_the_video_file_may_be_named_by_every_image(pictures: Path) -> None:
    content = document()
    for image in content["images"]:
        image["file_name"] = "clip.mp4"
    video = load(pictures, content)
    assert isinstance(video.frames, VideoFile)
    assert same(video, load(pictures, content, frames=pictures))


def test_frame_index_says_which_frame_of_a_video_file_an_image_is(pictures: Path) -> None:
    content = document()
    for f, image in enumerate(content["images"]):
        image["frame_index"] = FRAMES - 1 - f
    frames = load(pictures, content, frames=pictures / "clip.mp4").instances
    assert frames.frame.tolist() == [f for f in range(FRAMES) for _ in (0, 1)]
    assert frames.ids[:2] == ("110", "111")


def test_frame_index_orders_picture_files_and_its_gaps_part_neighbours(pictures: Path) -> None:
    content = document()
    for f, image in enumerate(content["images"]):
        image["frame_index"] = (50, 40, 41, 42, 43, 44)[f]
    video = load(pictures, content)
    assert video.frames.read(0).float().mean().item() == grey(1)
    assert video.frames.read(5).float().mean().item() == grey(0)
    assert video.instances.ids[-2:] == ("100", "101")
    assert video.instances.frame[-2:].tolist() == [5, 5]
    assert video.instances.previous.tolist() == [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7, -1, -1]


@pytest.mark.parametrize(
    "name", ["{:d}.png", "run2-{:03d}.png", "a/7/{:02d}_90.png", "im{:04d}_png.rf.{:x}0b7e{:x}.png", "{:0600d}.png"]
)
def test_picture_files_are_in_the_order_in_which_their_names_count(
    pictures: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vatl_coco.pictures.missing_files", lambda paths: [])
    content = document()
    for f, image in enumerate(content["images"]):
        image["file_name"] = name.format(8 + f, 77 - 9 * f, 200 * f)
    content["images"] = [content["images"][i] for i in (4, 0, 5, 2, 1, 3)]
    video = load(pictures, content)
    assert same(video, load(pictures, document()))
    assert isinstance(video.frames, PictureFiles)
    assert [str(p) for p in video.frames.paths] == [
        str(pictures / name.format(8 + f, 77 - 9 * f, 200 * f)) for f in range(FRAMES)
    ]


@pytest.mark.parametrize("names", ["zoa", ["b1", "a2", "c3"], ["1", "01", "2"], ["x/2", "y/1", "z/0"]])
def test_picture_files_whose_names_do_not_count_are_in_the_order_of_the_list(
    pictures: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vatl_coco.pictures.missing_files", lambda paths: [])
    content = document()
    content["images"], content["annotations"] = content["images"][:3], content["annotations"][:6]
    for image, name in zip(content["images"], names, strict=True):
        image["file_name"] = f"{name}.png"
    frames = load(pictures, content).frames
    assert isinstance(frames, PictureFiles)
    assert list(frames.paths) == [pictures / f"{name}.png" for name in names]


def test_instances_are_ordered_by_frame_then_as_in_the_file(pictures: Path) -> None:
    content = document()
    content["annotations"].reverse()
    assert load(pictures, content).instances.ids[:4] == ("101", "100", "103", "102")


def test_without_track_id_every_instance_is_its_own_track(pictures: Path) -> None:
    content = document()
    for annotation in content["annotations"]:
        del annotation["track_id"]
    instances = load(pictures, content).instances
    assert len(set(instances.track.tolist())) == 2 * FRAMES
    assert instances.previous.eq(-1).all()


def test_tracks_of_some_stay_apart_from_those_without(pictures: Path) -> None:
    content = document()
    del content["annotations"][0]["track_id"]
    track = load(pictures, content).instances.track.tolist()
    assert track[0] not in track[1:]
    assert track[1:] == [1, *[0, 1] * (FRAMES - 1)]


def test_ids_may_be_names_or_whole_floats(pictures: Path) -> None:
    content = document()
    for image in content["images"]:
        image["id"] = f"picture {image['id']}"
    for annotation in content["annotations"]:
        annotation["image_id"] = f"picture {annotation['image_id']}"
        annotation["track_id"] = ("ann", "bob")[annotation["track_id"]]
        annotation["id"] = float(annotation["id"])
        annotation["category_id"] = 1.0
    assert same(load(pictures, content), load(pictures, document()))


def test_tracks_may_stand_among_the_attributes(pictures: Path) -> None:
    content = document()
    for annotation in content["annotations"]:
        annotation["attributes"] = {"occluded": False, "track_id": annotation.pop("track_id"), "keyframe": True}
    video = load(pictures, content)
    assert same(video, load(pictures, document()))
    assert video.instances.previous[:4].tolist() == [-1, -1, 0, 1]
    content["annotations"][0]["track_id"] = 5
    assert load(pictures, content).instances.track[:3].tolist() == [5, 1, 0], "its own place counts first"
    content["annotations"][3]["attributes"]["track_id"] = 0
    with pytest.raises(InputError, match="annotation 103 is of track 0 on image 11, as is annotation 102"):
        load(pictures, content)


def test_a_track_number_beyond_int64_is_a_name(pictures: Path) -> None:
    content = document()
    for annotation in content["annotations"]:
        annotation["track_id"] += 10**30
    assert load(pictures, content).instances.track.tolist() == [0, 1] * FRAMES


def test_images_of_several_videos_are_several_videos(pictures: Path) -> None:
    content = document()
    content["videos"] = [{"id": 1, "name": "first"}, {"id": 2, "name": "second"}]
    for f, image in enumerate(content["images"]):
        image["video_id"] = 1 + f // 4
    data = Coco(save(pictures, content))
    assert data.videos() == ["first", "second"]
    second = data.load("second")
    assert second.instances.ids == ("108", "109", "110", "111")
    assert second.instances.frame.tolist() == [0, 0, 1, 1]
    assert second.frames.read(0).float().mean().item() == grey(4)
    assert len(data.load("first").instances) == 8


def test_a_file_is_read_once_and_forgotten(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Coco(save(pictures, document()))
    reads: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), read(path))[1])
    data.load(data.videos()[0])
    assert len(reads) == 1
    assert data._parts["test"]._document is None


# ------------------------------------------------------------------------------------------- truth, boxes, dropped
@pytest.mark.parametrize("empty", [[0.0] * 9, [], None])
def test_a_file_with_no_annotated_keypoint_has_no_truth(pictures: Path, empty: list[float] | None) -> None:
    content = document()
    for annotation in content["annotations"]:
        annotation["keypoints"] = empty
    instances = load(pictures, content).instances
    assert len(instances) == 2 * FRAMES
    assert instances.keypoints is None
    assert instances.visible is None
    assert not instances.known.any()


def test_an_instance_without_keypoints_stays_among_others(pictures: Path) -> None:
    content = document()
    del content["annotations"][3]["keypoints"]
    visible = load(pictures, content).instances.visible
    assert visible is not None
    assert visible.any(dim=1).tolist() == [i != 3 for i in range(2 * FRAMES)]


def test_what_has_no_keypoints_is_not_known_and_what_has_none_visible_is(pictures: Path) -> None:
    content = document()
    none, empty, blank = content["annotations"][1:4]
    del none["keypoints"]
    empty["keypoints"] = []
    blank |= {"keypoints": [0.0] * 9, "num_keypoints": 0}
    instances = load(pictures, content).instances
    assert torch.nonzero(~instances.known).flatten().tolist() == [1, 2]
    assert torch.nonzero(~instances.annotated).flatten().tolist() == [1, 2, 3]


@pytest.mark.parametrize("box", [{}, {"bbox": None}, {"bbox": []}])
def test_a_missing_box_surrounds_the_annotated_keypoints(pictures: Path, box: dict[str, Any]) -> None:
    content = document()
    del content["annotations"][1]["bbox"]
    content["annotations"][1] |= box
    box = load(pictures, content).instances.boxes[1]
    width, height = 4.25, 2.5
    margin = 0.15 * width
    assert box.tolist() == pytest.approx([28 - margin, 9.5 - margin, width + 2 * margin, height + 2 * margin])


def of_one_keypoint() -> dict[str, Any]:
    """The flies' heads alone, with each kind of box that tools write then."""
    content = document()
    content["categories"][0] |= {"keypoints": ["head"], "skeleton": []}
    for n, annotation in enumerate(content["annotations"]):
        annotation["keypoints"] = annotation["keypoints"][:3]
        x, y, _ = annotation["keypoints"]
        annotation["bbox"] = (None, [x, y, 0, 0], [], [x, y, 0, 9.0])[n % 4]
    return content


def test_one_keypoint_has_a_box_of_the_extent_that_is_given(pictures: Path) -> None:
    content = of_one_keypoint()
    content["annotations"][7]["bbox"] = [1, 2, 3, 4]
    video = load(pictures, content, extent=12)
    assert video.dropped == {}
    assert video.instances.boxes[:4].tolist() == [[x - 6, 3.5, 12, 12] for x in (8, 28, 9, 29)]
    assert video.instances.boxes[7].tolist() == [1, 2, 3, 4], "what has an area stays"
    with pytest.raises(InputError, match=r"no instances.*dropped: box without area: .*-o dataset\.extent="):
        load(pictures, of_one_keypoint())
    content = of_one_keypoint()
    content["annotations"][0]["keypoints"] = [0, 0, 0]
    content["annotations"][1]["keypoints"] = []
    assert load(pictures, content, extent=2.5).dropped == {
        "neither a box nor an annotated keypoint": 1,
        "box without area": 1,
    }


@pytest.mark.parametrize("extent", [0, -3, NAN, INFINITY])
def test_an_extent_is_a_length(pictures: Path, extent: float) -> None:
    with pytest.raises(InputError, match=r"extent is .*: give the least side .* in pixels"):
        load(pictures, document(), extent=extent)


def test_a_box_that_leaves_the_picture_is_not_clipped(pictures: Path) -> None:
    content = document()
    content["annotations"][0]["bbox"] = [-5, -6, 300, 200]
    assert load(pictures, content).instances.boxes[0].tolist() == [-5, -6, 300, 200]


DROPS: list[tuple[str, dict[str, Any]]] = [
    ("marked as a crowd", {"iscrowd": 1, "keypoints": []}),
    ("of another category than the first", {"category_id": 2, "keypoints": [1, 2, 3]}),
    ("box without area", {"bbox": [3, 3, 0, 10]}),
    ("box without area", {"bbox": [3, 3, 10, -1]}),
    ("box without area", {"bbox": [3, 3, 10, 1e-60]}),
    ("box without area", {"bbox": None, "keypoints": [3, 3, 2, 0, 0, 0, 0, 0, 0]}),
    ("box outside of the picture", {"bbox": [WIDTH, 3, 10, 10]}),
    ("box outside of the picture", {"bbox": [3, HEIGHT + 9, 10, 10]}),
    ("box outside of the picture", {"bbox": [-10, 3, 10, 10]}),
    ("box outside of the picture", {"bbox": [3, -12.5, 10, 10]}),
    ("neither a box nor an annotated keypoint", {"bbox": None, "keypoints": [3, 3, 0] * 3}),
]


@pytest.mark.parametrize(("reason", "change"), DROPS)
def test_what_is_dropped_is_counted(pictures: Path, reason: str, change: dict[str, Any]) -> None:
    content = document()
    content["annotations"][4] |= change
    content["annotations"][7] |= change
    video = load(pictures, content)
    assert video.dropped == {reason: 2}
    assert video.instances.ids == tuple(str(100 + i) for i in range(2 * FRAMES) if i not in (4, 7))


def test_pictures_of_unknown_size_have_no_far_side(pictures: Path) -> None:
    content = document()
    content["annotations"][4]["bbox"] = [WIDTH + 50, 3, 10, 10]
    content["images"][2] |= {"width": None, "height": 0}
    assert load(pictures, content).dropped == {}


def test_a_size_that_is_not_the_picture_s_is_refused(tmp_path: Path, pictures: Path) -> None:
    from PIL import ExifTags, Image

    content = document()
    content["images"] = content["images"][:3]
    content["annotations"] = content["annotations"][:6]
    for f in range(3):
        picture = Image.fromarray(np.full((HEIGHT, WIDTH, 3), grey(f), np.uint8))
        exif = picture.getexif()
        exif[ExifTags.Base.Orientation] = 6 if f == 1 else 1  # one was taken with the camera upright
        picture.save(tmp_path / f"{f:03d}.jpg", exif=exif)
        content["images"][f]["file_name"] = f"{f:03d}.jpg"
    with pytest.raises(InputError) as caught:
        load(tmp_path, content)
    words = ["image 11 has width 64 and height 48", "001.jpg is 48 wide and 64 high", "EXIF"]
    assert_says(caught.value, [str(tmp_path / "annotations.json"), *words])
    content["images"][1] |= {"width": HEIGHT, "height": WIDTH}
    assert load(tmp_path, content).frames.read(1).shape == (3, WIDTH, HEIGHT)
    content["images"][2] |= {"width": 2 * WIDTH, "height": 2 * HEIGHT}
    with pytest.raises(
        InputError, match=r"image 12 has width 128 and height 96, but 002\.jpg is 64 wide and 48 high: "
    ):
        load(tmp_path, content)
    (tmp_path / "002.jpg").write_bytes(b"cut")
    load(tmp_path, content)  # a damaged picture is told when it is needed
    as_video = document()
    as_video["images"][4] |= {"width": HEIGHT, "height": WIDTH}
    with pytest.raises(InputError, match=r"image 14 has width 48 and height 64, but clip\.mp4 is 64 wide"):
        load(pictures, as_video, frames=pictures / "clip.mp4")


# ------------------------------------------------------------------------------------------------- source training
SIZES = ((64, 48), (40, 80), (120, 30))


def picture_set(folder: Path, name: str, pictures: bool = True) -> Path:
    """A file in the layout of the published ones, over pictures of different sizes, and what training leaves out."""
    images, annotations = [], []
    (folder / name).mkdir(parents=True)
    for n, (width, height) in enumerate(SIZES):
        images.append({"id": 7 * n, "file_name": f"{n:012d}.jpg", "width": width, "height": height, "license": 3})
        if pictures:
            cv2.imwrite(str(folder / name / f"{n:012d}.jpg"), np.full((height, width, 3), grey(n), np.uint8))
        pose = [5, 6, 2, 20, 22, 1, *[0] * 45]
        annotation = {"image_id": 7 * n, "category_id": 1, "iscrowd": 0, "num_keypoints": 2, "keypoints": pose}
        annotation |= {"area": 90.5, "bbox": [-4.0, 2.0, 500.0, 25.0], "segmentation": [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]}
        empty: dict[str, Any] = {"num_keypoints": 0, "keypoints": [0] * 51}
        annotations += [annotation, annotation | empty]
        annotations.append(annotation | empty | {"iscrowd": 1, "segmentation": {"counts": [3, 4], "size": [48, 64]}})
    annotations += [annotation | {"area": 0}, annotation | {"num_keypoints": 0}, annotation | {"bbox": [121, 2, 9, 9]}]
    for n, annotation in enumerate(annotations):
        annotations[n] = annotation | {"id": 1000 + n}
    edges = [[a + 1, b + 1] for a, b in PERSON_17.edges]
    category = {"id": 1, "name": "person", "keypoints": list(PERSON_17.keypoints), "skeleton": edges}
    path = folder / f"person_keypoints_{name}.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    return path


def test_training_keeps_what_has_keypoints_and_area_and_clips_its_box(tmp_path: Path) -> None:
    data = Coco(train=picture_set(tmp_path, "train2017"), train_frames=tmp_path / "train2017")
    (name,) = data.of_split("train")
    video = data.load(name)
    assert video.instances.ids == ("1000", "1003", "1006")
    assert video.instances.boxes.tolist() == [[0, 2, width, min(25, height - 2)] for width, height in SIZES]
    left_out = {"marked as a crowd": 3, "no annotated keypoint": 4, "an area of 0": 1, "box outside of the picture": 1}
    assert video.dropped == left_out
    assert video.skeleton.sigmas == PERSON_17.sigmas


def test_a_picture_set_is_no_video(tmp_path: Path) -> None:
    data = Coco(train=picture_set(tmp_path, "train2017"), train_frames=tmp_path / "train2017")
    (name,) = data.sources()
    instances = data.load(name).instances
    assert len(set(instances.track.tolist())) == len(instances)
    assert instances.previous.eq(-1).all()
    assert instances.next.eq(-1).all()


def test_splits_name_what_is_given(tmp_path: Path, pictures: Path) -> None:
    train, val = picture_set(tmp_path, "train2017"), picture_set(tmp_path, "val2017")
    own = save(pictures, document())
    only = Coco(train=train)
    assert list(only.splits()) == ["train"]
    assert only.videos() == []
    data = Coco(own, train=train, val=val, train_frames=tmp_path / "train2017", val_frames=tmp_path / "val2017")
    assert list(data.splits()) == ["train", "val", "test"]
    names = [name for videos in data.splits().values() for name in videos]
    assert len(set(names)) == 3
    assert [len(data.load(name).instances) for name in names] == [3, 3, 2 * FRAMES]
    assert data.sources() == data.of_split("train")
    with pytest.raises(InputError, match="no split is called 'trian': did you mean 'train'"):
        data.of_split("trian")
    with pytest.raises(InputError, match="no video is called 'nobody'"):
        data.load("nobody")


def test_poses_need_no_pictures(tmp_path: Path) -> None:
    data = Coco(train=picture_set(tmp_path, "train2017", pictures=False), train_frames=tmp_path / "not" / "there")
    ((skeleton, instances),) = data.split_poses("train")
    assert skeleton.keypoints == PERSON_17.keypoints
    assert instances.frame.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="correct the option train_frames"):
        data.load(data.sources()[0])
    (name,) = Coco(train=tmp_path / "person_keypoints_train2017.json").sources()
    with pytest.raises(InputError, match="as the option train_frames"):
        Coco(train=tmp_path / "person_keypoints_train2017.json").load(name)


def test_a_file_to_train_on_is_left_alone_where_a_video_is_adapted_to(tmp_path: Path, pictures: Path) -> None:
    data = Coco(save(pictures, document()), train=tmp_path / "nothing.json")
    assert len(data.load(data.videos()[0]).instances) == 2 * FRAMES
    with pytest.raises(InputError, match=r"nothing\.json does not exist"):
        data.sources()


def test_one_file_at_least_is_needed() -> None:
    with pytest.raises(InputError, match=r"dataset\.annotations=.*dataset\.train="):
        Coco()


def test_videos_of_a_file_to_train_on_are_read_together(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = document()
    for f, image in enumerate(content["images"]):
        image["video_id"] = f // 3
    data = Coco(train=save(pictures, content))
    reads: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), read(path))[1])
    assert [len(instances) for _, instances in data.split_poses("train")] == [6, 6]
    assert len(reads) == 1


@pytest.mark.parametrize(("field", "value"), [("area", "9"), ("area", True), ("num_keypoints", 1.5)])
def test_numbers_that_only_training_reads_are_checked(tmp_path: Path, field: str, value: Any) -> None:
    path = picture_set(tmp_path, "train2017")
    content = json.loads(path.read_text())
    content["annotations"][3][field] = value
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"annotation 1003 has {field} "):
        list(Coco(train=path).split_poses("train"))


def test_pictures_of_different_sizes_are_cropped_where_the_instances_are(tmp_path: Path) -> None:
    data = Coco(train=picture_set(tmp_path, "train2017"), train_frames=tmp_path / "train2017")
    crops = Crops(data.load(data.sources()[0]).without_truth(), (32, 24), torch.device("cpu"), 2**20)
    centres = crops.get(torch.tensor([2, 0, 1]))[:, :, 16, 12].float().mean(1)
    assert (centres - torch.tensor([grey(2), grey(0), grey(1)])).abs().max() < 4


def test_a_source_estimator_is_trained_on_a_picture_set(tmp_path: Path, vatl: Vatl) -> None:
    files = ["--dataset", "coco"]
    for split in ("train", "val"):
        files += ["-o", f"dataset.{split}={picture_set(tmp_path, split)}"]
        files += ["-o", f"dataset.{split}_frames={tmp_path / split}"]
    tiny = ["--estimator", "tiny", "-o", "estimator.input_size=32,32", "-o", "estimator.width=8"]
    done = vatl("train", *files, *tiny, "--epochs", "1", "--device", "cpu", "--out", tmp_path / "tiny.safetensors")
    assert done.code == 0, done.err
    assert "3 instances of 1 videos; validation: split 'val'" in done.out + done.err
    assert (tmp_path / "tiny.safetensors").exists()
    nothing = vatl("run", *files, *tiny)
    assert (nothing.code, nothing.err.count("\n")) == (2, 1)
    assert "has no video" in nothing.err


# ------------------------------------------------------------------------------------------------------- bad input
Change = Callable[[dict[str, Any]], object]


def setting(where: str, position: int, **values: Any) -> Change:
    return lambda content: content[where][position].update(values)


def without(where: str, position: int, field: str) -> Change:
    return lambda content: content[where][position].pop(field)


def keypoints(*values: Any) -> Change:
    return setting("annotations", 3, keypoints=list(values))


POSE = (9.0, 9.0, 2, 9.0, 9.0, 2)
BAD_CONTENT: dict[str, tuple[Change, list[str]]] = {
    "no images": (lambda c: c.pop("images"), ["no images", "COCO keypoints"]),
    "no lists": (lambda c: c.clear(), ["no images and no annotations and no categories"]),
    "images null": (lambda c: c.update(images=None), ["no images"]),
    "images object": (lambda c: c.update(images={}), ["images must be a list"]),
    "images empty": (lambda c: c.update(images=[]), ["lists no images"]),
    "images of numbers": (lambda c: c.update(images=[3]), ["no. 1 of images"]),
    "annotations empty": (lambda c: c.update(annotations=[]), ["lists no annotations"]),
    "annotation is text": (lambda c: c["annotations"].__setitem__(2, "x"), ["no. 3 of annotations"]),
    "categories empty": (lambda c: c.update(categories=[]), ["lists no categories"]),
    "instances file": (without("categories", 0, "keypoints"), ["category 1", "no keypoints", "instances"]),
    "skeleton without keypoints": (setting("categories", 0, keypoints=[]), ["category 1", "empty list of keypoints"]),
    "keypoint names number": (setting("categories", 0, keypoints=17), ["category 1", "17", "list of names"]),
    "keypoint name number": (setting("categories", 0, keypoints=["a", 2, "c"]), ["category 1", "list of names"]),
    "keypoint name twice": (setting("categories", 0, keypoints=["a", "b", "a"]), ["'fly'", "twice: a"]),
    "skeleton of text": (setting("categories", 0, skeleton="ab"), ["'ab'", "list of pairs"]),
    "category without id": (without("categories", 0, "id"), ["category no. 1", "no id"]),
    "image without id": (without("images", 1, "id"), ["image no. 2", "no id"]),
    "image id list": (setting("images", 1, id=[1]), ["image [1]", "whole number or a string"]),
    "image id true": (setting("images", 1, id=True), ["True", "whole number or a string"]),
    "image id twice": (setting("images", 1, id=10), ["image 10", "twice"]),
    "file_name number": (setting("images", 1, file_name=7), ["image 11", "file_name 7"]),
    "file_name absent": (without("images", 1, "file_name"), ["image 11", "file_name None"]),
    "picture missing": (setting("images", 4, file_name="gone.png"), ["1 of the 6", "gone.png", "option frames"]),
    "impossible file_name": (setting("images", 4, file_name="a\0b.png"), ["1 of the 6", "option frames"]),
    "endless file_name": (setting("images", 4, file_name="a" * 5000), ["1 of the 6", "option frames"]),
    "a video among pictures": (setting("images", 4, file_name="clip.mp4"), ["clip.mp4", "6 files"]),
    "width text": (setting("images", 4, width="64"), ["image 14", "width '64'"]),
    "height NaN": (setting("images", 4, height=NAN), ["image 14", "nan", "height"]),
    "frame_index fraction": (setting("images", 4, frame_index=1.5), ["image 14", "frame_index 1.5", "whole"]),
    "frame_index text": (setting("images", 4, frame_index="4"), ["image 14", "frame_index '4'", "whole"]),
    "frame_index negative": (setting("images", 4, frame_index=-1), ["image 14", "frame_index -1", "from 0"]),
    "frame_index huge": (setting("images", 4, frame_index=10**40), ["image 14", "frame_index 1000", "whole"]),
    "frame_index for some": (setting("images", 0, frame_index=0), ["image 11", "no frame_index", "all or to none"]),
    "frame_index twice": (
        lambda c: [i.update(frame_index=min(n, 4)) for n, i in enumerate(c["images"])],
        ["image 15", "frame_index 4", "image 14"],
    ),
    "video_id for some": (setting("images", 0, video_id=0), ["image 11", "no video_id"]),
    "annotation without id": (without("annotations", 3, "id"), ["annotation no. 4", "no id"]),
    "annotation id twice": (setting("annotations", 3, id=100), ["annotation 100", "twice"]),
    "annotation id twice as text": (setting("annotations", 3, id="100"), ["annotation '100'", "twice"]),
    "image_id absent": (without("annotations", 3, "image_id"), ["annotation 103", "no image_id"]),
    "image_id unknown": (setting("annotations", 3, image_id=99), ["annotation 103", "image 99", "not among images"]),
    "image_id list": (setting("annotations", 3, image_id=[1]), ["annotation 103", "image_id [1]"]),
    "category_id absent": (without("annotations", 3, "category_id"), ["annotation 103", "no category_id"]),
    "category_id object": (setting("annotations", 3, category_id={}), ["annotation 103", "category_id {}"]),
    "track_id fraction": (setting("annotations", 3, track_id=0.5), ["annotation 103", "track_id 0.5"]),
    "track_id list": (setting("annotations", 3, track_id=[]), ["annotation 103", "track_id []"]),
    "track twice in a frame": (
        setting("annotations", 3, track_id=0),
        ["annotation 103", "track 0", "image 11", "annotation 102"],
    ),
    "iscrowd text": (setting("annotations", 3, iscrowd="no"), ["annotation 103", "iscrowd 'no'", "0 or 1"]),
    "keypoints cut": (keypoints(*POSE, 1, 2), ["annotation 103", "8 numbers", "3 times x, y, v"]),
    "keypoints too few": (keypoints(*POSE), ["annotation 103", "6 numbers", "3 times"]),
    "keypoints too many": (keypoints(*POSE, *POSE), ["annotation 103", "12 numbers", "3 times"]),
    "keypoints text": (setting("annotations", 3, keypoints="1 2 3"), ["annotation 103", "'1 2 3'"]),
    "keypoints NaN": (keypoints(*POSE, NAN, 2, 2), ["annotation 103", "nan", "keypoints"]),
    "keypoints infinite": (keypoints(*POSE, 1, -INFINITY, 2), ["annotation 103", "-inf", "keypoints"]),
    "keypoints null": (keypoints(*POSE, 1, None, 2), ["annotation 103", "None", "keypoints"]),
    "keypoints string": (keypoints(*POSE, 1, "2", 2), ["annotation 103", "'2'", "keypoints"]),
    "keypoints nested": (keypoints(*POSE, 1, [2], 2), ["annotation 103", "[2]", "keypoints"]),
    "keypoints true": (keypoints(*POSE, 1, True, 2), ["annotation 103", "True", "keypoints"]),
    "keypoints huge": (keypoints(*POSE, 1, 10**400, 2), ["annotation 103", "1000", "pixels"]),
    "keypoints far away": (keypoints(*POSE, 1, 1e30, 2), ["annotation 103", "1e+30", "pixels"]),
    "visibility score": (keypoints(*POSE, 1, 1, 0.7), ["annotation 103", "v is none of 0"]),
    "bbox of three": (setting("annotations", 3, bbox=[1, 2, 3]), ["annotation 103", "3 numbers", "width, height"]),
    "bbox NaN": (setting("annotations", 3, bbox=[1, 2, NAN, 4]), ["annotation 103", "nan", "bbox"]),
    "bbox infinite": (setting("annotations", 3, bbox=[1, 2, INFINITY, 4]), ["annotation 103", "inf", "bbox"]),
    "bbox null inside": (setting("annotations", 3, bbox=[1, 2, None, 4]), ["annotation 103", "None", "bbox"]),
    "bbox text": (setting("annotations", 3, bbox="1,2,3,4"), ["annotation 103", "'1,2,3,4'", "bbox"]),
    "all dropped": (
        lambda c: [a.update(bbox=[1, 1, 0, 0]) for a in c["annotations"]],
        ["no instances", "12 dropped: box without area"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CONTENT)
def test_bad_content_is_named_in_one_line(pictures: Path, case: str) -> None:
    change, words = BAD_CONTENT[case]
    content = document()
    change(content)
    with pytest.raises(InputError) as caught:
        load(pictures, content)
    assert_says(caught.value, [str(pictures / "annotations.json"), *words])


def assert_says(error: InputError, words: list[str]) -> None:
    message = str(error)
    assert "\n" not in message
    assert [word for word in words if word not in message] == [], message


WHOLE = json.dumps(document(), indent=1)
BAD_TEXT: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["is empty"]),
    "blank": (" \n", ["is empty"]),
    "no JSON": ("track,frame\n1,2\n", ["not JSON", "line 1, column 1"]),
    "a comma missing": (WHOLE.replace('"id": 13,', '"id": 13', 1), ["not JSON", "line ", "column ", "delimiter"]),
    "half": (WHOLE[: len(WHOLE) // 2], ["ends in the middle", "line ", "column ", "complete"]),
    "all but the end": (WHOLE[:-1], ["ends in the middle"]),
    "cut in a string": (WHOLE[: WHOLE.index("iscrowd") + 3], ["ends in the middle", "complete"]),
    "cut after an object": (WHOLE[: WHOLE.index("}") + 1], ["ends in the middle"]),
    "a list": ("[1, 2]", ["holds a list", "images, annotations and categories"]),
    "a number": ("3", ["single value"]),
    "a number of thousands of digits": ('{"images": ' + "1" * 9999 + "}", ["cannot be read"]),
    "too deep": ("[" * 100_000, ["cannot be read"]),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_what_is_no_json_is_told_with_its_place(tmp_path: Path, case: str) -> None:
    text, words = BAD_TEXT[case]
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert_says(caught.value, [str(tmp_path / "annotations.json"), *words])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"nothing\.json does not exist"):
        Coco(tmp_path / "nothing.json").videos()
    with pytest.raises(InputError, match="is a folder"):
        Coco(tmp_path).videos()
    with pytest.raises(InputError, match="cannot be read"):
        Coco(tmp_path / ("x" * 5000)).videos()
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\x1f\x8b\x08\xff\xfe")
    with pytest.raises(InputError, match="is compressed by gzip"):
        Coco(binary).videos()
    binary.write_bytes(b"\xff\xfe\x08")
    with pytest.raises(InputError, match="is not JSON"):
        Coco(binary).videos()

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"binary\.json cannot be read \(Permission denied\)"):
        Coco(binary).videos()


def test_options_that_cannot_be_used_are_named(pictures: Path) -> None:
    with pytest.raises(InputError, match="neither a folder nor a video"):
        load(pictures, document(), frames=pictures / "nothing")
    with pytest.raises(InputError, match="there are 1 for the 3 keypoints of skeleton"):
        load(pictures, document(), sigmas=(0.1,))
    with pytest.raises(InputError, match="positive number"):
        Coco(pictures / "annotations.json", sigmas=(0.1, NAN, 0.2))
    with pytest.raises(InputError, match="no video is called 'annotation'"):
        Coco(save(pictures, document())).load("annotation")


def test_a_video_that_is_too_short_or_none_is_named(pictures: Path, tmp_path: Path) -> None:
    content = document()
    for image in content["images"]:
        image["file_name"] = "clip.mp4"
    with pytest.raises(InputError, match=r"clip\.mp4.* is not there"):
        load(tmp_path, content)
    whole = (pictures / "clip.mp4").read_bytes()
    clip = tmp_path / "clip.mp4"
    for data, words in ((whole[: len(whole) // 2], "clip.mp4"), (b"", "clip.mp4"), (b"no video" * 999, "clip.mp4")):
        clip.write_bytes(data)
        with pytest.raises(InputError, match=words):
            load(tmp_path, content)
    clip.write_bytes(whole)
    content["images"][2]["id"], content["annotations"] = "late", content["annotations"][:2]
    for f, image in enumerate(content["images"]):
        image["frame_index"] = f if f != 2 else FRAMES
    with pytest.raises(InputError, match=r"image 'late' is frame 6, but .*clip\.mp4 has 6 frames"):
        load(tmp_path, content)


def test_videos_of_one_name_are_refused(pictures: Path) -> None:
    content = document()
    content["videos"] = [{"id": 1, "name": "clip"}, {"id": 2, "name": "clip"}]
    for f, image in enumerate(content["images"]):
        image["video_id"] = 1 + f // 4
    with pytest.raises(InputError, match="same name"):
        Coco(save(pictures, content)).videos()


@pytest.mark.parametrize("name", ["../secret.png", "a/../../secret.png", "./../secret.png", "/ABOVE/secret.png"])
@pytest.mark.parametrize("as_option", [False, True])
def test_names_that_lead_out_of_the_folder_are_refused_unless_allowed(
    pictures: Path, tmp_path: Path, name: str, as_option: bool
) -> None:
    name = name.replace("/ABOVE", str(tmp_path))
    (tmp_path / "data" / "a").mkdir(parents=True)
    content = document()
    for image in content["images"]:
        (tmp_path / "data" / image["file_name"]).write_bytes((pictures / image["file_name"]).read_bytes())
    (tmp_path / "secret.png").write_bytes((pictures / "005.png").read_bytes())
    content["images"][2]["file_name"] = name
    options: dict[str, Any] = {"frames": tmp_path / "data"} if as_option else {}
    data = Coco(save(tmp_path / "data", content), **options)
    with pytest.raises(InputError) as caught:
        data.load(*data.videos())
    assert_says(caught.value, ["annotations.json: image 12 has file_name", repr(name), "option frames", "outside=true"])
    with pytest.raises(InputError, match="image 12"):
        list(data.split_poses("test"))
    video = load(tmp_path / "data", content, outside=True, **options)
    assert int(video.frames.read(2)[0, 0, 0]) == grey(5)


def test_a_video_out_of_the_folder_is_refused_and_one_that_is_given_is_not(pictures: Path, tmp_path: Path) -> None:
    content = document()
    for image in content["images"]:
        image["file_name"] = str(pictures / "clip.mp4")
    with pytest.raises(InputError, match=r"image 10 has file_name '.*clip\.mp4', which leads out of"):
        load(tmp_path, content)
    with pytest.raises(InputError, match=r"image 10 has file_name .*as the option train_frames"):
        Coco(train=save(tmp_path, content)).load(f"train-{tmp_path.name}-annotations")
    given = load(tmp_path, content, frames=pictures / "clip.mp4")
    assert same(given, load(tmp_path, content, outside=True))
    assert same(given, load(pictures, content)), "an absolute path in the folder leads nowhere else"


def test_a_name_may_turn_round_within_the_folder(pictures: Path) -> None:
    content = document()
    content["images"][2]["file_name"] = f"../{pictures.name}/002.png"
    content["images"][3]["file_name"] = "./a..b/../003.png"
    (pictures / "a..b").mkdir(exist_ok=True)
    assert same(load(pictures, content), load(pictures, document()))


# ------------------------------------------------------------------------------------------------------ properties
pixels = st.floats(-50, 50, width=32).map(lambda x: x if math.isfinite(x) else 0.0)
IN_FOLDER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def annotated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid file of K keypoints with a box that meets the picture for every instance."""
    count = draw(st.integers(1, 4))
    content = document()
    content["categories"][0] = {"id": 1, "keypoints": [f"k{i}" for i in range(count)]}
    for annotation in content["annotations"]:
        triples = [(draw(pixels), draw(pixels), draw(st.sampled_from((0, 1, 2)))) for _ in range(count)]
        annotation["keypoints"] = [number for triple in triples for number in triple]
        annotation["bbox"] = [draw(pixels.filter(lambda x: x < HEIGHT - 1)) for _ in (0, 1)] + [60.5, 70.25]
    content["annotations"] = draw(st.permutations(content["annotations"]))
    return content


@IN_FOLDER
@given(content=annotated())
def test_what_a_file_says_is_what_is_loaded(pictures: Path, content: dict[str, Any]) -> None:
    instances = load(pictures, content).instances
    written = {str(a["id"]): a for a in content["annotations"]}
    assert set(instances.ids) == set(written)
    for i, name in enumerate(instances.ids):
        annotation = written[name]
        triples = torch.tensor(annotation["keypoints"], dtype=torch.float32).reshape(-1, 3)
        assert torch.equal(instances.boxes[i], torch.tensor(annotation["bbox"]))
        assert instances.frame[i] == annotation["image_id"] - 10
        if instances.keypoints is not None and instances.visible is not None:
            assert torch.equal(instances.keypoints[i], triples[:, :2])
            assert torch.equal(instances.visible[i], triples[:, 2] > 0)
        else:
            assert not triples[:, 2].any()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON document."""
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in [(value, key), *places(inner)]]
    if isinstance(value, list):
        return [place for key, inner in enumerate(value) for place in [(value, key), *places(inner)]]
    return []


junk = st.sampled_from(
    [None, "", "x", "1", NAN, INFINITY, -1, 0, 1, 2.5, 10**400, 1e300, True, [], {}, [[]], [None], {"id": 1}, "a\0"]
)


@settings(IN_FOLDER, max_examples=400)
@given(data=st.data())
def test_a_corrupted_file_loads_or_is_refused_in_one_line(pictures: Path, data: st.DataObject) -> None:
    content = document()
    content["images"], content["annotations"] = content["images"][:3], content["annotations"][:6]
    content["videos"] = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]
    for f, image in enumerate(content["images"]):
        image |= {"frame_index": f, "video_id": 1}
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(content) or [({"x": 1}, "x")]))
        if data.draw(st.booleans()):
            container[key] = copy.deepcopy(data.draw(junk))  # what comes next may change it
        else:
            container.pop(key)
    frames = data.draw(st.sampled_from([None, pictures / "clip.mp4"]))
    refusal = ""
    try:
        path = save(pictures, content)
        check_columns(Coco(path, frames=frames, train=path, train_frames=frames))
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal


def check_columns(data: Coco) -> None:
    for name in [*data.videos(), *data.sources()]:
        instances = data.load(name).instances
        assert torch.isfinite(instances.boxes).all()
        assert instances.keypoints is None or torch.isfinite(instances.keypoints).all()


# ---------------------------------------------------------------------------------------------------------- plugin
def test_the_plugin_describes_the_data_set_without_importing_it() -> None:
    (component,) = vatl_components()
    assert (component.kind, component.name, component.load()) == ("dataset", "coco", Coco)
    program = "import sys, vatl_coco.plugin; print({'torch', 'numpy', 'av', 'cv2'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
