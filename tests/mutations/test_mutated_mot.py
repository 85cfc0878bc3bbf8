"""Boxes as MOT's text beside a video, mutated."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import av
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.mutations.calling import assert_refused_well, checked
from tests.mutations.examples import mutated
from tests.mutations.files import mutate_file
from tests.mutations.reading import close, same_partition, seen
from tests.mutations.text_tables import mutated_tables
from vatl_core.errors import InputError
from vatl_core.video import Video
from vatl_drawing import write_video
from vatl_frames import VideoFile
from vatl_video.dataset import AnyVideo

FRAMES, HEIGHT, WIDTH = 5, 48, 64
ROWS: Final = [
    [f"{f + 1}", f"{t}", f"{4 + f + 20 * t}", "6.5", "20", "15.25", "0.9", "-1", "-1", "-1"]
    for f in range(FRAMES)
    for t in (0, 1)
]

NOBODY: Final = [[row[0], "-1", *row[2:]] for row in ROWS]
"""The same boxes, of which nobody knows whose they are."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    grey = (torch.full((3, HEIGHT, WIDTH), 20 + 25 * f, dtype=torch.uint8) for f in range(FRAMES))
    write_video(folder / "clip.mp4", grey)
    return folder


def assert_refused_or_said(path: Path) -> None:
    outcome = checked("video", f"path={path.parent / 'clip.mp4'}", f"boxes={path}", f"cache={path.parent / 'cache'}")
    if outcome.code:
        assert_refused_well(outcome, [path.name, "clip.mp4"])
        return
    data = AnyVideo(path.parent / "clip.mp4", path, cache=path.parent / "cache")
    assert_says(path, data.load("clip"))


def assert_says(path: Path, video: Video) -> None:
    """Make sure that a video has the boxes that its file lists, and that all that is left out is counted."""
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8-sig").splitlines()]
    rows = [[float(cell) for cell in line.split(",")[:7]] for line in lines if line]
    found = list(seen(video).values())
    assert len(found) + sum(video.dropped.values()) == len(rows), "boxes vanished"
    told = [(int(row[0]) - 1, tuple(_within(row[2:6])), int(row[1])) for row in rows]
    for instance in found:
        assert any(f == instance.picture and close(box, instance.box) for f, box, _ in told), f"{instance} is nowhere"
    if (
        not video.dropped
        and max(Counter((f, box) for f, box, _ in told).values()) == 1
        and any(t >= 0 for *_, t in told)
    ):
        theirs = {(f, tuple(torch.tensor(b).tolist())): t if t >= 0 else (f, b) for f, b, t in told}
        assert same_partition({(i.picture, i.box): i.track for i in found}, theirs), "read with other tracks"


def _within(box: list[float]) -> list[float]:
    """A box's part in the picture."""
    x, y, width, height = box
    left, top = max(x, 0.0), max(y, 0.0)
    whole = left == x and top == y and x + width <= WIDTH and y + height <= HEIGHT
    return box if whole else [left, top, min(x + width, WIDTH) - left, min(y + height, HEIGHT) - top]


@pytest.mark.parametrize("rows", [ROWS, NOBODY], ids=["tracks", "nobody"])
def test_a_mutated_table_is_refused_or_read_as_it_says(clip: Path, rows: list[list[str]]) -> None:
    @mutated(6)
    @given(mutated_tables(rows))
    def holds(text: str) -> None:
        (clip / "boxes.txt").write_text(text)
        assert_refused_or_said(clip / "boxes.txt")

    holds()


@mutated(6)
@given(data=st.data())
def test_a_mutated_file_is_refused_or_read_as_it_says(clip: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copytree(clip, Path(folder) / "clip")) / "boxes.txt"
        path.write_text("".join(",".join(row) + "\n" for row in ROWS))
        mutate_file(data.draw, data.draw(st.sampled_from([path, path, path.parent / "clip.mp4"])))
        assert_refused_or_said(path)


def _load(clip: Path, rows: list[list[str]]) -> Video:
    path = clip / "boxes.txt"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return AnyVideo(clip / "clip.mp4", path, cache=clip / "cache").load("clip")


def test_the_same_box_of_nobody_twice_is_left_out_and_counted(clip: Path) -> None:
    assert len(_load(clip, NOBODY).instances) == 2 * FRAMES
    video = _load(clip, [*NOBODY, NOBODY[4]])
    assert len(video.instances) == 2 * FRAMES
    assert video.dropped == {"the same as another in its frame": 1}


def test_a_file_whose_boxes_are_all_of_no_use_is_named(clip: Path) -> None:
    with pytest.raises(InputError, match=r"boxes\.txt has no boxes; 10 dropped: box without area"):
        _load(clip, [[*row[:4], "0", *row[5:]] for row in ROWS])


def test_a_video_whose_title_is_in_another_alphabet_is_read(clip: Path, tmp_path: Path) -> None:
    path, titled = tmp_path / "clip.mp4", tmp_path / "titled.mp4"
    with av.open(str(clip / "clip.mp4")) as source, av.open(str(titled), "w") as target:
        target.metadata["title"] = "PLACEHOLDER"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = titled.read_bytes()
    assert b"PLACEHOLDER" in data
    path.write_bytes(data.replace(b"PLACEHOLDER", b"\xcf\xf0\xe8\xe2\xe5\xf2-1251"))
    assert len(VideoFile(path)) == FRAMES
