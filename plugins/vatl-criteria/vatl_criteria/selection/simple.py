"""Selectors that look at one instance at a time."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Pool, Selector


@attrs.frozen
class Random(Selector):
    """Uniformly at random among the unlabelled."""

    uses_scores: ClassVar[bool] = False

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """A random sample without repetition."""
        candidates = pool.unlabelled
        order = torch.randperm(len(candidates), generator=generator).to(candidates.device)
        return candidates[order[:count]]


@attrs.frozen
class Top(Selector):
    """The highest scores; the lower index first among equals."""

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """Sorted by score, falling."""
        candidates = pool.unlabelled
        order = torch.argsort(pool.scores[candidates], descending=True, stable=True)
        return candidates[order[:count]]
