"""Decoding a video file from any frame on, as players show it: trimmed where it was trimmed, and upright."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
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
Torn = frozenset[int] | None
"""The times of frames that damage reaches; None while none has been met."""


def frame_times(path: Path) -> tuple[list[int], Fraction | None, Finding, Torn]:
    """The times of a file's frames, in order, or their numbers; the seconds of their unit; how to find one; the torn.

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
    timed = 0 < len(times) == len(shown)
    if timed and all({*p} <= {*times} and p == times[times.index(p[0]) :][: len(p)] for p in probes if p):
        return times, unit, "seek", None
    found, torn = examined(path)
    if timed and found and found == sorted({*found} & {*times}):
        return times, unit, "read", torn
    if torn:
        remux = shlex.join(["ffmpeg", "-i", str(path), "-c", "copy", f"{path.stem}.mkv"])
        raise InputError(f"{path} is damaged, and has no times to number the frames behind by: give it some, `{remux}`")
    if not found:
        raise InputError(f"{path} has no frames: is it complete?")
    return list(range(len(found))), 1 / rate if rate else None, "count", torn


def examined(path: Path) -> tuple[list[Any], Torn]:
    """The times of the frames that are shown, in order, and of those that damage reaches, which players cover up.

    These are all of a group, and what leads into the next. One thread decodes: of several nobody knows whose it is.
    """
    found, torn, group, reached, key = [], set[Any](), set[Any](), False, None
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for packet in container.demux(stream):
            if packet.is_keyframe:
                group, reached, key = set(), False, packet.pts if reached else None
            frames = _decoded(packet)
            corrupt = {frame.pts for frame in frames if frame and frame.is_corrupt}
            reached = reached or packet.is_corrupt or None in frames or bool(corrupt)
            group.add(packet.pts)
            torn |= corrupt | (group if reached else {t for t in group if None not in (t, key) and t < key})
            found += [frame.pts for frame in frames if frame]
    return found, frozenset(torn)


def _opened(path: Path) -> InputContainer:
    """A video file, whatever its name says that it is; what leads to other files or addresses is not followed."""
    import av

    formats = ",".join(av.formats_available - _ELSEWHERE)
    limits = {"protocol_whitelist": "file", "format_whitelist": formats}
    return av.open(str(path.absolute()), options=limits, metadata_errors="replace")  # titles in any alphabet


def decode_from(
    path: Path, time: int, finding: Finding = "seek", torn: Collection[int] = ()
) -> Iterator[tuple[int, VideoFrame | None]]:
    """Frames (time, picture) from the key frame at or before ``time`` on, but the ``torn``; None where damage is met.

    They are converted by whoever wants one. Some containers land behind the time they are asked for; those are decoded
    from their beginning.
    """
    if finding == "count":
        return enumerate(_decode(path, None))
    for start in (time, None) if finding == "seek" else (None,):
        every = ((frame.pts, frame) if frame else (time, None) for frame in _decode(path, start))
        frames = ((pts, frame) for pts, frame in every if pts is not None and (frame is None or pts not in torn))
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
            for frame in chain.from_iterable(map(_decoded, container.demux(stream))):
                yield None if frame is None or frame.is_corrupt else frame
    except av.FFmpegError as error:
        raise InputError(f"{path} is damaged ({error.strerror})") from error


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
