"""Evenly spread in time: what a person would do who scrubs through the video."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Pool, Selector


@attrs.frozen
class Uniform(Selector):
    """Over tracks, each time the instance farthest in time from what is labelled of its individual.

    Greedy k-centre (Gonzalez, *Clustering to Minimize the Maximum Intercluster Distance*, TCS 1985) on time: an
    individual of which nothing is labelled comes first, the one that is seen longest before others, and begins in the
    middle of its time.
    """

    uses_scores = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices in order of picking; the lower index among equals."""
        _, track = pool.track.unique(return_inverse=True)
        gap, left, picks = _gaps(pool, track), pool.askable, []
        for _ in range(min(count, len(pool.unlabelled))):
            pick = torch.where(left, gap, -torch.inf).argmax()
            picks.append(pick)
            left = left.index_fill(0, pick, False)
            apart = (pool.time - pool.time[pick]).abs()
            gap = torch.where(track == track[pick], torch.minimum(gap, apart), gap)
        return torch.stack(picks) if picks else pool.track.new_empty(0)


def _gaps(pool: Pool, track: Tensor) -> Tensor:
    """(N,) time from each instance to the nearest labelled of its individual; beyond all times where there is none."""
    whole = pool.time.max() - pool.time.min() + 1
    nearest = torch.stack([_to_nearest(pool.time, pool.time[part & pool.labelled]) for part in _parts(track)])
    gap = nearest.gather(0, track[None])[0]
    sizes = torch.bincount(track)[track]
    low, high = (_of_track(pool.time, track, how) for how in ("amin", "amax"))
    beyond = whole * (1 + sizes) - (pool.time - (low + high) / 2).abs()
    return torch.where(gap.isinf(), beyond, gap)


def _parts(track: Tensor) -> Tensor:
    """(T, N) bool, who belongs to each track."""
    return track == torch.arange(int(track.max()) + 1, device=track.device)[:, None]


def _to_nearest(time: Tensor, labelled: Tensor) -> Tensor:
    """(N,) time to the nearest of the labelled times (M,); infinite where there is none."""
    if not len(labelled):
        return torch.full_like(time, torch.inf)
    ordered = labelled.sort().values
    after = torch.searchsorted(ordered, time).clamp(max=len(ordered) - 1)
    before = (after - 1).clamp(min=0)
    return torch.minimum((ordered[after] - time).abs(), (ordered[before] - time).abs())


def _of_track(time: Tensor, track: Tensor, how: str) -> Tensor:
    """(N,) the first (``amin``) or last (``amax``) time of each instance's track."""
    found = time.new_zeros(int(track.max()) + 1).scatter_reduce(0, track, time, how, include_self=False)
    return found[track]
