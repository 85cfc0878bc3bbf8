"""Greedy k-centre: repeatedly the instance that is worth most, given what is labelled or picked already.

Sener & Savarese, *Active Learning for CNNs: A Core-Set Approach* (ICLR 2018); weighted by uncertainty as in Taketsugu
& Ukita (WACV 2024).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, in_
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.selection.herding import in_their_boxes

CANDIDATES = 256
"""How many of the most valuable instances are looked at between two passes over all of them."""


def greedy(pool: Pool, count: int, far: float, uncertain: float, start: int | None, normalise: bool = False) -> Tensor:
    """Pick by far·d + uncertain·u, d the distance to the nearest labelled or picked instance, u the score.

    Distances only shrink. So several picks in a row can be made among the most valuable instances alone, as long as
    the pick is worth more than everything else was before; only then are the distances of all brought up to date.

    Args:
        pool: what to pick from.
        count: how many at the most.
        far, uncertain: weights of distance and score, not negative.
        start: the first pick where nothing is labelled; None takes the highest score.
        normalise: divide the distances by the largest at the beginning, so that they and the scores share a scale.

    Returns:
        (min(count, U),) indices in order of picking; the lower index among equals.
    """
    left = pool.askable
    count = min(count, int(left.sum()))
    space = Space.of(pool.features)
    distance = space.to_nearest(torch.nonzero(pool.labelled).flatten())
    picks = left.new_empty(0, dtype=torch.int64)
    if count and not pool.labelled.any():
        first = torch.where(left, pool.scores, -torch.inf).argmax() if start is None else torch.tensor(start)
        picks = first.to(left.device)[None]
        left, distance = left.index_fill(0, picks, False), space.to_nearest(picks)
    scale = distance[left].max().clamp(min=1e-12) if normalise and left.any() else 1.0
    while len(picks) < count:
        gain = torch.where(left, uncertain * pool.scores, -torch.inf)
        more = _several(space, distance, gain, far / scale, count - len(picks))
        picks, left = torch.cat([picks, more]), left.index_fill(0, more, False)
        distance = torch.minimum(distance, space.to_nearest(more))
    return picks


def _several(space: Space, distance: Tensor, gain: Tensor, far: Tensor | float, count: int) -> Tensor:
    """The next picks by far·distance + gain, at least one and at most ``count``; all from distances (N,)."""
    value = far * distance + gain
    amount = min(CANDIDATES, len(value) - 1)
    best, order = value.topk(amount + 1)
    among = order[:amount].sort().values
    tried, worth = _among(space.between(among), distance[among], gain[among], far, min(count, amount))
    certain = int((worth > best[-1]).long().cumprod(0).sum())
    return among[tried[:certain]] if certain else value.argmax()[None]


def _among(apart: Tensor, distance: Tensor, gain: Tensor, far: Tensor | float, count: int) -> tuple[Tensor, Tensor]:
    """Greedy picks among M candidates that lie ``apart`` (M, M): which (count,), and what each was worth (count,)."""
    tried, worth = [], []
    for _ in range(count):
        most, pick = (far * distance + gain).max(0)
        tried.append(pick)
        worth.append(most)
        gain = gain.index_fill(0, pick, -torch.inf)
        distance = torch.minimum(distance, apart[pick])
    return (torch.stack(tried), torch.stack(worth)) if tried else (distance[:0].long(), distance[:0])


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

    def to_nearest(self, index: Tensor) -> Tensor:
        """Euclidean distances (N,) to the nearest of these instances, in parts; ∞ where there are none."""
        nearest = torch.full_like(self.squares, torch.inf)
        for part in index.split(256) if len(index) else ():
            squared = self.squares[part] - 2 * (self.features @ self.features[part].T)
            nearest = torch.minimum(nearest, squared.amin(1))
        return (nearest + self.squares).clamp(min=0).sqrt()

    def squared_to(self, one: Tensor) -> Tensor:
        """Squared distances (N,) to instance ``one`` (); exactly 0 where they are no more than rounding."""
        both = self.squares + self.squares[one]
        squared = both - 2 * (self.features @ self.features[one])
        return torch.where(squared > 10 * torch.finfo(squared.dtype).eps * both, squared, 0.0)

    def between(self, index: Tensor) -> Tensor:
        """Euclidean distances (M, M) between these instances."""
        features, squares = self.features[index], self.squares[index]
        return (squares + squares[:, None] - 2 * (features @ features.T)).clamp(min=0).sqrt()


@attrs.frozen
class CoreSet(Selector):
    """The instance farthest from everything labelled or picked, again and again; it begins at random.

    argmaxᵢ minⱼ |zᵢ − zⱼ| over labelled and picked j: Sener & Savarese's greedy k-centre.

    Attributes:
        by: what z is: the ``features``, as published, or the ``pose``, the estimated keypoints in units of the box.
    """

    uses_scores: ClassVar[bool] = False

    by: str = attrs.field(default="features", validator=in_(("features", "pose")))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Greedy k-centre on distances alone."""
        left = pool.unlabelled
        start = int(left[torch.randint(len(left), (1,), generator=generator)]) if len(left) else None
        if self.by == "pose":
            pool = attrs.evolve(pool, features=in_their_boxes(pool).flatten(1))
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
