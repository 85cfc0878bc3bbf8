"""What reads and shows pictures: the decoder of videos, OpenCV, a browser."""

from __future__ import annotations

import io
import shutil
import webbrowser
from typing import Final

from vatl_core.plugins import describe
from vatl_doctor.findings import Finding, advice, fine, wrong

_FORMATS: Final = ("h264", "hevc", "vp9", "av1", "mpeg4")
"""What videos are usually coded in."""
_FRAMES: Final = 3
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge", "firefox", "safari")


def decoder() -> list[Finding]:
    """Whether a video of a few frames can be written and read back."""
    try:
        import av

        written = io.BytesIO()
        _write(written)
        with av.open(io.BytesIO(written.getvalue()), "r") as container:
            frames = len(list(container.decode(video=0)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [wrong(f"PyAV does not work: {describe(error)}", "pip install --force-reinstall av")]
    if frames != _FRAMES:
        return [wrong(f"PyAV read {frames} frames of {_FRAMES}", "pip install --force-reinstall av")]
    if missing := [name for name in _FORMATS if name not in av.codecs_available]:
        return [advice(f"PyAV {av.__version__} reads no {', '.join(missing)}", "pip install --force-reinstall av")]
    return [fine(f"PyAV {av.__version__}, reads {', '.join(_FORMATS)}")]


def _write(file: io.BytesIO) -> None:
    import av
    import numpy as np

    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for number in range(_FRAMES):
            picture = np.full((32, 32, 3), 60 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def opencv() -> list[Finding]:
    """Whether OpenCV, which needs libraries of the system, can be imported."""
    try:
        import cv2
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        remedy = "pip install --force-reinstall opencv-python"
        if "libGL" in str(error) or "libgthread" in str(error) or "libglib" in str(error):
            remedy = "apt-get install libgl1 libglib2.0-0, or what your system calls them"
        return [wrong(f"cannot be imported: {describe(error)}", remedy)]
    return [fine(cv2.__version__)]


def browser() -> list[Finding]:
    """What the labelling page would be opened in."""
    try:
        name = getattr(webbrowser.get(), "name", "") or "the system's"
        return [fine(f"{name}: the labelling page is opened in it")]
    except webbrowser.Error:
        installed = next((name for name in _BROWSERS if shutil.which(name)), None)
    if installed:
        return [advice(f"{installed} is installed, and there is no display to open it on", _ELSEWHERE)]
    return [advice("none", f"install one, or {_ELSEWHERE}")]


_ELSEWHERE: Final = "open the page's link from another computer, by `ssh -L`: docs/annotate.md"
