"""The data set ``video`` with boxes from elsewhere: MOT's text, COCO's JSON, drawn beside the video."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Frames, Video
from vatl_drawing import write_video
from vatl_video.boxes import Boxes, filled, without_short
from vatl_video.coco_boxes import KEYPOINTS, read_coco_boxes, write_coco_boxes
from vatl_video.dataset import AnyVideo
from vatl_video.finding import looked_at
from vatl_video.footage import Footage, open_footage
from vatl_video.mot import read_mot

FRAMES, WIDTH, HEIGHT = 12, 96, 64
FLY = {"id": 1, "name": "fly", "keypoints": ["head", "wingL", "wingR"], "skeleton": [[1, 2], [1, 3]]}


@attrs.frozen
class Blank(Frames):
    """Frames without pictures."""

    count: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Tensor:
        return torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8)


BLANK = Footage(Path("clip.mp4"), [], Blank(1000))


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "clip.mp4"
    generator = torch.Generator().manual_seed(0)
    shape = (3, HEIGHT, WIDTH)
    write_video(path, (torch.randint(256, shape, generator=generator, dtype=torch.uint8) for _ in range(FRAMES)))
    return path


@pytest.fixture
def clip(footage: Path, tmp_path: Path) -> Path:
    """A video alone in a folder."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(footage.read_bytes())
    return path


def coco(*annotations: dict[str, Any], category: dict[str, Any] = FLY, frames: int = FRAMES) -> dict[str, Any]:
    images = [{"id": 100 + i, "frame_index": i, "file_name": "clip.mp4"} for i in range(frames)]
    rows = [{"id": i, "category_id": 1} | row for i, row in enumerate(annotations)]
    return {"images": images, "annotations": rows, "categories": [category]}


def box(frame: int, track: int | str | None, *xywh: float, **more: Any) -> dict[str, Any]:
    return {"image_id": 100 + frame, "track_id": track, "bbox": list(xywh or (10, 10, 20, 20))} | more


NO_EDGE = "edge of the skeleton that joins no two of its keypoints"
Loaded = Callable[..., Video]


@pytest.fixture
def loaded(clip: Path, tmp_path: Path) -> Loaded:
    """The clip with boxes of this content."""

    def load(content: str | dict[str, Any], **options: Any) -> Video:
        path = tmp_path / "given"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        dataset = AnyVideo(clip, boxes=path, **({"cache": tmp_path / "cache"} | options))
        return dataset.load(*dataset.videos())

    return load


TWO = [(frame, track, 5.25 + 30 * track + frame, 10.5, 20.125, 30.0) for frame in range(8) for track in (1, 0)]


def test_the_same_boxes_give_the_same_instances_as_the_data_set_coco(
    loaded: Loaded, clip: Path, tmp_path: Path
) -> None:
    posed = coco(*(box(*row, keypoints=[30, 20, 2, 0, 0, 0, 40, 30, 1]) for row in TWO))
    (tmp_path / "coco.json").write_text(json.dumps(posed))
    theirs = Coco(tmp_path / "coco.json", clip)
    expected = theirs.load(*theirs.videos())
    mot = "\n".join(f"{f + 1},{t},{x},{y},{w},{h},1,-1,-1,-1" for f, t, x, y, w, h in TWO)
    found = [loaded(posed), loaded(mot, skeleton=tmp_path / "coco.json")]
    for video in found:
        for column in ("frame", "track", "boxes", "previous", "next"):
            assert torch.equal(getattr(video.instances, column), getattr(expected.instances, column)), column
        assert video.skeleton == expected.skeleton
        assert not video.instances.has_truth
        assert len(video.frames) == FRAMES
    assert found[0].instances.ids == expected.instances.ids
    assert found[0].dropped == {KEYPOINTS: len(TWO)}


def test_tracks_of_boxes_may_stand_among_the_attributes(loaded: Loaded) -> None:
    rows = [box(*row) for row in TWO]
    inner = [row | {"track_id": None, "attributes": {"track_id": row["track_id"]}} for row in rows]
    assert torch.equal(loaded(coco(*inner)).instances.track, loaded(coco(*rows)).instances.track)


def test_what_mot_tools_write_beside_numbers_is_understood(loaded: Loaded) -> None:
    video = loaded(
        "# a comment\n\n1, 3, 10, 10, 20, 20, 1, -1, -1, -1\n2 3 11 10 20 20 -1\n1.000e+00,4,50,10,20,20,0.5 # sure\n"
        "2,-1,50,10,20,20,1\n3,3,10,10,20,20,0,7,0.3\n4,3,10,10,0,20,1\n"
    )
    assert video.instances.frame.tolist() == [0, 0, 1, 1]
    assert video.instances.track.tolist() == [3, 4, 3, 5]
    assert video.dropped == {"marked not to be considered (confidence 0)": 1, "box without area": 1}
    assert video.skeleton == PERSON_17


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1,1,1,1,9,9\nframe,id,x,y,w,h\n", "line 2 has 'frame' where the frame should be"),
        ("1,1,1,1,9\n", "line 1 has 5 values"),
        ("0,1,1,1,9,9\n", "line 1 has frame 0: frames are whole numbers from 1 on"),
        ("1.5,1,1,1,9,9\n", "line 1 has frame 1.5"),
        ("1,-2,1,1,9,9\n", "line 1 has id -2"),
        ("1,1,nan,1,9,9\n", "line 1 has x nan"),
        ("1,1,1,1,9,inf\n", "line 1 has height inf"),
        ("1,1,1,1,9,9\n\n1,1,2,2,9,9\n", "line 3 has id 1 in frame 1, as has line 1"),
        ("13,1,1,1,9,9\n", "line 1 is of frame 13, but the video has 12"),
        ("1,1,1,1,9,9,0\n", "has no boxes; 1 dropped: marked not to be considered"),
        ("# nothing\n", "draw some (`vatl annotate"),
        ("", "is empty"),
        ("1,1,200,1,9,9\n", "1 dropped: box outside of the picture"),
        ("[]", "an object with the lists images and annotations"),
        (coco(box(0, 1), box(0, 1)), "annotation 1 is of track 1 on frame 0, as is another"),
        (coco(box(0, 1), frames=13), "image 112 is frame 12, but"),
        (coco(box(40, 1)), "annotation 0 is on image 140, which is not among images"),
        (coco(box(0, 1, 1, 2, 3)), "annotation 0 has bbox with 3 numbers"),
        (coco(box(0, 1, score="high")), "annotation 0 has score 'high'"),
        (coco(box(0, 1, bbox=None)), "has no boxes; 1 dropped: without a box"),
        (coco(box(0, 1, bbox=[])), "has no boxes; 1 dropped: without a box"),
    ],
)
def test_boxes_that_cannot_be_used_are_refused_in_a_line(content: Any, said: str, loaded: Loaded) -> None:
    with pytest.raises(InputError) as caught:
        loaded(content)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_crowds_and_other_categories_are_dropped_and_counted(loaded: Loaded) -> None:
    video = loaded(coco(box(0, 1), box(0, 2, category_id=2), box(1, 1, iscrowd=1)))
    assert video.dropped == {"of another category than the first": 1, "marked as a crowd": 1}
    assert len(video.instances) == 1


def test_the_first_category_with_keypoints_counts(loaded: Loaded) -> None:
    content = coco(box(0, 1), box(0, 2, category_id=0), category=FLY | {"id": "1", "skeleton": [[0, 1], [1, 9]]})
    content["categories"].insert(0, {"id": 0, "name": "insects"})
    content["annotations"][0]["image_id"] = "100"
    video = loaded(content)
    assert video.skeleton.keypoints == tuple(FLY["keypoints"])
    assert video.skeleton.edges == ((0, 1),)
    reasons = ("of another category than the first with keypoints", NO_EDGE)
    assert video.dropped == dict.fromkeys(reasons, 1)


def test_edges_of_a_skeleton_alone_are_counted_too(loaded: Loaded, tmp_path: Path) -> None:
    path = tmp_path / "skeleton.json"
    path.write_text(json.dumps(FLY | {"skeleton": [[0, 2], [0, 3]]}))
    video = loaded("1,1,10,10,20,20\n", skeleton=path)
    assert (video.skeleton.edges, video.dropped) == (((0, 2),), {NO_EDGE: 1})


def test_boxes_end_where_the_picture_ends(loaded: Loaded) -> None:
    video = loaded("1,1,-10,-10,30,30\n2,1,80,50,40,40\n3,1,0.1,0.2,0.7,0.3\n")
    expected = torch.tensor([[0, 0, 20, 20], [80, 50, 16, 14], [0.1, 0.2, 0.7, 0.3]])
    assert torch.equal(video.instances.boxes, expected)


def test_boxes_without_tracks_are_linked_the_same_every_time(loaded: Loaded) -> None:
    given = "\n".join(f"{f + 1},-1,{x},{y},{w},{h},-1" for f, _, x, y, w, h in TWO)
    first, again = loaded(given), loaded(given)
    assert torch.equal(first.instances.track, again.instances.track)
    left = first.instances.boxes[:, 0] < 20
    tracks = [set(first.instances.track[side].tolist()) for side in (left, ~left)]
    assert [len(track) for track in tracks] == [1, 1]
    assert tracks[0] != tracks[1]
    assert first.instances.previous.ge(0).sum() == 14


def test_images_name_the_pictures_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("2.png", "10.png", "1.png", ".3.png"):
        cv2.imwrite(str(folder / name), np.zeros((40, 50, 3), dtype=np.uint8))
    (folder / "notes.txt").write_text("no picture")
    assert [file.name for file in open_footage(folder).files] == ["1.png", "2.png", "10.png"]
    rows = [{"id": i, "image_id": i, "track_id": 0, "bbox": [30, 5, 30, 5]} for i in (0, 1)]
    content = {"images": [{"id": 0, "file_name": "x/10.png"}, {"id": 1, "file_name": "2.png"}], "annotations": rows}
    (tmp_path / "pictures.boxes.json").write_text(json.dumps(content))
    video = AnyVideo(folder).load("pictures")
    assert video.instances.frame.tolist() == [1, 2]
    assert video.instances.boxes[0].tolist() == [30, 5, 20, 5]


def test_boxes_that_were_drawn_beside_the_video_are_used_unless_a_detector_is_named(clip: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "clip.boxes.json"
    drawn.write_text(json.dumps(coco(box(0, 1), box(1, 1))))
    video = AnyVideo(clip).load("clip")
    assert len(video.instances) == 2
    assert video.skeleton.name == "fly"
    asked = AnyVideo(clip, detector="ssdlite", detector_weights=tmp_path / "weights.pth", cache=tmp_path / "cache")
    with pytest.raises(InputError, match="detector's weights"):
        asked.load("clip")
    (tmp_path / "other.txt").write_text("1,1,1,1,9,9\n")
    assert len(AnyVideo(clip, boxes=tmp_path / "other.txt").load("clip").instances) == 1
    drawn.unlink()
    with pytest.raises(InputError, match=r"has no boxes: draw them \(`vatl annotate .*clip.mp4`\)"):
        AnyVideo(clip, detector="none").load("clip")


def test_the_skeleton_comes_from_a_file_alone_too(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.boxes.json").write_text(json.dumps(coco(box(0, 1))))
    (tmp_path / "skeleton.json").write_text(json.dumps({"name": "worm", "keypoints": ["head", "tail"]}))
    skeleton = AnyVideo(clip, skeleton=tmp_path / "skeleton.json").load("clip").skeleton
    assert (skeleton.name, skeleton.keypoints) == ("worm", ("head", "tail"))
    (tmp_path / "skeleton.json").write_text("{}")
    with pytest.raises(InputError, match="has no categories"):
        AnyVideo(clip, skeleton=tmp_path / "skeleton.json").load("clip")


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("no video")
    with pytest.raises(InputError, match="cannot be read as a video"):
        AnyVideo(tmp_path / "clip.mp4").load("clip")
    with pytest.raises(InputError, match="does not exist"):
        AnyVideo(tmp_path / "other.mp4").load("other")
    with pytest.raises(InputError, match="has no picture files"):
        AnyVideo(tmp_path).load(tmp_path.name)
    with pytest.raises(InputError, match="give one of them"):
        AnyVideo(tmp_path / "clip.mp4", boxes=tmp_path / "x.txt", detector="ssd")


columns = st.lists(
    st.tuples(
        st.integers(0, 999),
        st.integers(0, 50),
        *[st.decimals(-50, 5000, places=2).map(float)] * 2,
        *[st.decimals("0.01", 5000, places=2).map(float)] * 2,
    ),
    unique_by=lambda row: row[:2],
    min_size=1,
    max_size=30,
)


def boxes_of(rows: list[tuple[int, int, float, float, float, float]]) -> Boxes:
    numbers = np.array(rows, dtype=np.float64).reshape(-1, 6)
    frame, track = numbers[:, 0].astype(np.int64), numbers[:, 1].astype(np.int64)
    return Boxes(frame, track, numbers[:, 2:], np.ones(len(rows)), [f"b{i}" for i in range(len(rows))])


def same(first: Boxes, second: Boxes) -> bool:
    return all(np.array_equal(getattr(first, c), getattr(second, c)) for c in ("frame", "track", "xywh", "score"))


@given(columns)
def test_coco_boxes_are_read_as_they_were_written(rows: Any) -> None:
    import tempfile

    boxes = boxes_of(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boxes.json"
        write_coco_boxes(path, boxes, "fly", "made up", {"too small": 3})
        read = read_coco_boxes(path, BLANK)
    assert same(read.boxes, boxes)
    assert read.boxes.ids == boxes.ids
    assert read.dropped == {"too small": 3}


@given(columns, st.sampled_from([",", " ", ", "]))
def test_mot_boxes_are_read_as_they_were_written(rows: Any, between: str) -> None:
    text = "\n".join(between.join(map(str, (frame + 1, track, *xywh, -1))) for frame, track, *xywh in rows)
    assert same(read_mot(Path("boxes.txt"), text, BLANK.frames, {}), boxes_of(rows))


@given(columns, st.integers(0, 40))
def test_filling_adds_what_lies_straight_between_and_changes_nothing(rows: Any, longest: int) -> None:
    boxes = boxes_of(rows)
    more = filled(boxes, longest)
    assert same(more.take(np.arange(len(boxes))), boxes)
    assert len(set(zip(more.frame.tolist(), more.track.tolist(), strict=True))) == len(more)
    assert same(filled(more, longest).take(np.arange(len(more))), more)
    for track in np.unique(boxes.track):
        known, all_of = boxes.where(boxes.track == track), more.where(more.track == track)
        order = np.argsort(known.frame)
        for axis in range(4):
            expected = np.interp(all_of.frame, known.frame[order], known.xywh[order, axis])
            np.testing.assert_allclose(all_of.xywh[:, axis], expected, atol=1e-6)
        gaps = np.diff(np.sort(all_of.frame)) - 1
        assert not ((gaps > 0) & (gaps <= longest)).any()


def test_short_tracks_are_dropped_and_counted() -> None:
    boxes, dropped = boxes_of([(f, t, 0, 0, 1, 1) for t in (0, 1) for f in range(3 + 4 * t)]), dict[str, int]()
    assert set(without_short(boxes, 5, dropped).track.tolist()) == {1}
    assert dropped == {"of a track on fewer than 5 frames": 3}


def test_it_is_known_at_which_step_boxes_were_looked_for() -> None:
    assert looked_at(np.array([0, 5, 10, 25, 25, 30])) == ([0, 5, 10, 15, 20, 25, 30], 5)
    assert looked_at(np.array([4])) == ([4], 1)
