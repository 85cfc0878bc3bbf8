"""Frame i is the i-th that is shown when a file is decoded from its beginning, whatever it is kept in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from torch import Tensor

from vatl_frames import VideoFile

COUNT, HEIGHT, WIDTH = 70, 96, 128
X264 = {"x264-params": "bframes=3:keyint=12:scenecut=0"}
X265 = {"x265-params": "bframes=3:keyint=12:log-level=none"}
MPEG = {"bf": "2", "g": "12"}
KINDS: dict[str, tuple[str, dict[str, str] | None, str | None]] = {
    "a.mp4": ("libx264", X264, None), "a.mov": ("libx264", X264, None), "a.mkv": ("libx264", X264, None),
    "a.avi": ("libx264", X264, None), "a.ts": ("libx264", X264, "mpegts"), "a.flv": ("libx264", X264, None),
    "a.h264": ("libx264", X264, "h264"), "b.mp4": ("libx265", X265, None), "b.hevc": ("libx265", X265, "hevc"),
    "c.avi": ("mpeg4", MPEG, None), "c.m4v": ("mpeg4", MPEG, "m4v"), "c.asf": ("mpeg4", MPEG, "asf"),
    "d.mpg": ("mpeg2video", MPEG, "mpeg"), "d.m2v": ("mpeg2video", MPEG, "mpeg2video"),
    "d.mxf": ("mpeg2video", MPEG, "mxf"),
    "d.ts": ("mpeg2video", MPEG, "mpegts"), "e.avi": ("mjpeg", None, None), "e.wmv": ("wmv2", None, None),
    "f.avi": ("libx264", {"x264-params": "bframes=0:keyint=12"}, None), "g.gif": ("gif", None, None),
}  # fmt: skip
"""Codec, its options and the container, by the file's name."""


def counter(number: int) -> np.ndarray[Any, Any]:
    """A picture whose eight stripes are a number's binary digits."""
    stripes = [235 if number >> digit & 1 else 16 for digit in range(8)]
    return np.repeat(np.array(stripes, np.uint8), WIDTH // 8)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)


def counted(picture: Tensor) -> int:
    middles = picture.float().mean(0)[HEIGHT // 2].view(8, -1)[:, 4:-4].mean(1)
    return sum(int(bright) << digit for digit, bright in enumerate((middles > 110).tolist()))


def written(path: Path, codec: str, options: dict[str, str] | None, container: str | None) -> Path:
    pixels = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
    try:
        with av.open(str(path), "w", format=container) as file:
            stream: Any = file.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, pixels, options or {}
            for number in range(COUNT):
                frame = av.VideoFrame.from_ndarray(counter(number), format="rgb24").reformat(format=pixels)
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this PyAV does not write {codec}: {error}")
    return path


@pytest.mark.parametrize("name", KINDS)
def test_a_frame_is_the_one_that_is_shown_there(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, *KINDS[name])
    frames = VideoFile(path)
    assert len(frames) == COUNT
    assert [counted(frames.read(i)) for i in range(0, COUNT, 9)] == list(range(0, COUNT, 9)), "forward, sparse"
    for order in ((50, 3, 30, 31, 10, COUNT - 1, 0), range(11, 14)):
        assert [counted(VideoFile(path).read(i)) for i in order] == list(order), "each by itself"
        assert [counted(frames.read(i)) for i in order] == list(order), "back and forth"
    times = [frames.time(i) for i in range(COUNT)]
    assert times == sorted(times)
    assert times[25] == pytest.approx(1, abs=0.05)
