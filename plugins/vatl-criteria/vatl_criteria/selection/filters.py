"""Selectors that choose among the highest scores by something else."""

from __future__ import annotations

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.representativeness.influence import summed_cosine_distance


def highest(pool: Pool, count: int) -> Tensor:
    """(min(count, U),) indices of the unlabelled instances with the highest scores, ascending."""
    candidates = pool.unlabelled
    order = torch.argsort(pool.scores[candidates], descending=True, stable=True)
    return candidates[order[:count]].sort().values


@attrs.frozen
class RandomFilter(Selector):
    """At random among the highest scores.

    Attributes:
        candidates: how many times the query's size to choose from.
    """

    candidates: int = attrs.field(default=8, validator=ge(1))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """A random sample of the candidates."""
        among = highest(pool, self.candidates * count)
        order = torch.randperm(len(among), generator=generator).to(among.device)
        return among[order[:count]]


@attrs.frozen
class Diversity(Selector):
    """Those of the highest scores with the smallest summed cosine distance to the others of them, as published.

    Attributes:
        candidates: how many times the query's size to choose from.
    """

    candidates: int = attrs.field(default=8, validator=ge(1))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Sorted by the summed distance, rising; the lower index first among equals."""
        among = highest(pool, self.candidates * count)
        distance = summed_cosine_distance(pool.features[among], torch.ones_like(among, dtype=torch.bool))
        return among[torch.argsort(distance, stable=True)[:count]]
