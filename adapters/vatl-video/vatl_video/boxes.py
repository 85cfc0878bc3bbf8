"""Boxes with their tracks as columns, and what is done to them whoever found them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import torch

from vatl_core.video import Frames, Instances
from vatl_formats import Indices, Mask, NumberedPictures, Numbers, Sieve, neighbours_in_time


@attrs.frozen(eq=False)
class Boxes:
    """n boxes.

    Attributes:
        frame: (n,) from 0.
        track: (n,) number from 0, which individual; −1 where nobody knows.
        xywh: (n, 4) x, y, width, height in pixels.
        score: (n,) how sure whoever found it was; 1 where nobody said.
        ids: n strings, what its source calls each.
    """

    frame: Indices
    track: Indices
    xywh: Numbers
    score: Numbers
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, index: Indices) -> Boxes:
        """Those at (m,) ``index``."""
        ids = [self.ids[i] for i in index.tolist()]
        return Boxes(self.frame[index], self.track[index], self.xywh[index], self.score[index], ids)

    def where(self, mask: Mask) -> Boxes:
        """Those for which (n,) ``mask`` holds."""
        return self.take(np.flatnonzero(mask))

    def instances(self) -> Instances:
        """The same as instances without truth, in order of frame, then as they stand."""
        boxes = with_own_tracks(self).take(np.argsort(self.frame, kind="stable"))
        frame, track, xywh = (torch.from_numpy(column) for column in (boxes.frame, boxes.track, boxes.xywh))
        return Instances.of(frame, track, xywh, tuple(boxes.ids))


def in_time(instances: Instances, frames: Frames) -> Instances:
    """The instances; those on pictures that names put in time are neighbours by it, not across pictures left out."""
    if not isinstance(frames, NumberedPictures):
        return instances
    previous, following = neighbours_in_time(torch.tensor(frames.numbers)[instances.frame], instances.track)
    return attrs.evolve(instances, previous=previous, next=following)


def with_own_tracks(boxes: Boxes) -> Boxes:
    """A track of its own for each box that has none."""
    alone = boxes.track < 0
    track = boxes.track.copy()
    track[alone] = max(int(track.max(initial=-1)), -1) + 1 + np.arange(int(alone.sum()))
    return attrs.evolve(boxes, track=track)


def within(boxes: Boxes, size: Numbers, dropped: dict[str, int]) -> Boxes:
    """The boxes without what lies outside of their pictures; those of which nothing is left are dropped.

    Args:
        boxes: n.
        size: (n, 2) width and height of their pictures.
        dropped: where to count by reason.
    """
    corner, opposite = boxes.xywh[:, :2], boxes.xywh[:, :2] + boxes.xywh[:, 2:]
    sieve = Sieve.of(len(boxes), dropped)
    sieve.drop(_without_area(boxes.xywh), "box without area")
    sieve.drop(np.any((corner >= size) | (opposite <= 0), axis=1), "box outside of the picture")
    low, high = corner.clip(0, size), opposite.clip(0, size)
    inside = (low == corner) & (high == opposite)  # kept bit by bit: (x + w) - x need not be w
    extent = np.where(inside, boxes.xywh[:, 2:], high - low)
    sieve.drop(_without_area(extent), "box without area in the picture")
    return attrs.evolve(boxes, xywh=np.concatenate([low, extent], axis=1)).take(sieve.left)


def _without_area(xywh: Numbers) -> Mask:
    extent: Mask = np.any(xywh[:, -2:].astype(np.float32) <= 0, axis=1)
    return extent


def filled(boxes: Boxes, longest: int) -> Boxes:
    """The boxes, and between two of a track that are apart in time those that lie straight between them.

    Args:
        boxes: each with a track, in any order.
        longest: of a gap, in frames that are missing; longer ones stay.
    """
    order = np.lexsort((boxes.frame, boxes.track))
    earlier, later = order[:-1], order[1:]
    missing = boxes.frame[later] - boxes.frame[earlier] - 1
    gap = (boxes.track[earlier] == boxes.track[later]) & (missing > 0) & (missing <= longest)
    earlier, later, missing = earlier[gap], later[gap], missing[gap]
    start, end = np.repeat(earlier, missing), np.repeat(later, missing)
    step = 1 + np.arange(len(start)) - np.repeat(np.cumsum(missing) - missing, missing)
    part = (step / (boxes.frame[end] - boxes.frame[start]))[:, None]
    frame, track = boxes.frame[start] + step, boxes.track[start]
    return Boxes(
        np.concatenate([boxes.frame, frame]),
        np.concatenate([boxes.track, track]),
        np.concatenate([boxes.xywh, (1 - part) * boxes.xywh[start] + part * boxes.xywh[end]]),
        np.concatenate([boxes.score, np.minimum(boxes.score[start], boxes.score[end])]),
        [*boxes.ids, *(called(*place) for place in zip(frame.tolist(), track.tolist(), strict=True))],
    )


def without_short(boxes: Boxes, shortest: int, dropped: dict[str, int]) -> Boxes:
    """Those of tracks that are on at least ``shortest`` frames; the others are counted in ``dropped``."""
    _, number, frames = np.unique(boxes.track, return_inverse=True, return_counts=True)
    sieve = Sieve.of(len(boxes), dropped)
    sieve.drop(frames[number] < shortest, f"of a track on fewer than {shortest} frames")
    return boxes.take(sieve.left)


def called(frame: int, track: int) -> str:
    """What a box is called that its source gives no name: by frame and track."""
    return f"{frame:06d}:{track}"
