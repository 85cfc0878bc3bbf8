"""Decoding a video file from any frame on, as players show it: trimmed where it was trimmed, and upright."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vatl_core.errors import InputError
from vatl_core.files import remedy

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_ELSEWHERE: Final = {"avisynth", "concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vapoursynth"}
"""FFmpeg's names of what is no video but says where one is: playlists, addresses, scripts."""


Finding = Literal["seek", "read", "count"]
"""How a frame is found: by its time, from the key frame before or from the beginning on; or by its number."""


def frame_times(path: Path) -> tuple[list[int], Fraction | None, Finding]:
    """The presentation times of a file's frames, in order, or their numbers; the seconds of their unit; the finding.

    Where packets do not tell what the decoder shows, from the beginning or the middle on, all is decoded; where they
    do not tell when either, all is counted: raw streams, program streams, B-frames in AVI.

    Raises:
        InputError: it is no video, has no frames, or is damaged where they can only be counted.
    """
    import av

    try:
        with _opened(path) as container:
            stream = container.streams.video[0]
            # what a trimmed video keeps of before its beginning is decoded for the sake of the rest, and never shown
            shown = [packet.pts for packet in container.demux(stream) if packet.size and not packet.is_discard]
            times, unit, rate = sorted(t for t in shown if t is not None), stream.time_base, stream.average_rate
    except (av.FFmpegError, IndexError) as error:
        cause = getattr(error, "strerror", None) or "it has no video stream"
        cause = "damaged, or a playlist, which is not followed" if isinstance(error, av.ArgumentError) else cause
        raise InputError(f"{path} cannot be read as a video ({cause}): {remedy(path)}") from error
    starts = (None, *times[len(times) // 2 :][:1])
    probes: list[list[Any]] = [[frame and frame.pts for frame in islice(_decode(path, start), 50)] for start in starts]
    steady = all({*p} <= {*times} and p == times[times.index(p[0]) :][: len(p)] for p in probes if p)
    if steady and 0 < len(times) == len(shown):
        return times, unit, "seek"
    found: list[Any] = [frame and (frame.pts,) for frame in _decode(path, None)]
    known = [pts for (pts,) in filter(None, found)]
    if known and len(times) == len(shown) and known == sorted({*known} & {*times}):
        return times, unit, "read"
    if None in found:
        remux = shlex.join(["ffmpeg", "-i", str(path), "-c", "copy", f"{path.stem}.mkv"])
        raise InputError(f"{path} is damaged, and has no times to number the frames behind by: give it some, `{remux}`")
    if not found:
        raise InputError(f"{path} has no frames: is it complete?")
    return list(range(len(found))), 1 / rate if rate else None, "count"


def _opened(path: Path) -> InputContainer:
    """A video file, whatever its name says that it is; what leads to other files or addresses is not followed."""
    import av

    formats = ",".join(av.formats_available - _ELSEWHERE)
    limits = {"protocol_whitelist": "file", "format_whitelist": formats}
    return av.open(str(path.absolute()), options=limits, metadata_errors="replace")  # titles in any alphabet


def decode_from(path: Path, time: int, finding: Finding = "seek") -> Iterator[tuple[int, VideoFrame]]:
    """Frames (time, picture) from the key frame at or before ``time`` on; converted by whoever wants one.

    Some containers land behind the time they are asked for; those are decoded from their beginning. What is damaged is
    left out.
    """
    if finding == "count":
        return enumerate(filter(None, _decode(path, None)))
    for start in (time, None) if finding == "seek" else (None,):
        frames = ((frame.pts, frame) for frame in filter(None, _decode(path, start)) if frame.pts is not None)
        first = next(frames, None)
        if first is not None and first[0] <= time:
            return chain([first], frames)
    return iter(())


def _decode(path: Path, start: int | None) -> Iterator[VideoFrame | None]:
    """Frames from about ``start`` on, or from the first; None where something is damaged."""
    import av

    try:
        with _opened(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if start is not None:
                with suppress(av.FFmpegError):  # some know no way but from the beginning
                    container.seek(start, stream=stream)
            torn = False
            for frame in chain.from_iterable(map(_decoded, container.demux(stream))):
                torn = frame is None or frame.is_corrupt or (torn and not frame.key_frame)
                yield None if torn else frame
    except av.FFmpegError:
        yield None


def _decoded(packet: Packet[VideoStream]) -> Sequence[VideoFrame | None]:
    """The frames of a packet; None where it is damaged."""
    import av

    try:
        return packet.decode()
    except av.FFmpegError:
        return [None]


def as_shown(frame: VideoFrame, **scaling: Any) -> NDArray[np.uint8]:
    """A frame's pixels (H, W, 3), RGB, turned as the file says that the camera was held.

    Args:
        frame: as it was decoded.
        scaling: of it as it lies in the file, for :meth:`av.VideoFrame.to_ndarray`: ``width``, ``height``,
            ``interpolation``.
    """
    pixels = frame.to_ndarray(format="rgb24", **scaling)
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
