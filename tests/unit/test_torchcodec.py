"""`--decoder torchcodec`: the same frames by another decoder, or a word on why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import vatl_frames.by_torchcodec as module
from tests.conftest import Registered, stick_video
from tests.processes import Command
from tests.unit.test_containers import KINDS, counted, written
from vatl_core.errors import InputError, PluginError
from vatl_core.hookspecs import hookimpl
from vatl_core.run import decoded as shown_by
from vatl_core.store import RunFolder
from vatl_core.video import Frames
from vatl_core.video.columns import Pictures
from vatl_frames import PictureFiles, VideoFile, opened
from vatl_frames.by_torchcodec import by_torchcodec, tried

CPU = torch.device("cpu")


def decoded(source: str | Path | Sequence[Path]) -> Frames:
    frames = by_torchcodec(opened(source), CPU)
    assert frames is not None
    return frames


@pytest.mark.parametrize("name", KINDS)
def test_a_frame_is_the_one_that_is_shown_there_or_the_video_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, *KINDS[name])
    order = [50, 3, 30, 31, 10, 69, 0, *range(20, 40)]
    refusal = shown = None
    try:
        frames = decoded(path)
        shown = [counted(picture) for picture in frames.read_many(order)]
    except InputError as error:
        refusal = str(error)
    if refusal:
        assert not name.endswith((".mp4", ".mov", ".mkv")), "what cameras and phones write"
        assert refusal.startswith(f"{path}: torchcodec ")
        assert refusal.endswith(": take --decoder exact")
        return
    assert shown == order
    assert [frames.time(i) for i in (0, 25)] == [VideoFile(path).time(i) for i in (0, 25)]
    assert (frames.size(0), frames.name(3)) == ((128, 96), name)


def test_times_that_are_not_those_shown_are_refused(tmp_path: Path) -> None:
    frames = decoded(written(tmp_path / "a.mp4", *KINDS["a.mp4"]))
    frames.frames.times[7] += 300  # type: ignore[attr-defined]
    frames.read(6)
    with pytest.raises(
        InputError, match=r"a\.mp4: torchcodec gives one at 0\.280 s as frame 7, which is shown at 0\.3"
    ):
        frames.read(7)


def test_another_number_of_frames_is_refused(tmp_path: Path) -> None:
    file = VideoFile(written(tmp_path / "a.mp4", *KINDS["a.mp4"]))
    file.times.pop()
    with pytest.raises(InputError, match="torchcodec counts 70 frames where 69 are shown: take --decoder exact"):
        by_torchcodec(file, CPU)


@pytest.mark.parametrize("name", ["concat:a.mp4", "data:a.mp4", "a:b.mp4"])
def test_a_name_is_no_instruction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "a.mp4", *KINDS["a.mp4"]).rename(name)
    assert counted(decoded(Path(name)).read(5)) == 5


def test_a_plugin_s_decoder_gives_as_many_frames(registered: Registered) -> None:
    class Plugin:
        @hookimpl(tryfirst=True)
        def vatl_decoded(self, decoder: str, frames: Frames, device: torch.device) -> object:
            return {"few": Frames.__subclasses__, "other": frames, "short": Pictures(torch.zeros(1, 3, 4, 4))}[decoder]

    registry, video = registered(plugins=(Plugin(),)), stick_video().without_truth()
    assert shown_by(video, "other", registry, CPU).frames is video.frames
    with pytest.raises(PluginError, match="decoder 'few' gave a builtin_function_or_method: Frames are expected"):
        shown_by(video, "few", registry, CPU)
    with pytest.raises(PluginError, match="decoder 'short' gave 1 frames of 12"):
        shown_by(video, "short", registry, CPU)


def test_a_second_thread_has_a_decoder_of_its_own(tmp_path: Path) -> None:
    frames = decoded(written(tmp_path / "a.mp4", *KINDS["a.mp4"]))
    other = frames.reader()
    assert other._decoder is not frames._decoder  # type: ignore[attr-defined]
    assert torch.equal(other.read(9), frames.read(9))


def picture(path: Path, **how: object) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    image = Image.fromarray(pixels)
    if mode := how.pop("mode", None):
        image = image.convert(str(mode))
    image.save(path, **how)
    return path


def held_sideways() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_pictures_are_those_that_opencv_reads(tmp_path: Path) -> None:
    files = [
        picture(tmp_path / "colour.jpg", quality=95), picture(tmp_path / "grey.jpg", mode="L"),
        picture(tmp_path / "progressive.jpeg", progressive=True), picture(tmp_path / "held.jpg", exif=held_sideways()),
        picture(tmp_path / "print.jpg", mode="CMYK"), picture(tmp_path / "lossless.png"),
    ]  # fmt: skip
    frames = decoded(files)
    assert isinstance(frames, module.PicturesByTorchcodec)
    plain = [frames._is_plain(i) for i in range(len(files))]
    assert plain == [True, True, True, False, False, False]
    for number, found in enumerate(frames.read_many(range(len(files)))):
        exact = PictureFiles(files).read(number)
        assert (found.dtype, found.shape) == (torch.uint8, exact.shape)
        assert (found.int() - exact.int()).abs().max() <= 2, files[number]
        assert frames.size(number) == (exact.shape[2], exact.shape[1])


def test_a_damaged_picture_is_named_and_spoils_no_other(tmp_path: Path) -> None:
    good, torn = picture(tmp_path / "good.jpg"), tmp_path / "torn.jpg"
    torn.write_bytes(good.read_bytes()[:200])
    frames = decoded([good, torn, good])
    with pytest.raises(InputError, match=r"torn\.jpg is damaged"):
        list(frames.read_many([0, 1, 2]))
    assert torch.equal(frames.read(2), frames.read(0))
    torn.write_bytes(good.read_bytes()[:-600])
    try:
        shown: Tensor | None = PictureFiles([good, torn]).read(1)
    except InputError:
        shown = None
    if shown is None:
        with pytest.raises(InputError, match=r"torn\.jpg"):
            frames.read(1)
    else:
        assert torch.equal(frames.read(1), shown), "as OpenCV covers it up"


def test_where_a_gpu_cannot_decode_the_cpu_does_and_says_so() -> None:
    def use(device: torch.device) -> str:
        if device.type == "cuda":
            raise RuntimeError("no NVDEC")
        return str(device)

    assert tried(use, torch.device("cuda", 0)) == (CPU, "cpu")
    assert tried(str, torch.device("cuda", 0)) == (torch.device("cuda", 0), "cuda:0")


def test_what_it_does_not_know_it_leaves_to_others() -> None:
    class Live(Frames):
        def __len__(self) -> int:
            return 1

        def read(self, index: int) -> Tensor:
            return torch.zeros(3, 4, 4, dtype=torch.uint8)

    assert by_torchcodec(Live(), CPU) is None


def test_a_run_says_which_decoder_it_began_with(tmp_path: Path, vatl: Command) -> None:
    small = ["--schedule", "4", "-o", "few-labels.steps=2", "--runs", tmp_path]
    assert vatl("run", *small, "--name", "exact").code == 0
    done = vatl("run", *small, "--name", "other", "--decoder", "torchcodec", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out.splitlines()[-1])["labelled"] == 4
    made = [RunFolder(tmp_path / name).config["made_with"]["decoder"] for name in ("exact", "other")]
    assert made[0].startswith("PyAV ")
    assert made[1].startswith("torchcodec ")
    assert made[1].endswith(" on cpu")
    done = vatl("predict", tmp_path / "other", "--dataset", "synthetic", "--only", "gym", "--no-video")
    assert done.code == 0, done.err


def test_a_decoder_that_nobody_knows_is_refused(tmp_path: Path, vatl: Command) -> None:
    done = vatl("run", "--decoder", "magic", "--runs", tmp_path)
    assert done.code == 2
    assert "no plugin knows decoder 'magic' of VideoFile: take --decoder exact" in done.err
    assert not list(tmp_path.iterdir())


def test_without_it_the_user_is_told_how_to_have_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(name: str) -> None:
        raise RuntimeError("\nCould not load libtorchcodec. Likely causes:\n 1. FFmpeg")

    monkeypatch.setattr(module.importlib, "import_module", fails)
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=r"Could not load libtorchcodec.*\): pip install 'vatl-frames\[torchcodec\]'"):
        by_torchcodec(PictureFiles([path]), CPU)
