"""Damage in the middle: it is named, nothing is shown in its place, and a run can do without."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
import torch

from tests.unit.test_coco import document, save
from tests.unit.test_containers import COUNT, KINDS, counted, written
from tests.unit.test_same_data import SHORT, vatl
from tests.unit.test_same_data import pictures as drawn
from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_core.run import PastRun
from vatl_core.video import Video
from vatl_formats import Covered
from vatl_frames import VideoFile
from vatl_video.dataset import AnyVideo

WITH_TIMES = ["a.mp4", "a.mov", "a.mkv", "b.mp4", "c.avi", "c.m4v", "d.m2v", "e.avi", "f.avi"]


def torn(path: Path, number: int) -> Path:
    """A copy whose packet of this number, in the order they lie in, is scrawled over."""
    with av.open(str(path)) as file:
        packet = [p for p in file.demux(file.streams.video[0]) if p.size][number]
        begin, end = packet.pos + max(6, packet.size // 4), packet.pos + packet.size
    data = bytearray(path.read_bytes())
    data[begin:end] = bytes((7 * k * k + 3) % 256 for k in range(begin, end))
    copy = path.with_name(f"torn-{path.name}")
    copy.write_bytes(data)
    return copy


def seen(frames: VideoFile, order: range) -> dict[int, int | None]:
    """What each frame shows; None where it says in a line that it cannot be read."""
    found: dict[int, int | None] = {}
    said: set[bool] = set()
    for number in order:
        try:
            found[number] = counted(frames.read(number))
        except InputError as error:
            found[number] = None
            said.add(f"frame {number} of {COUNT} is damaged" in str(error) and "--skip-broken" in str(error))
    assert said <= {True}
    return found


@pytest.mark.parametrize("name", WITH_TIMES)
@pytest.mark.parametrize("number", [24, 37])
def test_a_frame_is_itself_or_is_said_to_be_damaged(tmp_path: Path, name: str, number: int) -> None:
    path = torn(written(tmp_path / name, *KINDS[name]), number)
    for order in (range(COUNT), range(COUNT - 1, -1, -7)):
        found = seen(VideoFile(path), order)
        assert {shown for i, shown in found.items() if shown is not None and shown != i} == set()
    lost = [i for i, shown in seen(VideoFile(path), range(COUNT)).items() if shown is None]
    assert 1 <= len(lost) <= 16, "no more than the group of the damage, and what leads into the next"
    assert min(lost) >= number - 16
    assert max(lost) <= number + 16


@pytest.mark.parametrize("name", ["a.avi", "a.h264"])
def test_where_frames_can_only_be_counted_damage_refuses_the_file(tmp_path: Path, name: str) -> None:
    path = torn(written(tmp_path / name, *KINDS[name]), 37)
    with pytest.raises(InputError, match=r"is damaged, and has no times .* `ffmpeg -i '?.*torn-a\.\w+'? -c copy"):
        VideoFile(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    drawn(tmp_path / "data")
    save(tmp_path / "data", document())
    whole = (tmp_path / "data" / "003.png").read_bytes()
    (tmp_path / "data" / "003.png").write_bytes(whole[: len(whole) * 2 // 3])
    return tmp_path / "data"


def test_instances_on_broken_frames_are_left_out_and_counted(pictures: Path) -> None:
    whole = Coco(pictures / "annotations.json").load("data-annotations")
    video = Coco(pictures / "annotations.json", skip_broken=True).load("data-annotations")
    assert video.dropped["on frames that cannot be read (1, from 3 to 3)"] == 2
    kept = whole.instances.frame != 3
    assert video.instances.ids == tuple(i for i, keep in zip(whole.instances.ids, kept.tolist(), strict=True) if keep)
    assert video.instances.boxes.equal(whole.instances.boxes[kept])
    for i, other in enumerate(video.instances.next.tolist()):
        if other >= 0:
            assert int(video.instances.frame[other]) == int(video.instances.frame[i]) + 1
            assert int(video.instances.previous[other]) == i
    assert -1 in video.instances.next[video.instances.frame == 2].tolist()


def test_a_run_goes_round_a_broken_picture(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("run", "--dataset", "coco", "-o", "dataset.annotations=data/annotations.json", *SHORT)
    assert vatl(*words) == 2
    assert "003.png" in capsys.readouterr().err
    assert vatl(*words, "--skip-broken", "--name", "round") == 0
    past = PastRun.open(tmp_path / "runs" / "round")
    assert past.closing is not None
    assert past.closing.instances == 10
    assert any("on frames that cannot be read" in warning for warning in past.closing.warnings)


def test_tracks_go_on_across_a_damaged_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = torn(written(tmp_path / "a.mp4", *KINDS["a.mp4"]), 37)
    boxes = tmp_path / "boxes.txt"
    boxes.write_text("".join(f"{frame + 1},7,{10 + frame},20,30,40,1\n" for frame in range(COUNT)))
    lost = {i for i, shown in seen(VideoFile(path), range(COUNT)).items() if shown is None}
    video = AnyVideo(path, boxes=boxes, skip_broken=True).load(path.stem)
    assert set(video.instances.frame.tolist()) == set(range(COUNT)) - lost
    assert set(video.instances.track.tolist()) == {7}
    assert f"on frames that cannot be read ({len(lost)}, from {min(lost)} to {max(lost)})" in video.dropped
    for frame in video.instances.frame.tolist():
        assert counted(video.frames.read(frame)) == frame
    assert "look for damage" in capsys.readouterr().err


def test_what_is_shown_in_place_of_a_broken_frame_is_the_last_one_that_is_whole() -> None:
    pictures = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 2, 4)
    covered = Covered(Video.of(pictures, [[0, 0, 2, 2]] * 5).frames, {0, 3, 4})
    assert [int(covered.read(i)[0, 0, 0]) for i in range(5)] == [1, 1, 2, 2, 2]
    assert covered.size(3) == (4, 2)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "b.mp4", "e.avi", "f.avi"])
def test_damage_far_from_what_is_looked_at_first_is_met_in_reading(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.test_containers.COUNT", 240)
    frames = VideoFile(torn(written(tmp_path / name, *KINDS[name]), 85))
    assert (len(frames), frames.finding, frames.torn) == (240, "seek", None)
    found = {}
    for number in range(240):
        try:
            found[number] = counted(frames.read(number))
        except InputError:
            found[number] = None
    assert {number: shown for number, shown in found.items() if shown not in (None, number)} == {}
    lost = [number for number, shown in found.items() if shown is None]
    assert 85 - 16 <= min(lost) <= max(lost) <= 85 + 16
