"""Selectors that take one instance of each cluster of the features.

Lloyd's iterations from a k-means++ start (Arthur & Vassilvitskii, 2007), with weights, on the features' device.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor
from torch.nn import functional

from vatl_core.contracts import Pool, Selector


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
        before, cluster = cluster, torch.cdist(features, centres).argmin(1)
        if torch.equal(before, cluster):
            break
        share = functional.one_hot(cluster, count) * weights[:, None]  # (U, k); adding in place is not repeatable
        mass = share.sum(0)[:, None]
        centres = torch.where(mass > 0, share.T @ features / mass.clamp(min=1e-12), centres)
    return centres


def _start(features: Tensor, weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++: each centre an instance drawn by weight × squared distance to the nearest centre so far."""
    draws = torch.rand(count, generator=generator, dtype=torch.float64).to(features.device)
    nearest = torch.ones_like(weights, dtype=torch.float64)
    centres: list[Tensor] = []
    for draw in draws:
        mass = (nearest * weights).cumsum(0)
        place = torch.searchsorted(mass, draw * mass[-1], right=True).clamp(max=len(features) - 1)
        centres.append(features[place])
        squared = (features - centres[-1]).square().sum(1).double()
        nearest = squared if len(centres) == 1 else torch.minimum(nearest, squared)
    return torch.stack(centres)


def nearest_to_each(features: Tensor, centres: Tensor) -> Tensor:
    """For each centre (k, D) in turn the nearest of features (U, D) that is not taken yet → (k,) indices."""
    distance = torch.cdist(features, centres)
    picks = []
    for column in distance.unbind(1):
        pick = column.argmin()
        distance[pick] = torch.inf
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
