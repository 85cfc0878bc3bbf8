"""Which instances cover a video best: greedily the one that adds most to a sum over all instances, never all pairs.

A sum of what each instance is covered is submodular: what an instance adds only falls as others are picked. So a gain
that was found earlier bounds today's, and only instances whose bound reaches the best of today are looked at again
(Minoux, *Accelerated Greedy Algorithms for Maximizing Submodular Set Functions*, 1978).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Pool

VALUES = 200_000_000
"""How many kernel values are kept, 0.8 GB of them; up to 14,100 instances that is each with each, and exact."""
LANDMARKS = 1000
"""At least so many instances stand for all where not every one can be summed over."""
SAMPLE = 512
"""Over how many instances at the most a reach is the median."""
BLOCK = 1 << 22
"""How many kernel values are worked on at once."""
AGAIN = 256
"""How many bounds are brought up to date at once."""
EQUAL = 1e-5
"""By what share two gains may differ and still count as equal: more than rounding does."""

Kernel = Callable[[Tensor], Tensor]
"""How much instances cover each other, 0 to 1, from their squared distances."""


def thinned(index: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(min(count, n),) of these n indices, one at random of each of ``count`` equal stretches, so that all are met."""
    if len(index) <= count:
        return index
    place = torch.arange(count, dtype=torch.float64) + torch.rand(count, generator=generator, dtype=torch.float64)
    return index[(place * (len(index) / count)).long().clamp(max=len(index) - 1).to(index.device)]


@attrs.frozen(eq=False)
class Part:
    """Some coordinates of every instance, kept as they were given: nothing as large as the features is copied.

    Attributes:
        values: (N, D)
        centre, scale: (D,) a coordinate is (value − centre) · scale.
        variance: (D,) of the values.
    """

    values: Tensor
    centre: Tensor
    scale: Tensor
    variance: Tensor

    @classmethod
    def of(cls, values: Tensor, standardised: bool = False) -> Part:
        """From the mean, what is constant left out.

        Args:
            values: (N, D)
            standardised: in units of each coordinate's deviation; of a tenth of the mean deviation where that is more,
                since what hardly varies is noise.
        """
        variance, mean = torch.var_mean(values, 0, correction=0)
        deviation = variance.sqrt()
        varies = deviation > 1e-5 * mean.abs()
        unit = deviation.clamp(min=0.1 * deviation[varies].mean()) if standardised and varies.any() else 1.0
        return cls(values, mean, varies / unit * torch.ones_like(mean), variance)

    def rows(self, index: Tensor) -> Tensor:
        """(M, D) coordinates of these instances."""
        return (self.values[index] - self.centre) * self.scale

    def spread(self) -> Tensor:
        """The mean squared distance from the centre."""
        return (self.variance * self.scale.square()).sum()

    def times(self, factor: Tensor | float) -> Part:
        """All coordinates larger by a factor."""
        return attrs.evolve(self, scale=self.scale * factor)


@attrs.frozen(eq=False)
class Points:
    """Instances as points; their coordinates are those of all parts together."""

    parts: list[Part]

    def __len__(self) -> int:
        """N."""
        return len(self.parts[0].values)

    def rows(self, index: Tensor) -> Tensor:
        """(M, D) coordinates of these instances."""
        return torch.cat([part.rows(index) for part in self.parts], 1)

    def kernel(self, kernel: Kernel, some: Tensor, others: Tensor) -> Tensor:
        """(S, O) the kernel between these instances, made in blocks."""
        columns = self.rows(others)
        squares = torch.linalg.vecdot(columns, columns)
        found = columns.new_empty(len(some), len(others))
        size = max(1, BLOCK // max(len(others), columns.shape[1]))
        for begin in range(0, len(some), size):
            rows = self.rows(some[begin : begin + size])
            apart = torch.linalg.vecdot(rows, rows)[:, None] + squares - 2 * (rows @ columns.T)
            found[begin : begin + size] = kernel(apart.clamp(min=0))
        return found

    def squared_reach(self, shares: int, generator: torch.Generator) -> Tensor:
        """How far one of ``shares`` instances has to reach when all N are shared out among them, squared.

        The median squared distance to the ⌈N / shares⌉-th nearest neighbour: the nearest where each has to do for
        itself alone. Unlike the nearest neighbour's it does not fall when a video has more frames a second.
        """
        everything = torch.arange(len(self), device=self.parts[0].values.device)
        among = thinned(everything, max(1, min(SAMPLE, VALUES // (4 * len(self)))), generator)
        apart = self.kernel(lambda squared: squared, everything, among)  # (N, S): only columns are made as a whole
        rank = min(len(self), 1 + math.ceil(len(self) / max(shares, 1)))  # the nearest is the instance itself
        # kthvalue takes a hundred times as long where distances rise and fall in order, as those in time do.
        return apart.T.contiguous().topk(rank, largest=False).values[:, -1].median()


def cover(
    points: Points, pool: Pool, weights: Tensor, kernel: Kernel, count: int, generator: torch.Generator
) -> Tensor:
    """Greedily argmaxₓ Σₙ wₙ·[k(n, x) − max over labelled and picked s of k(n, s)]₊.

    The sum is over all instances that are not labelled, whether or not they may be picked, as long as no more than
    ``VALUES`` kernel values come of it; beyond, over as many of them, drawn evenly, as do. Every instance that may be
    picked is looked at in any case, and picks are the greedy ones for that sum up to rounding.

    Args:
        points: N instances.
        pool: what is labelled, and what may be picked.
        weights: (N,) w, not negative.
        kernel: k, falls with the distance.
        count: how many at the most.
        generator: draws what is summed over, and picks that nothing speaks for since all is covered.

    Returns:
        (min(count, U),) indices in order of picking; the lower index among equals.
    """
    candidates = pool.unlabelled
    count = min(count, len(candidates))
    if not count:
        return candidates[:0]
    stand = max(VALUES // len(candidates), LANDMARKS)
    landmarks = thinned(torch.nonzero(~pool.labelled).flatten(), stand, generator)
    covered, labelled = weights.new_zeros(len(landmarks)), torch.nonzero(pool.labelled).flatten()
    for some in labelled.split(AGAIN) if len(labelled) else ():
        covered = torch.maximum(covered, points.kernel(kernel, some, landmarks).amax(0))
    places = _lazily(points.kernel(kernel, candidates, landmarks), covered, weights[landmarks], count)
    rest = torch.ones_like(candidates, dtype=torch.bool).index_fill(0, places, False).nonzero().flatten()
    drawn = torch.randperm(len(rest), generator=generator)[: count - len(places)].to(rest.device)
    return candidates[torch.cat([places, rest[drawn]])]


def _lazily(near: Tensor, covered: Tensor, weights: Tensor, count: int) -> Tensor:
    """Rows of near (C, M), at most ``count``, in order of picking, until all of M is covered."""
    enough = 1e-6 * weights.sum()
    rows = near.split(max(1, BLOCK // near.shape[1]))
    bound, picks = torch.cat([_gain(part, covered, weights) for part in rows]), near.new_empty(0, dtype=torch.int64)
    while len(picks) < count:
        best = _best(near, bound, covered, weights)
        if best <= enough:
            break
        pick = (bound >= best * (1 - EQUAL)).nonzero()[0]
        picks, covered = torch.cat([picks, pick]), torch.maximum(covered, near[pick[0]])
        bound[pick] = -torch.inf
    return picks


def _best(near: Tensor, bound: Tensor, covered: Tensor, weights: Tensor) -> Tensor:
    """The highest gain; bounds (C,) of whatever comes close to it are brought up to date in place."""
    stale, best = bound.clone(), bound.new_tensor(-torch.inf)
    while True:
        highest, some = stale.topk(min(AGAIN, len(stale)))
        if highest[0] == -torch.inf or highest[0] < best * (1 - EQUAL):
            return best
        # Among the last few are some that are up to date, or picked.
        bound[some] = torch.where(highest == -torch.inf, bound[some], _gain(near[some], covered, weights))
        stale[some] = -torch.inf
        best = torch.maximum(best, bound[some].max())


def _gain(near: Tensor, covered: Tensor, weights: Tensor) -> Tensor:
    """(R,) what each of near (R, M) adds to what is covered (M,)."""
    return (near - covered).clamp(min=0) @ weights
