"""Tracks in the units in which they are refined: box sizes and usual time steps."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Labels, Tracks
from vatl_refinement.chains import Chains, chains, links

_BRIEFEST = 1e-3
"""Usual steps that a step takes at least, should the video's times stand still."""


@attrs.frozen
class Neighbours:
    """Whom N instances stand next to in time.

    Attributes:
        previous, next: (N,) indices, −1 where there is none.
        before, after: (N,) usual steps to them, 1 where there is none.
    """

    previous: Tensor
    next: Tensor
    before: Tensor
    after: Tensor

    @classmethod
    def of(cls, tracks: Tracks) -> Neighbours:
        """A usual step is the median of all; a neighbour that does not name its neighbour in turn is none."""
        previous, following = links(tracks.previous, tracks.next), links(tracks.next, tracks.previous)
        gap = torch.where(following >= 0, tracks.time[following] - tracks.time, torch.nan)
        after = (gap / gap.nanmedian()).clamp(min=_BRIEFEST)
        before = torch.where(previous >= 0, after[previous], 1.0)
        return cls(previous, following, before.nan_to_num(1.0), after.nan_to_num(1.0))

    def twice(self) -> Neighbours:
        """Those twice as far away in their chains."""
        previous, following = _onward(self.previous), _onward(self.next)
        before = torch.where(previous >= 0, self.before + self.before[self.previous], 1.0)
        after = torch.where(following >= 0, self.after + self.after[self.next], 1.0)
        return Neighbours(previous, following, before, after)

    @property
    def between(self) -> Tensor:
        """(N,) bool, who has both."""
        return (self.previous >= 0) & (self.next >= 0)


@attrs.frozen
class Scene:
    """N instances of K keypoints, every place in box sizes of its chain.

    Attributes:
        chains, around: how they follow each other.
        size: (N,) pixels, the median over a chain of √(w·h) of its boxes.
        estimated, scores: (N, K, 2) and (N, K) what the pass found.
        pinned: (N, K) bool, whose label is known.
        label: (N, K, 2) where it is.
        tolerance: (K,) moves that are as good as none, half of each keypoint's OKS sigma.
    """

    chains: Chains
    around: Neighbours
    size: Tensor
    estimated: Tensor
    scores: Tensor
    pinned: Tensor
    label: Tensor
    tolerance: Tensor

    @classmethod
    def of(cls, tracks: Tracks, labels: Labels) -> Scene:
        """The scene of a pass, with everything labelled so far."""
        around = Neighbours.of(tracks)
        ordered = chains(around.previous, around.next)
        size = _medians(tracks.boxes[:, 2:].double().prod(1).sqrt(), ordered.chain)
        index, scale = labels.index.to(size.device), size[:, None, None]
        pinned, label = torch.zeros_like(tracks.scores, dtype=torch.bool), torch.zeros_like(tracks.keypoints).double()
        pinned[index] = labels.visible.to(size.device)
        label[index] = labels.keypoints.to(label)
        estimated = tracks.keypoints.double() / scale
        tolerance = size.new_tensor(tracks.skeleton.sigmas) / 2
        return cls(ordered, around, size, estimated, tracks.scores.double(), pinned, label / scale, tolerance)

    def scaled(self, candidates: Tensor) -> Tensor:
        """Candidates (N, K, max(C, 1), 3) with places in box sizes; where there is none, what the pass found."""
        if not candidates.shape[2]:
            return torch.cat([self.estimated, self.scores[..., None]], -1)[:, :, None]
        places, values = candidates[..., :2].double(), candidates[..., 2:].double()
        return torch.cat([places / self.size[:, None, None, None], values], -1)


def _onward(neighbour: Tensor) -> Tensor:
    return torch.where(neighbour >= 0, neighbour[neighbour], -1)


def _medians(values: Tensor, group: Tensor) -> Tensor:
    """(N,) the median of each one's group, the lower of two."""
    order = values.argsort(stable=True)
    order = order[group[order].argsort(stable=True)]
    counts = torch.bincount(group)
    middle = counts.cumsum(0) - counts + (counts - 1) // 2
    return values[order][middle][group]
