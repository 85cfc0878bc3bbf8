"""Which of the suspicious instances are looked at first: spread over tracks and time, as pure functions of columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor

APART: Final = 10
"""Frames of one track of which a single one is queued, as long as there are others."""


def spread(
    suspicion: Tensor, frame: Tensor, track: Tensor, among: Tensor, count: int, seen: Iterable[int] = ()
) -> list[int]:
    """The most suspicious instances, so that neither a bad stretch nor a bad track fills the queue.

    An instance counts the less the more of its track are queued: half as much after one, a third after two. Of frames
    near each other one is queued, until nothing else is left.

    Args:
        suspicion: (N,) from 0 on.
        frame, track: (N,) of each.
        among: (N,) bool, which may be queued.
        count: at most so many.
        seen: what was looked at before, near which others come last, too.
    """
    picks: list[int] = []
    shares, left = torch.ones_like(suspicion), among.clone()
    near = torch.zeros_like(among)
    for earlier in seen:
        near |= _beside(earlier, frame, track)
    for _ in range(min(count, int(among.sum()))):
        free = left & ~near if (left & ~near).any() else left
        pick = int(torch.where(free, suspicion / shares, -1.0).argmax())
        picks.append(pick)
        left[pick] = False
        near |= _beside(pick, frame, track)
        shares += track == track[pick]
    return picks


def _beside(instance: int, frame: Tensor, track: Tensor) -> Tensor:
    """(N,) bool, what is of the same track and near it in time."""
    return (track == track[instance]) & ((frame - frame[instance]).abs() < APART)


def by_track(picks: list[int], frame: Tensor, track: Tensor) -> list[int]:
    """The same instances track by track, each in the order of its frames."""
    return sorted(picks, key=lambda i: (int(track[i]), int(frame[i])))
