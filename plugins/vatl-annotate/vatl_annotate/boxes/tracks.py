"""Tracks from key frames: where a box is between those that somebody drew, and back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import attrs

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""

DIGITS: Final = 2
"""Decimals of a pixel that are kept."""
_STRAIGHT: Final = 0.0101
"""Pixels that a box may lie off the line between two others: what rounding to ``DIGITS`` leaves."""


@attrs.frozen
class Key:
    """A key frame.

    Attributes:
        frame: from 0.
        box: where the individual is.
        leaves: whether it is out of the picture from the next frame on, until the next key frame, if there is one.
    """

    frame: int
    box: Box
    leaves: bool = False


@attrs.frozen
class Track:
    """One individual.

    Attributes:
        number: from 0, which.
        keys: one at least, in order of frames, each frame once.
    """

    number: int
    keys: tuple[Key, ...]

    def boxes(self) -> dict[int, Box]:
        """The box in each frame that has one, in order of frames: linear between key frames, none where it is gone."""
        boxes = {self.keys[0].frame: rounded(self.keys[0].box)}
        for earlier, later in pairwise(self.keys):
            if not earlier.leaves:
                between = range(earlier.frame + 1, later.frame)
                boxes |= {frame: rounded(interpolated(earlier, later, frame)) for frame in between}
            boxes[later.frame] = rounded(later.box)
        return boxes


def interpolated(earlier: Key, later: Key, frame: int) -> Box:
    """The box in a frame between two key frames."""
    part = (frame - earlier.frame) / (later.frame - earlier.frame)
    x, y, width, height = ((1 - part) * a + part * b for a, b in zip(earlier.box, later.box, strict=True))
    return x, y, width, height


def rounded(box: Box) -> Box:
    """A box in the decimals that are kept."""
    x, y, width, height = (round(value, DIGITS) for value in box)
    return x, y, width, height


def keys_of(boxes: Mapping[int, Box], drawn: Collection[int] = (), leaves: Collection[int] = ()) -> tuple[Key, ...]:
    """The key frames from which the same boxes follow.

    Args:
        boxes: of one individual, one at least.
        drawn: frames that are key frames in any case.
        leaves: frames after which it is known to be gone even if nothing else says so.
    """
    frames = sorted(boxes)
    ends = {frame for run in _runs(frames) for frame in (run[0], run[-1])}
    back = {frame + 1 for frame in leaves}
    sure = [frame for frame in frames if frame in ends or frame in drawn or frame in leaves or frame in back]
    gone = {a for a, b in pairwise(frames) if b > a + 1} | set(leaves)
    keys = {frame: Key(frame, boxes[frame], frame in gone) for frame in sure}
    for a, b in pairwise(sure):
        if a not in gone and not _straight(boxes, keys[a], keys[b]):
            keys |= {frame: Key(frame, boxes[frame]) for frame in range(a + 1, b)}
    return tuple(keys[frame] for frame in sorted(keys))


def _runs(frames: Sequence[int]) -> Iterator[Sequence[int]]:
    """Frames in order, cut where one is missing."""
    start = 0
    for position in range(1, len(frames) + 1):
        if position == len(frames) or frames[position] > frames[position - 1] + 1:
            yield frames[start:position]
            start = position


def _straight(boxes: Mapping[int, Box], earlier: Key, later: Key) -> bool:
    """Whether what lies between two key frames is what would be interpolated."""
    return all(
        abs(value - expected) <= _STRAIGHT
        for frame in range(earlier.frame + 1, later.frame)
        for value, expected in zip(boxes[frame], interpolated(earlier, later, frame), strict=True)
    )
