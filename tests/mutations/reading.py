"""What a video is read as, in a form that a second reading of its file can be held against."""

from __future__ import annotations

from typing import Any

import attrs

from vatl_core.video import Video
from vatl_frames import PictureFiles

Points = tuple[tuple[float, float], ...]


@attrs.frozen
class Seen:
    """An instance as it was read.

    Attributes:
        picture: the file's name, or the number of the video's frame.
        box: x, y, width, height in pixels.
        points: K points in pixels, 0 0 where none is.
        visible: K.
        track: number.
        before: the name of its predecessor in its track; None where it has none.
    """

    picture: str | int
    box: tuple[float, ...]
    points: Points
    visible: tuple[bool, ...]
    track: int
    before: str | None


def seen(video: Video) -> dict[str, Seen]:
    """The instances of a video by what the data set calls each."""
    columns = video.instances
    assert len(set(columns.ids)) == len(columns), "two are called alike"
    return {name: _seen(video, i) for i, name in enumerate(columns.ids)}


def _seen(video: Video, i: int) -> Seen:
    columns = video.instances
    frame, before = int(columns.frame[i]), int(columns.previous[i])
    paths = video.frames.paths if isinstance(video.frames, PictureFiles) else None
    return Seen(
        picture=frame if paths is None else paths[frame].name,
        box=tuple(columns.boxes[i].tolist()),
        points=() if columns.keypoints is None else tuple(map(tuple, columns.keypoints[i].tolist())),
        visible=() if columns.visible is None else tuple(columns.visible[i].tolist()),
        track=int(columns.track[i]),
        before=None if before < 0 else columns.ids[before],
    )


def same_partition(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two labellings put the same names together."""
    pairs = {(one[name], two[name]) for name in one}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def close(one: Any, two: Any) -> bool:
    """Whether two sequences of numbers are the same to float32."""
    return len(one) == len(two) and all(abs(a - b) <= 1e-5 * max(1.0, abs(a)) for a, b in zip(one, two, strict=True))
