"""Greedy k-centre: repeatedly the instance that is worth most, given what is labelled or picked already.

Sener & Savarese, *Active Learning for CNNs: A Core-Set Approach* (ICLR 2018); weighted by uncertainty as in Taketsugu
& Ukita (WACV 2024).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Pool, Selector


def greedy(pool: Pool, count: int, far: float, uncertain: float, start: int | None, normalise: bool = False) -> Tensor:
    """Pick by far·d + uncertain·u, d the distance to the nearest labelled or picked instance, u the score.

    Args:
        pool: what to pick from.
        count: how many at the most.
        far, uncertain: weights of distance and score.
        start: the first pick where nothing is labelled; None takes the highest score.
        normalise: divide the distances by the largest at the beginning, so that they and the scores share a scale.

    Returns:
        (min(count, U),) indices in order of picking; the lower index among equals.
    """
    left = ~pool.labelled
    count = min(count, int(left.sum()))
    space = Space.of(pool.features)
    distance = space.to_nearest(pool.labelled)
    picks: list[Tensor] = []
    if count and bool(left.all()):
        first = torch.where(left, pool.scores, -torch.inf).argmax() if start is None else torch.tensor(start)
        picks.append(first.to(left.device))
        left = left.clone()
        left[first] = False
        distance = space.to(first)
    scale = distance[left].max().clamp(min=1e-12) if normalise and left.any() else 1.0
    while len(picks) < count:
        value = far * distance / scale + uncertain * pool.scores
        pick = torch.where(left, value, -torch.inf).argmax()
        picks.append(pick)
        left[pick] = False
        distance = torch.minimum(distance, space.to(pick))
    return torch.stack(picks) if picks else torch.empty(0, dtype=torch.int64, device=left.device)


@attrs.frozen
class Space:
    """Features with their squared lengths, so that distances to one of them cost a single pass over memory.

    Attributes:
        features: (N, D) from their mean, which keeps the lengths short and the rounding errors small.
        squares: (N,)
    """

    features: Tensor
    squares: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Space:
        """The space of these features (N, D)."""
        centred = features - features.mean(0)
        return cls(centred, torch.linalg.vecdot(centred, centred))

    def to(self, one: Tensor) -> Tensor:
        """Euclidean distances (N,) to the instance of this index."""
        squared = self.squares + self.squares[one] - 2 * (self.features @ self.features[one])
        return squared.clamp(min=0).sqrt()

    def to_nearest(self, among: Tensor) -> Tensor:
        """Euclidean distances (N,) to the nearest of those with ``among`` (N,) true, in parts; ∞ where none is."""
        nearest = torch.full_like(self.squares, torch.inf)
        index = torch.nonzero(among).flatten()
        for part in index.split(256) if len(index) else ():
            squared = self.squares[part] - 2 * (self.features @ self.features[part].T)
            nearest = torch.minimum(nearest, squared.amin(1))
        return (nearest + self.squares).clamp(min=0).sqrt()


@attrs.frozen
class CoreSet(Selector):
    """The instance farthest from everything labelled or picked, again and again; it begins at random."""

    uses_scores: ClassVar[bool] = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Greedy k-centre on distances alone."""
        start = int(torch.randint(len(pool.labelled), (1,), generator=generator))
        return greedy(pool, count, 1.0, 0.0, start)


@attrs.frozen
class DynamicUncertaintyWeighting(Selector):
    """DUW: greedy k-centre on (1 − m)·d + λ·m·u, m the mean OKS of the previous query; it begins with the top score.

    While poses are bad it spreads the labels, as they get good it turns to what is uncertain.

    Attributes:
        uncertainty_weight: λ, weight of the uncertainty against distances in raw feature units.
        normalise_distance: divide the distances by the largest, so that λ does not depend on the network.
    """

    uncertainty_weight: float = attrs.field(default=0.01, validator=ge(0))
    normalise_distance: bool = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Greedy k-centre with the weights that m calls for."""
        mean = pool.query_oks or 0.0
        return greedy(pool, count, 1 - mean, self.uncertainty_weight * mean, None, self.normalise_distance)


@attrs.frozen
class FixedLambda(Selector):
    """Greedy k-centre on d + λ·u, whatever the poses are like; it begins with the top score.

    Attributes:
        uncertainty_weight: λ, weight of the uncertainty against distances in raw feature units.
        normalise_distance: divide the distances by the largest, so that λ does not depend on the network.
    """

    uncertainty_weight: float = attrs.field(default=0.01, validator=ge(0))
    normalise_distance: bool = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Greedy k-centre with constant weights."""
        return greedy(pool, count, 1.0, self.uncertainty_weight, None, self.normalise_distance)
