"""Selectors that take one instance of each cluster of the features.

Lloyd's iterations from a k-means++ start (Arthur & Vassilvitskii, 2007), with weights, on the features' device, in
blocks: beside a copy of the features the memory that they take does not grow with instances × clusters.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.selection.kcentre import Space

BLOCK = 1 << 22
"""How many numbers are worked on at once."""


def weighted_kmeans(
    features: Tensor, weights: Tensor, count: int, generator: torch.Generator, rounds: int = 50
) -> Tensor:
    """Centres of clusters of weighted instances.

    Args:
        features: (U, D).
        weights: (U,), positive.
        count: k, at most U.
        generator: on the CPU; draws the start.
        rounds: at the most; the search ends when no instance changes its cluster.

    Returns:
        (k, D); a cluster that has lost all its instances keeps its centre.
    """
    centres = _start(features, weights, count, generator)
    cluster = torch.full_like(weights, -1, dtype=torch.int64)
    for _ in range(rounds):
        before, cluster = cluster, nearest_centre(features, centres)
        if torch.equal(before, cluster):
            break
        centres = _means(features, weights, cluster, centres)
    return centres


def nearest_centre(features: Tensor, centres: Tensor) -> Tensor:
    """(U,) which of the centres (k, D) each instance (U, D) is nearest to."""
    rows = max(1, BLOCK // len(centres))
    return torch.cat([torch.cdist(part, centres).argmin(1) for part in features.split(rows)])


def _means(features: Tensor, weights: Tensor, cluster: Tensor, centres: Tensor) -> Tensor:
    """(k, D) the weighted mean of each cluster, or the centre that it had; repeatable, as adding in place is not."""
    order, sizes = cluster.argsort(stable=True), torch.bincount(cluster, minlength=len(centres))
    own = weights[order, None]
    mass = torch.segment_reduce(own, "sum", lengths=sizes, axis=0)
    columns = features.split(max(1, BLOCK // len(features)), 1)
    sums = [torch.segment_reduce(part[order] * own, "sum", lengths=sizes, axis=0) for part in columns]
    return torch.where(mass > 0, torch.cat(sums, 1) / mass.clamp(min=1e-12), centres)


def _start(features: Tensor, weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++: each centre an instance drawn by weight × squared distance to the nearest centre so far."""
    draws = torch.rand(count, generator=generator, dtype=torch.float64).to(features.device)
    nearest, space = torch.ones_like(weights, dtype=torch.float64), Space.of(features)
    picks: list[Tensor] = []
    for draw in draws:
        mass = (nearest * weights).cumsum(0)
        place = torch.searchsorted(mass, draw * mass[-1], right=True).clamp(max=len(features) - 1)
        picks.append(place)
        squared = space.squared_to(place).double()
        nearest = squared if len(picks) == 1 else torch.minimum(nearest, squared)
    return features[torch.stack(picks)]


def nearest_to_each(features: Tensor, centres: Tensor) -> Tensor:
    """For each centre (k, D) in turn the nearest of features (U, D) that is not taken yet → (k,) indices."""
    taken, picks = features.new_zeros(len(features)), []
    for some in centres.split(max(1, BLOCK // len(features))):
        for distance in torch.cdist(some, features):
            pick = (distance + taken).argmin()
            taken = taken.index_fill(0, pick, torch.inf)
            picks.append(pick)
    return torch.stack(picks)


def one_of_each_cluster(pool: Pool, weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(min(count, U),) unlabelled instances, each nearest to the centre of its cluster; weights (N,)."""
    left = pool.unlabelled
    count = min(count, len(left))
    if not count:
        return left[:0]
    features = pool.features[left]
    centres = weighted_kmeans(features, weights[left].to(features.dtype), count, generator)
    return left[nearest_to_each(features, centres)]


@attrs.frozen
class KMeans(Selector):
    """As many clusters as there are instances to pick; of each the one nearest to its centre."""

    uses_scores: ClassVar[bool] = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """All instances weigh the same."""
        return one_of_each_cluster(pool, torch.ones_like(pool.scores), count, generator)


@attrs.frozen
class DynamicWeightedClustering(Selector):
    """DWC: clusters in which an instance weighs 1 + w·γ·score, γ the mean height of all peaks of the unlabelled.

    Taketsugu & Ukita, *Uncertainty Criteria in Active Transfer Learning for Efficient Video-Specific Human Pose
    Estimation* (MVA 2023).

    Attributes:
        uncertainty_weight: w.
    """

    watches: ClassVar[tuple[str, ...]] = ("peaks",)

    uncertainty_weight: float = attrs.field(default=0.01, validator=ge(0))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """The surer the estimator is on the whole, the more the scores count."""
        left = pool.unlabelled
        gamma = 1 - pool.watched["peaks"][left].mean() if "peaks" in pool.watched else 1.0
        return one_of_each_cluster(pool, 1 + self.uncertainty_weight * gamma * pool.scores, count, generator)
