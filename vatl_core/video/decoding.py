"""Decoding a video file from any frame on, as players show it: trimmed where it was trimmed, and upright."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vatl_core.errors import InputError

if TYPE_CHECKING:
    from av import VideoFrame


def frame_times(path: Path) -> tuple[list[int], Fraction | None]:
    """The presentation times of a file's frames, in order, and the seconds of their unit; nothing is decoded.

    Raises:
        InputError: it is no video, or has no frames.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            # what a trimmed video keeps of before its beginning is decoded for the sake of the rest, and never shown
            shown = (packet for packet in container.demux(stream) if not packet.is_discard)
            times = sorted(packet.pts for packet in shown if packet.pts is not None)
            unit = stream.time_base
    except (av.FFmpegError, IndexError) as error:
        cause = getattr(error, "strerror", None) or "it has no video stream"
        raise InputError(f"{path} cannot be read as a video ({cause}): is it complete?") from error
    if not times:
        raise InputError(f"{path} has no frames: is it complete?")
    return times, unit


def decode_from(path: Path, time: int) -> Iterator[tuple[int, VideoFrame]]:
    """Frames (time, picture) from the key frame at or before ``time`` on; converted by whoever wants one.

    Some containers land behind the time they are asked for; those are decoded from their beginning.

    Raises:
        InputError: the file is damaged.
    """
    for start in (time, None):
        frames = _decode(path, start)
        first = next(frames, None)
        if first is not None and first[0] <= time:
            return chain([first], frames)
    return iter(())


def _decode(path: Path, start: int | None) -> Iterator[tuple[int, VideoFrame]]:
    """Frames (time, picture) from about ``start`` on, or from the first."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if start is not None:
                container.seek(start, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None:
                    yield frame.pts, frame
    except av.FFmpegError as error:
        raise InputError(f"{path} is damaged ({error.strerror}): it cannot be decoded to its end") from error


def as_shown(frame: VideoFrame, **scaling: Any) -> NDArray[np.uint8]:
    """A frame's pixels (H, W, 3), RGB, turned as the file says that the camera was held.

    Args:
        frame: as it was decoded.
        scaling: of it as it lies in the file, for :meth:`av.VideoFrame.to_ndarray`: ``width``, ``height``,
            ``interpolation``.
    """
    pixels = frame.to_ndarray(format="rgb24", **scaling)
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
