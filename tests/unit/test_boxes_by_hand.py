"""Boxes drawn by hand: what follows from key frames, the file they are kept in, and who may change them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from vatl_annotate.access import Keys, cookie_name
from vatl_annotate.boxes.boxes_file import read_boxes, write_boxes
from vatl_annotate.boxes.category import PERSON, read_category
from vatl_annotate.boxes.drawing import Drawing, beside
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.interface import Interface, application
from vatl_annotate.boxes.linking import linked
from vatl_annotate.boxes.reel import Reel
from vatl_annotate.boxes.session import Place, draw, next_command
from vatl_annotate.boxes.tracks import Key, Track, keys_of
from vatl_annotate.command import command
from vatl_core.errors import InputError
from vatl_core.video import PERSON_17
from vatl_drawing import write_video
from vatl_frames import PictureFiles
from vatl_video.dataset import AnyVideo
from vatl_video.given import beside as looked_for

FRAMES, WIDTH, HEIGHT = 40, 96, 64
NAMES = [Path(f"{frame:03d}.png") for frame in range(FRAMES)]
FOOTAGE = Footage(Path("clip"), PictureFiles(NAMES), (WIDTH, HEIGHT), {}, 25.0)  # of no files
HOST = "127.0.0.1:7000"

hundredths = st.integers(0, 3000).map(lambda n: n / 100)
extents = st.integers(1, 3000).map(lambda n: n / 100)
boxes = st.tuples(hundredths, hundredths, extents, extents)
keys = st.builds(Key, st.integers(0, FRAMES - 1), boxes, st.booleans())
some_keys = st.lists(keys, min_size=1, max_size=8, unique_by=lambda key: key.frame).map(
    lambda found: tuple(sorted(found, key=lambda key: key.frame))
)
some_tracks = st.dictionaries(st.integers(0, 9), some_keys, min_size=1, max_size=4).map(
    lambda found: tuple(Track(number, found[number]) for number in sorted(found))
)


# ------------------------------------------------------------------------------------------------------ key frames
@given(some_keys)
def test_a_track_passes_through_its_key_frames_and_lies_between_its_neighbours(keys: tuple[Key, ...]) -> None:
    found = Track(1, keys).boxes()
    assert list(found) == sorted(found)
    assert {key.frame: found[key.frame] for key in keys} == {key.frame: key.box for key in keys}
    assert (min(found), max(found)) == (keys[0].frame, keys[-1].frame)
    for earlier, later in pairwise(keys):
        for frame in range(earlier.frame + 1, later.frame):
            assert (frame in found) is not earlier.leaves
            for value, a, b in zip(found.get(frame, earlier.box), earlier.box, later.box, strict=True):
                assert min(a, b) - 0.005 <= value <= max(a, b) + 0.005


def test_between_key_frames_a_box_moves_evenly() -> None:
    track = Track(1, (Key(10, (0, 0, 10, 20)), Key(14, (8, 4, 12, 20)), Key(20, (0, 0, 10, 20), leaves=True)))
    found = track.boxes()
    assert [found[frame] for frame in (11, 12, 13)] == [(2, 1, 10.5, 20), (4, 2, 11, 20), (6, 3, 11.5, 20)]
    assert set(found) == set(range(10, 21))


@given(some_keys)
def test_key_frames_found_again_give_the_same_boxes(keys: tuple[Key, ...]) -> None:
    found = Track(1, keys).boxes()
    assert Track(1, keys_of(found)).boxes() == found
    drawn, leaves = {key.frame for key in keys}, {key.frame for key in keys if key.leaves}
    assert keys_of(found, drawn, leaves) == keys


@given(st.dictionaries(st.integers(0, FRAMES - 1), boxes, min_size=1), st.sets(st.integers(0, FRAMES - 1)))
def test_reading_boxes_of_any_origin_changes_none(found: dict[int, Any], drawn: set[int]) -> None:
    assert Track(1, keys_of(found, drawn)).boxes() == dict(sorted(found.items()))


# -------------------------------------------------------------------------------------------------------- the file
@given(tracks=some_tracks)
def test_a_file_that_is_read_again_has_the_same_tracks(
    tracks: tuple[Track, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_boxes(path, tracks, PERSON, FOOTAGE)
    read = read_boxes(path, FOOTAGE)
    assert (read.tracks, read.category, read.dropped, read.own) == (tracks, PERSON, {}, True)
    ids = [row["id"] for row in json.loads(path.read_text())["annotations"]]
    assert len(set(ids)) == len(ids) == sum(len(track.boxes()) for track in tracks)


def coco(*rows: tuple[int, Any, list[float]], **more: Any) -> dict[str, Any]:
    annotations = [
        {"id": i, "image_id": 7 + frame, "category_id": 3, "bbox": box} | ({} if track is None else {"track_id": track})
        for i, (frame, track, box) in enumerate(rows)
    ]
    images = [{"id": 7 + frame, "frame_index": frame} for frame in range(FRAMES)]
    return {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "fly"}]} | more


def test_a_detectors_boxes_are_key_frames_that_end_where_they_end(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    found = coco((2, "a", [0, 0, 9, 9]), (3, "a", [5, 0, 9, 9]), (9, "a", [1, 1, 9, 9]), (3, "b", [90, 60, 20, 20]))
    found["annotations"] += [{"id": 90, "image_id": 7, "category_id": 4, "bbox": [0, 0, 9, 9]}]
    found["annotations"] += [{"id": 91, "image_id": 7, "category_id": 3, "bbox": []}]
    path.write_text(json.dumps(found))
    read = read_boxes(path, FOOTAGE)
    assert read.tracks == (
        Track(0, (Key(2, (0, 0, 9, 9)), Key(3, (5, 0, 9, 9), True), Key(9, (1, 1, 9, 9), True))),
        Track(1, (Key(3, (90, 60, 6, 4), True),)),
    )
    assert (read.category, read.own) == (None, False)
    assert read.dropped == {"of another category than the first": 1, "without a box": 1}


def test_tracks_may_stand_among_the_attributes(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    found = coco((2, 8, [0, 0, 9, 9]), (3, 8, [50, 0, 9, 9]), (3, 2, [0, 0, 9, 9]))
    for row in found["annotations"]:
        row["attributes"] = {"track_id": row.pop("track_id"), "occluded": False}
    path.write_text(json.dumps(found))
    tracks = [(track.number, [key.frame for key in track.keys]) for track in read_boxes(path, FOOTAGE).tracks]
    assert tracks == [(2, [3]), (8, [2, 3])]


def test_the_first_category_with_keypoints_counts(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    found = coco((2, 8, [0, 0, 9, 9]), (3, 8, [50, 0, 9, 9]))
    fly = {"id": "3", "name": "fly", "keypoints": ["head", "tail"], "skeleton": [[0, 1], [5, 6]]}
    found["categories"] = [{"id": 0, "name": "insects", "keypoints": []}, fly]
    found["annotations"][1] |= {"category_id": "0", "image_id": "10"}
    path.write_text(json.dumps(found))
    read = read_boxes(path, FOOTAGE)
    assert [track.number for track in read.tracks] == [8]
    assert read.category == fly | {"id": 1, "skeleton": [[1, 2]]}
    assert len(read.dropped) == 2
    path.write_text(json.dumps(fly))
    with pytest.warns(UserWarning, match=r"found\.json: 1 left out: edge of the skeleton"):
        assert read_category(path) == read.category


def test_boxes_that_nobody_linked_are_linked_by_overlap() -> None:
    frames = [0, 0, 1, 1, 2, 4]
    found = [(0, 0, 10, 10), (50, 0, 10, 10), (52, 0, 10, 10), (2, 0, 10, 10), (4, 0, 10, 10), (4, 0, 10, 10)]
    assert linked(frames, found) == [0, 1, 1, 0, 0, 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "an object with the lists images and annotations"),
        (coco((0, 1, [0, 0, 9, 9]), (0, 1, [0, 0, 9, 9])), "annotation 1 is of track 1 on frame 0, as is another"),
        (coco((0, 1, [0, 0, 9])), "annotation 0 has bbox with 3 numbers"),
        (coco((0, 1, [0, 0, 9, float("nan")])), "is no number of pixels"),
        (coco((40, 1, [0, 0, 9, 9])), "annotation 0 is on image 47, which is not among images"),
        (coco(images=[{"id": 1, "frame_index": 40}]), "image 1 is frame 40, but clip has 40 frames"),
        (coco(images=[{"id": 1, "frame_index": 4}, {"id": 2}]), "image 2 does not tell which frame"),
    ],
)
def test_boxes_that_cannot_be_read_are_refused_in_one_line(content: Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=said) as caught:
        read_boxes(tmp_path / "bad.json", FOOTAGE)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------ the server
@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames that tell their number by how bright they are."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    write_video(path, (torch.full((3, HEIGHT, WIDTH), 20 + 5 * i, dtype=torch.uint8) for i in range(FRAMES)))
    return path


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(film.read_bytes())
    return path


@attrs.frozen
class Page:
    """A page that somebody opened."""

    client: TestClient
    drawing: Drawing
    do: Interface

    def send(self, tracks: Any, base: str | None = None, **headers: str) -> Any:
        body = {"base": self.drawing.revision if base is None else base, "tracks": tracks}
        return self.client.post("/api/boxes", content=json.dumps(body), headers={"X-Vatl": "1"} | headers)


Opened = Callable[..., Page]


@pytest.fixture
def opened(clip: Path) -> Iterator[Opened]:
    reels = []

    def open_page(password: str = "", boxes: Path | None = None) -> Page:
        footage = Footage.open(clip)
        drawing, _ = Drawing.open(footage, beside(footage), boxes, None)
        reels.append(Reel(footage))
        do = Interface(drawing, reels[-1], next_command(drawing))
        keys = Keys("a-token", 7000, password)
        client = TestClient(application(do, keys, frozenset([HOST])), base_url=f"http://{HOST}")
        client.get("/", params={"token": "a-token"})
        return Page(client, drawing, do)

    yield open_page
    for reel in reels:
        reel.close()


ONE = {"3": [[0, 10, 10, 20, 20, False], [10, 30, 20, 20, 20, False]]}


def test_what_was_saved_is_on_disk_and_read_by_the_data_set(opened: Opened, clip: Path) -> None:
    page = opened()
    assert page.send(ONE).json() == {"status": "saved", "revision": page.drawing.revision}
    dataset = AnyVideo(clip)
    video = dataset.load(*dataset.videos())
    assert video.instances.frame.tolist() == list(range(11))
    assert set(video.instances.track.tolist()) == {3}
    assert video.instances.boxes[5].tolist() == [20, 15, 20, 20]
    assert video.skeleton == PERSON_17
    assert opened().client.get("/api/boxes").json() == page.client.get("/api/boxes").json()


def test_a_folder_called_dot_has_its_boxes_where_they_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for frame in range(2):
        cv2.imwrite(str(folder / f"{frame}.png"), np.zeros((48, 64, 3), np.uint8))
    monkeypatch.chdir(folder)
    there = tmp_path / "pictures.boxes.json"
    assert beside(Footage.open(Path())) == looked_for(Path()) == beside(Footage.open(folder)) == there


def test_an_answer_that_was_lost_is_given_again_and_another_windows_change_is_not_overwritten(opened: Opened) -> None:
    page = opened()
    first = page.drawing.revision
    saved = page.send(ONE, first).json()
    assert page.send(ONE, first).json() == saved
    refused = page.send({"4": ONE["3"]}, first)
    assert (refused.status_code, refused.json()) == (409, {"error": "another window changed these boxes"})
    assert page.send({"3": None}, saved["revision"]).json()["revision"] == first
    assert page.do.drawing.summary() == {"tracks": 0, "boxes": 0}


@pytest.mark.parametrize(
    "tracks",
    [
        None, [], {}, "3", 3, {"3": []}, {"3": {}}, {"3": "x"}, {"03": ONE["3"]}, {"-1": ONE["3"]}, {"x": ONE["3"]},
        {"1000000": ONE["3"]}, {"9" * 5000: ONE["3"]}, {"٣": ONE["3"]}, {"../3": ONE["3"]},
        {"3": [[0, 10, 10, 20, 20]]}, {"3": [[0, 10, 10, 20, 20, 1]]}, {"3": [[True, 10, 10, 20, 20, False]]},
        {"3": [[0.0, 10, 10, 20, 20, False]]}, {"3": [[-1, 10, 10, 20, 20, False]]},
        {"3": [[40, 10, 10, 20, 20, False]]}, {"3": [[0, 10, 10, 20, "20", False]]},
        {"3": [[0, 10, 10, 20, None, False]]}, {"3": [[0, True, 10, 20, 20, False]]},
        {"3": [[0, 10, 10, 20, float("nan"), False]]}, {"3": [[0, float("inf"), 10, 20, 20, False]]},
        {"3": [[0, 10, 10, 0, 20, False]]}, {"3": [[0, 10, 10, -5, 20, False]]}, {"3": [[0, 10, 10, 1e-9, 20, False]]},
        {"3": [[0, 90, 10, 20, 20, False]]}, {"3": [[0, -9, 10, 20, 20, False]]},
        {"3": [[0, 10, 1e300, 20, 20, False]]}, {"3": [[0, 10**400, 10, 20, 20, False]]},
        {"3": [*ONE["3"], ONE["3"][0]]}, ONE | {"4": [[0]]},
    ],
)  # fmt: skip
def test_tracks_that_cannot_be_are_refused_and_nothing_is_written(tracks: Any, opened: Opened, clip: Path) -> None:
    page = opened()
    answer = page.send(tracks)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error"}
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'{"tracks": 1e999}', b"[" * 100_000, b'{"tracks": {"1": []}}']
)
def test_bodies_that_are_none_are_refused(body: bytes, opened: Opened) -> None:
    assert opened().client.post("/api/boxes", content=body, headers={"X-Vatl": "1"}).status_code == 422


def test_a_body_without_end_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vatl_annotate.boxes.interface._LARGEST", 1000)
    assert opened().send({"3": [[0, 10, 10, 20, 20, False]] * 100}).status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Vatl": "0"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:7001"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Cookie": f"{cookie_name(Keys('a-token', 7000))}=guessed"}, 401),
        ({"Cookie": ""}, 401),
    ],
)
def test_who_is_not_the_page_changes_nothing(headers: dict[str, str], status: int, opened: Opened, clip: Path) -> None:
    page = opened()
    if "Cookie" in headers:
        page.client.cookies.clear()
    answer = page.send(ONE, **headers)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert not beside(page.drawing.footage).exists()
    assert page.client.get("/api/boxes", headers=headers).status_code in (
        status,
        200 if "X-Vatl" in headers else status,
    )


@pytest.mark.parametrize(
    "place",
    [
        "frames/40", "frames/-1", "frames/x", "frames/..%2f..%2fetc%2fpasswd", "frames/1e3", "frames/" + "9" * 400,
        "frames/%00", "state", "boxes/1", "labels",
    ],
)  # fmt: skip
def test_there_is_nothing_but_the_frames(place: str, opened: Opened) -> None:
    assert opened().client.get(f"/api/{place}").status_code == 404


@pytest.mark.parametrize(
    "place", ["..%2fboxes%2fdrawing.py", "%2e%2e/command.py", "boxes/..%2f..%2f..%2fplugin.py", "/etc/passwd"]
)
def test_no_file_beside_the_page_is_served(place: str, opened: Opened) -> None:
    assert opened().client.get(f"/page/{place}").status_code == 404


def test_with_a_password_a_link_opens_nothing_but_the_way_in(opened: Opened) -> None:
    page = opened("correct horse")
    assert 'id="password"' in page.client.get("/", params={"token": "a-token"}).text
    for name in ("login.js", "login.css", "page.css", "favicon.svg"):
        assert page.client.get(f"/page/{name}").status_code == 200
    assert page.send(ONE).status_code == page.client.get("/page/boxes/main.js").status_code == 401
    wrong = page.client.post("/login", json={"password": "horse"}, headers={"X-Vatl": "1"})
    assert (wrong.status_code, wrong.json()) == (403, {"error": "this is not the password"})
    assert page.client.post("/login", json={"password": "correct horse"}, headers={"X-Vatl": "1"}).status_code == 200
    assert page.send(ONE).status_code == 200


def test_frames_come_in_any_order(opened: Opened) -> None:
    import cv2
    import numpy as np

    page = opened()
    for frame in (0, 39, 3, 4, 2, 20, 39, 0):
        answer = page.client.get(f"/api/frames/{frame}")
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert abs(float(picture.mean()) - (20 + 5 * frame)) < 2.5
        assert answer.headers["cache-control"] == "private, max-age=600"
    assert page.client.get("/api/frames/7", params={"full": 1}).status_code == 200


def test_the_person_says_when_all_is_drawn(opened: Opened) -> None:
    page = opened()
    page.send(ONE)
    assert not page.do.done.is_set()
    answer = page.client.post("/api/done", json={}, headers={"X-Vatl": "1"})
    assert answer.json() == {"status": "finished", "tracks": 1, "boxes": 11}
    assert page.do.done.is_set()


# --------------------------------------------------------------------------------------------------- files on disk
def test_a_file_that_somebody_else_wrote_is_kept_when_it_is_corrected(opened: Opened, clip: Path) -> None:
    theirs = json.dumps(coco((0, 1, [0, 0, 9, 9]), (1, 1, [1, 1, 9, 9])))
    drawn = beside(Footage.open(clip))
    drawn.write_text(theirs)
    page = opened()
    page.send({"1": None, **ONE})
    page.send({"3": None, "4": ONE["3"]})
    assert drawn.with_name("clip.boxes.json.before").read_text() == theirs
    assert sorted(path.name for path in clip.parent.glob("clip.boxes*")) == [
        "clip.boxes.json",
        "clip.boxes.json.before",
    ]


def test_a_full_disk_is_told_and_the_old_boxes_stay(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened()
    page.send(ONE)
    before = page.drawing.path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vatl_core.files.os.fsync", full)
    answer = page.send({"4": ONE["3"]})
    assert (answer.status_code, answer.json()["error"]) == (
        500,
        "clip.boxes.json cannot be written: No space left on device",
    )
    assert page.drawing.path.read_bytes() == before
    assert list(page.drawing.tracks) == [3]
    assert len(list(page.drawing.path.parent.iterdir())) == 2


def test_boxes_to_correct_never_replace_drawn_ones(opened: Opened, tmp_path: Path, clip: Path) -> None:
    found = tmp_path / "found.json"
    found.write_text(json.dumps(coco((0, 1, [0, 0, 9, 9]))))
    page = opened(boxes=found)
    assert page.drawing.path.exists()
    assert list(page.drawing.tracks) == [1]
    with pytest.raises(InputError, match=r"clip\.boxes\.json is there already and would be lost"):
        opened(boxes=found)


def test_a_skeleton_of_ones_own_goes_into_the_file(clip: Path, tmp_path: Path) -> None:
    fly = {"id": 9, "name": "fly", "keypoints": ["head", "wingL", "wingR"], "skeleton": [[1, 2], [1, 3]]}
    (tmp_path / "fly.json").write_text(json.dumps(fly))
    assert read_category(tmp_path / "fly.json") == fly | {"id": 1}
    footage = Footage.open(clip)
    drawing, _ = Drawing.open(footage, beside(footage), None, tmp_path / "fly.json")
    drawing.change(drawing.revision, {1: Track(1, (Key(0, (0, 0, 9, 9)),))})
    dataset = AnyVideo(clip)
    assert dataset.load(*dataset.videos()).skeleton.keypoints == ("head", "wingL", "wingR")
    again, _ = Drawing.open(footage, beside(footage), None, None)
    assert again.category == fly | {"id": 1}


def test_pictures_of_other_sizes_hold_boxes_of_their_own_size(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, width in (("2.png", 50), ("10.png", 80), ("1.png", 50)):
        cv2.imwrite(str(folder / name), np.zeros((30, width, 3), np.uint8))
    footage = Footage.open(folder)
    assert [footage.size_of(frame) for frame in range(3)] == [(50, 30), (50, 30), (80, 30)]
    drawing, _ = Drawing.open(footage, beside(footage), None, None)
    drawing.change(drawing.revision, {1: Track(1, (Key(2, (60, 0, 20, 20)),))})
    dataset = AnyVideo(folder)
    video = dataset.load(*dataset.videos())
    assert (video.instances.frame.tolist(), video.instances.boxes.tolist()) == ([2], [[60, 0, 20, 20]])


# -------------------------------------------------------------------------------------------------------- commands
@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("missing.mp4", {}, "missing.mp4 does not exist: give a run, a video file or a folder of pictures"),
        ("", {}, "has no config.toml and no pictures"),
        ("clip.mp4", {"boxes": "none.json"}, "none.json does not exist"),
        ("clip.mp4", {"skeleton": "none.json"}, "none.json does not exist"),
        ("clip.mp4", {"out": "."}, "is a folder: give a file as --out"),
        ("clip.mp4", {"host": "0.0.0.0"}, "needs a password"),
        ("run", {"boxes": "none.json"}, "is a run, whose boxes are given by its data set: leave out --boxes"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    target: str, options: dict[str, str], said: str, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    Path("run").mkdir()
    Path("run/config.toml").touch()
    arguments = [
        target or ".",
        "--no-open",
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]
    with pytest.raises(InputError, match=said) as caught:
        command.main(arguments, standalone_mode=False)
    assert "\n" not in str(caught.value)
    assert not list(clip.parent.glob("clip.boxes*"))


def test_two_people_do_not_draw_into_one_file(clip: Path) -> None:
    from filelock import FileLock

    with (
        FileLock(clip.with_name(".clip.boxes.json.lock")),
        pytest.raises(InputError, match=r"clip\.boxes\.json is being drawn already by another vatl annotate"),
    ):
        draw(clip, None, None, None, Place(open=False))


def test_the_next_command_can_be_typed_as_it_stands(clip: Path, tmp_path: Path) -> None:
    footage = attrs.evolve(Footage.open(clip), path=Path("my clip.mp4"))
    drawing, _ = Drawing.open(footage, tmp_path / "elsewhere.json", None, None)
    expected = f"vatl run --dataset video -o 'dataset.path=my clip.mp4' -o dataset.boxes={tmp_path}/elsewhere.json"
    assert next_command(drawing) == f"{expected} --oracle browser"
