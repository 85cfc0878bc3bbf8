"""Tracks for boxes that nobody linked: from frame to frame by overlap; a person joins what is left apart."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from vatl_annotate.boxes.tracks import Box

LEAST: Final = 0.3
"""Intersection over union from which two boxes of neighbouring frames count as one individual."""


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def linked(frames: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    """A track number from 0 for each box; no track is twice in a frame.

    Args:
        frames: of each box.
        boxes: each with an area.
    """
    in_frame: dict[int, list[int]] = defaultdict(list)
    for box, frame in enumerate(frames):
        in_frame[frame].append(box)
    track: dict[int, int] = {}
    new = itertools.count()
    for frame in sorted(in_frame):
        track |= _continued(in_frame.get(frame - 1, []), in_frame[frame], boxes, track)
        track |= {box: next(new) for box in in_frame[frame] if box not in track}
    return [track[box] for box in range(len(boxes))]


def _continued(
    before: Sequence[int], now: Sequence[int], boxes: Sequence[Box], track: dict[int, int]
) -> dict[int, int]:
    """Which boxes of a frame go on with a track of the frame before."""
    pairs = sorted(((overlap(boxes[a], boxes[b]), a, b) for a in before for b in now), reverse=True)
    taken: dict[int, int] = {}
    for share, a, b in pairs:
        if share >= LEAST and b not in taken and track[a] not in taken.values():
            taken[b] = track[a]
    return taken
