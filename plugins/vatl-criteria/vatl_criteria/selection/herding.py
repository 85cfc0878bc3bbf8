"""Selectors that cover the video: every instance shall have something labelled that is like it."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt, le
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.selection.coverage import Part, Points, cover


@attrs.frozen
class Herding(Selector):
    """MaxHerding, weighted by uncertainty as poses get better (UHerding).

    Bae et al., *Generalized Coverage for More Robust Low-Budget Active Learning* (ECCV 2024) and *Uncertainty Herding:
    One Active Learning Method for All Label Budgets* (ICLR 2025). Greedily

        argmaxₓ Σₙ uₙ·[k(zₙ, x) − max over labelled and picked s of k(zₙ, s)]₊,   k(a, b) = exp(−|a − b|² / σ²)

    with u = 1 while nothing is learnt from the video, then u = 1 − λ·(1 − s), s the score from 0 at the 5th percentile
    of the video to 1 at the 95th: where the score goes with the expected error, a pick's gain is the error that it
    may take away. It is relative, since after the first labels no score is calibrated yet.
    z is made of standardised features, of poses in units of their boxes, and of time, each with its share of the mean
    squared distance. Poses count as much as the heatmaps' maxima are high on average, since those of an estimator that
    knows nothing say nothing.
    Time has a small share: with a large one, what comes back later counts as something else and is asked for again.
    σ is the median distance to the ⌈N/M⌉-th nearest neighbour, M what is labelled and to be picked, so it shrinks as
    the labelled set grows.

    Exact up to 14,100 instances, except that σ is the median over a sample of 512; beyond, the sum is over as
    many instances, drawn evenly, as keep the kernel within 0.8 GB (2,000 of 100,000), while all may be picked.

    Attributes:
        uncertainty: λ; 0 is MaxHerding, with 1 the surest do not count.
        features: its share in the squared distance; 0 leaves it out.
        pose: likewise.
        time: likewise.
        width: σ in units of the reach.
    """

    uncertainty: float = attrs.field(default=1.0, validator=[ge(0), le(1)])
    features: float = attrs.field(default=1.0, validator=ge(0))
    pose: float = attrs.field(default=1.0, validator=ge(0))
    time: float = attrs.field(default=0.1, validator=ge(0))
    width: float = attrs.field(default=1.0, validator=gt(0))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices in order of picking; at random once everything is covered."""
        picked = shares(pool, count)
        points = Points([_scaled(part, share) for part, share in self._parts(pool)])
        # Squared distances carry rounding errors, which a narrower kernel would blow up.
        least = 100 * torch.finfo(pool.features.dtype).eps
        squared = self.width**2 * points.squared_reach(picked, generator).clamp(min=least)
        return cover(points, pool, self._weights(pool), lambda apart: (-apart / squared).exp(), count, generator)

    def _parts(self, pool: Pool) -> list[tuple[Part, float]]:
        """What z is made of, with shares; the features alone where nothing else has one."""
        kind, parts = pool.features.dtype, []
        if self.pose and (sure := sureness(pool)) and pool.keypoints.numel():
            parts.append((Part.of(in_their_boxes(pool).flatten(1).to(kind)), self.pose * sure))
        if self.time and pool.time.numel():
            # Seconds since 1970 would lose their fractions.
            parts.append((Part.of((pool.time - pool.time.mean())[:, None].to(kind)), self.time))
        if self.features or not parts:
            parts.insert(0, (Part.of(pool.features, standardised=True), self.features or 1.0))
        return parts

    def _weights(self, pool: Pool) -> Tensor:
        """(N,) u."""
        scores, known = pool.scores.to(pool.features.dtype), pool.scores[pool.unlabelled]
        if not pool.labelled.any() or not len(known):
            return torch.ones_like(scores)
        ends = known.new_tensor([0.05, 0.95], dtype=torch.float64)
        low, high = torch.quantile(known.double(), ends, interpolation="lower").tolist()
        if not high > low:
            return torch.ones_like(scores)
        uncertain = ((scores - low) / (high - low)).clamp(0, 1)
        uncertain = torch.where(pool.askable, uncertain, uncertain[pool.unlabelled].mean())  # others have no score
        return 1 - self.uncertainty * (1 - uncertain)


def in_their_boxes(pool: Pool) -> Tensor:
    """(N, K, 2) estimated keypoints from the middle of the box, in units of its longer side."""
    corner, size = pool.boxes[:, :2], pool.boxes[:, 2:]
    return (pool.keypoints - (corner + size / 2)[:, None]) / size.amax(1).clamp(min=1)[:, None, None]


def sureness(pool: Pool) -> float:
    """m: the mean height of the heatmaps' maxima, 0 to 1; 0 as long as nothing is learnt from the video."""
    if not pool.labelled.any() or not pool.keypoint_scores.numel():
        return 0.0
    return round(float(pool.keypoint_scores.double().clamp(0, 1).mean()), 3)  # the same in any order of instances


def shares(pool: Pool, count: int) -> int:
    """Among how many the instances are shared out: what is labelled, and what is to be picked."""
    return int(pool.labelled.sum()) + min(count, len(pool.unlabelled))


def _scaled(part: Part, share: float) -> Part:
    """With a mean squared distance from the centre of ``share``; zero throughout where all instances are alike."""
    spread = part.spread()
    return part.times(torch.where(spread > 0, (share / spread).sqrt(), 0.0))


@attrs.frozen
class ProbCover(Selector):
    """The instance in whose ball of the features most lie that are in no labelled or picked instance's ball.

    Yehuda et al., *Active Learning Through a Covering Lens* (NeurIPS 2022): greedily

        argmaxₓ |{n: |zₙ − x| < δ, and |zₙ − s| ≥ δ for all labelled and picked s}|,   z the features

    The published δ comes from the purity of as many clusters as there are classes; poses have none, so δ is the median
    distance to the ⌈N/M⌉-th nearest neighbour, M what is labelled and to be picked. Exact as far as ``herding`` is.

    Attributes:
        radius: δ in units of that distance.
    """

    uses_scores: ClassVar[bool] = False

    radius: float = attrs.field(default=1.0, validator=gt(0))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices in order of picking; at random once everything is covered."""
        part = Part.of(pool.features)
        points, weights = Points([part]), part.values.new_ones(len(part.values))
        squared = self.radius**2 * points.squared_reach(shares(pool, count), generator)
        squared = squared.clamp(min=1e-12).maximum(100 * torch.finfo(weights.dtype).eps * part.spread())
        return cover(points, pool, weights, lambda apart: (apart < squared).to(apart), count, generator)
