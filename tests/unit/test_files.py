"""Files appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch

from tests.conftest import stick_video
from tests.footage import trim, turn
from vatl_core import files
from vatl_core.contracts import Labels
from vatl_core.errors import InputError
from vatl_core.files import append_line, temporary_folder, whole, whole_lines, write_whole
from vatl_core.store import RunFolder
from vatl_drawing import write_video
from vatl_frames import PictureFiles, VideoFile, decode_from


def full(*_: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def writing() -> None:
        with whole(path) as beside:
            beside.write_text("new, but")
            full()

    with pytest.raises(OSError, match="space"):
        writing()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    append_line(path, "first")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        append_line(path, "second line")
    assert path.read_text() == "first\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", [".a.csv.part.csv", ".a.csv.part", "a.csv.part", ".a.csv.0123456789abcdef.part.csv"])
def test_a_link_laid_where_a_file_is_prepared_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0123456789abcdef")
    (tmp_path / "mine.sh").write_text("echo mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "mine.sh")
    with suppress(FileExistsError):  # a name that was guessed
        write_whole(tmp_path / "run" / "a.csv", "rm")
    assert (tmp_path / "mine.sh").read_text() == "echo mine"


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine.sh").write_text("echo mine")
    (tmp_path / "a.csv").symlink_to(tmp_path / "mine.sh")
    write_whole(tmp_path / "a.csv", "theirs")
    assert (tmp_path / "mine.sh").read_text() == "echo mine"
    assert (tmp_path / "a.csv").read_text() == "theirs"


def test_two_files_are_prepared_under_names_that_nobody_can_tell(tmp_path: Path) -> None:
    names = set()
    for _ in range(5):
        with whole(tmp_path / "a.csv") as beside:
            names.add(beside.name)
    assert len(names) == 5


def test_what_a_killed_process_prepared_is_swept_when_its_run_is_taken_up(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    left = [
        folder.path / ".config.toml.0f.part.toml", folder.cycle_folder(3) / ".query.json.1e.part.json",
        folder.path / "report" / ".labels.csv.4b.part.csv",
    ]  # fmt: skip
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    pictures = folder.cycle_folder(3) / ".task.2d.part"  # as a folder of the oracle of files is prepared
    (pictures / "inside").mkdir(parents=True)
    (pictures / "inside" / ".a.jpg.3c.part.jpg").touch()
    folder.lock()
    assert not [path for path in [*left, pictures] if path.exists()]
    assert (folder.path / "config.toml").exists()
    left[0].touch()
    folder.lock()
    assert left[0].exists(), "which this process prepares now"
    folder.unlock()


def test_no_link_is_followed_in_sweeping(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    for name in ("report", "cycles"):
        (tmp_path / f"my-{name}").mkdir()
        (tmp_path / f"my-{name}" / ".a.0f.part").write_text("mine")
        (folder.path / name).symlink_to(tmp_path / f"my-{name}")
    (folder.path / ".b.1e.part").symlink_to(tmp_path / "my-report")
    folder.lock()
    folder.unlock()
    assert not (folder.path / ".b.1e.part").is_symlink()
    assert [(tmp_path / f"my-{name}" / ".a.0f.part").exists() for name in ("report", "cycles")] == [True, True]


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("one\ntwo\nthr")
    assert whole_lines(path) == ["one", "two"]
    append_line(path, "three")
    assert whole_lines(path) == ["one", "two", "three"]


def test_a_full_disk_leaves_no_part_of_a_video(tmp_path: Path) -> None:
    def pictures() -> Any:
        yield torch.zeros(3, 32, 32, dtype=torch.uint8)
        full()

    with pytest.raises(OSError, match="space"):
        write_video(tmp_path / "a.mp4", pictures())
    assert not list(tmp_path.iterdir())


def _quarters(height: int, width: int) -> torch.Tensor:
    """A picture (3, H, W) that looks different from each side."""
    picture = torch.zeros(3, height, width, dtype=torch.uint8)
    picture[:, : height // 2, : width // 2] = 240
    picture[:, : height // 2, width // 2 :] = 120
    return picture


class TestVideoFile:
    def test_the_same_pictures_give_the_same_file_where_that_is_asked_for(self, tmp_path: Path) -> None:
        noise = torch.randint(0, 255, (6, 3, 96, 128), dtype=torch.uint8)
        for number in range(4):
            write_video(tmp_path / f"{number}.mp4", (p.clone() for p in noise), repeatable=True)
        assert len({(tmp_path / f"{number}.mp4").read_bytes() for number in range(4)}) == 1

    def test_frames_come_back_in_any_order(self, tmp_path: Path) -> None:
        pictures = [torch.full((3, 48, 64), 8 * i, dtype=torch.uint8) for i in range(30)]
        write_video(tmp_path / "a.mp4", iter(pictures))
        frames = VideoFile(tmp_path / "a.mp4")
        assert len(frames) == 30
        for index in (0, 1, 2, 29, 5, 6, 28, 0):
            assert (frames.read(index).float().mean() - 8 * index).abs() < 4

    def test_pictures_of_other_sizes_are_scaled_into_the_first(self, tmp_path: Path) -> None:
        sizes = ((49, 64), (24, 64), (98, 64), (98, 128))
        write_video(tmp_path / "a.mp4", (torch.full((3, *size), 200, dtype=torch.uint8) for size in sizes))
        frames = VideoFile(tmp_path / "a.mp4")
        assert {frames.read(i).shape for i in range(4)} == {(3, 48, 64)}
        lit = [(frames.read(i)[0] > 100).nonzero().aminmax(dim=0) for i in range(4)]
        spans = [[*box.min.tolist(), *box.max.tolist()] for box in lit]
        expected = [[0, 0, 47, 63], [12, 0, 35, 63], [0, 16, 47, 47], [0, 0, 47, 63]]
        assert (torch.tensor(spans) - torch.tensor(expected)).abs().max() <= 1

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_a_turned_camera_s_video_is_upright_as_for_opencv(self, tmp_path: Path, degrees: int) -> None:
        path = tmp_path / "a.mp4"
        write_video(path, (_quarters(48, 80) for _ in range(3)))
        turn(path, degrees)
        _, expected = cv2.VideoCapture(str(path)).read()
        found = VideoFile(path).read(0).permute(1, 2, 0).numpy()
        assert found.shape == ((48, 80, 3) if degrees == 180 else (80, 48, 3))
        assert np.abs(found.astype(int) - expected[..., ::-1]).mean() < 3

    def test_a_trimmed_video_begins_where_it_was_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        write_video(path, (torch.full((3, 48, 64), 8 * i, dtype=torch.uint8) for i in range(30)))
        trim(path, 10)
        frames = VideoFile(path)
        assert len(frames) == 20
        for index in (19, 0, 7):
            assert (frames.read(index).float().mean() - 8 * (index + 10)).abs() < 4
        assert [time for time, _ in decode_from(path, frames.times[0])] == frames.times

    @pytest.mark.parametrize("fps", [25.0, 12.5, 30000 / 1001])
    def test_a_frame_s_time_is_in_seconds_from_the_first(self, tmp_path: Path, fps: float) -> None:
        path = tmp_path / "a.mp4"
        write_video(path, (torch.zeros(3, 16, 16, dtype=torch.uint8) for _ in range(60)), fps)
        frames = VideoFile(path)
        assert frames.time(0) == 0
        assert frames.time(50) == pytest.approx(50 / fps, abs=1e-3)
        with pytest.raises(InputError, match="has 60 frames, and frame 60 was asked for"):
            frames.time(60)

    def test_time_begins_with_the_first_frame_whatever_the_file_calls_it(self, tmp_path: Path) -> None:
        path = tmp_path / "late.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width = stream.height = 16
            for number in range(5):
                frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
                frame.pts, frame.time_base = 50 + number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        assert [VideoFile(path).time(i) for i in (0, 1, 4)] == pytest.approx([0, 0.04, 0.16], abs=2e-3)

    def test_pictures_have_no_seconds(self) -> None:
        assert [PictureFiles([Path("a.png"), Path("b.png")]).time(i) for i in range(2)] == [0, 1]

    def test_their_size_is_that_of_what_is_read(self, tmp_path: Path) -> None:
        write_video(tmp_path / "a.mp4", (_quarters(48, 80) for _ in range(3)))
        turn(tmp_path / "a.mp4", 90)
        for number, shape in enumerate(((30, 40, 3), (50, 20, 3))):
            cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros(shape, np.uint8))
        files = PictureFiles([tmp_path / "0.png", tmp_path / "1.png"])
        for frames in (VideoFile(tmp_path / "a.mp4"), files, files.reader()):
            for index in range(len(frames)):
                _, height, width = frames.read(index).shape
                assert frames.size(index) == (width, height)
            with pytest.raises(InputError):
                frames.size(len(frames))

    def test_beyond_the_end_is_an_error_that_says_how_many_there_are(self, tmp_path: Path) -> None:
        write_video(tmp_path / "a.mp4", (p for p in torch.zeros(3, 3, 32, 32, dtype=torch.uint8)))
        with pytest.raises(InputError, match="has 3 frames"):
            VideoFile(tmp_path / "a.mp4").read(3)

    @pytest.mark.parametrize("content", [b"", b"not a video at all" * 50])
    def test_what_is_no_video_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(InputError, match="complete"):
            VideoFile(tmp_path / "a.mp4")

    def test_a_truncated_video_is_refused_when_opened_or_read(self, tmp_path: Path) -> None:
        noise = torch.randint(0, 255, (40, 3, 64, 64), dtype=torch.uint8)
        write_video(tmp_path / "a.mp4", iter(noise))
        data = (tmp_path / "a.mp4").read_bytes()
        (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
        with pytest.raises(InputError, match=r"a\.mp4"):
            VideoFile(tmp_path / "a.mp4").read(39)


class TestLabels:
    def test_they_come_back_as_given_in_the_order_asked(self, tmp_path: Path) -> None:
        truth = stick_video().instances
        folder = RunFolder(tmp_path)
        for cycle, index in enumerate(([7, 2], [5])):
            chosen = torch.tensor(index)
            folder.answers.save(
                cycle,
                Labels(chosen, truth.keypoints[chosen], truth.visible[chosen], "me", torch.tensor([1.5] * len(index))),
            )
        back = folder.answers.labels([5, 7, 11, 2], 5)
        assert back.index.tolist() == [5, 7, 2]
        assert torch.equal(back.keypoints, truth.keypoints[[5, 7, 2]])
        assert back.seconds.tolist() == [1.5] * 3

    def test_none_yet_is_an_empty_answer_of_the_right_shape(self, tmp_path: Path) -> None:
        assert RunFolder(tmp_path).answers.labels([], 5).keypoints.shape == (0, 5, 2)


class TestTemporaryFolder:
    @pytest.fixture(autouse=True)
    def _of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def test_it_is_ones_own_and_gone_after_the_block(self, tmp_path: Path) -> None:
        with temporary_folder() as folder:
            (folder / "a.jpg").touch()
            assert folder.stat().st_mode & 0o077 == 0
        with pytest.raises(ZeroDivisionError), temporary_folder():
            raise ZeroDivisionError
        assert not list(tmp_path.iterdir())

    def test_that_of_a_killed_process_goes_with_the_next_and_those_of_others_stay(self, tmp_path: Path) -> None:
        names = ("vatl-killed", "vatl-said-something", "theirs")
        for name in names:
            (tmp_path / name).mkdir()
            (tmp_path / name / "a.jpg").touch()
        (tmp_path / "vatl-killed" / ".lock").touch()
        (tmp_path / "theirs" / ".lock").touch()
        (tmp_path / "vatl-link").symlink_to(tmp_path / "theirs")
        with temporary_folder() as mine, temporary_folder() as another:
            assert mine.exists()
            assert another.exists()
        assert {path.name for path in tmp_path.iterdir()} == {"vatl-said-something", "theirs", "vatl-link"}
        assert (tmp_path / "theirs" / "a.jpg").exists()

    def test_nothing_of_another_user_is_touched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "vatl-theirs").mkdir()
        (tmp_path / "vatl-theirs" / ".lock").touch()
        own = Path.lstat
        theirs = SimpleNamespace(st_uid=tmp_path.stat().st_uid + 1)
        monkeypatch.setattr(Path, "lstat", lambda path: theirs if path.name == "vatl-theirs" else own(path))
        with temporary_folder():
            pass
        assert (tmp_path / "vatl-theirs").exists()
