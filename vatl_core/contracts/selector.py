"""Which instances to ask for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import attrs
import torch
from torch import Tensor

if TYPE_CHECKING:
    pass


@attrs.frozen
class Pool:
    """What a selector chooses from: a video's N instances.

    Attributes:
        scores: (N,) the query's score, 0 to 1 over the unlabelled; zeros where the query has no criterion.
        features: (N, D).
        labelled: (N,) bool: labelled, refused, or beyond what the oracle can answer.
        query_oks: mean OKS of the previous query when it was asked; None where nothing was measured, as in the first
            cycle.
        watched: ``{name: (N,)}`` scores of the criteria that the selector watches.
    """

    scores: Tensor
    features: Tensor
    labelled: Tensor
    query_oks: float | None = None
    watched: Mapping[str, Tensor] = attrs.field(factory=dict)

    @property
    def unlabelled(self) -> Tensor:
        """(U,) indices of what may be picked, ascending."""
        return torch.nonzero(~self.labelled).flatten()


class Selector(ABC):
    """Which instances to ask the oracle for."""

    uses_scores: ClassVar[bool] = True
    """Whether it reads ``pool.scores``; if not, no criterion is computed for it."""
    watches: ClassVar[tuple[str, ...]] = ()
    """Criteria that :meth:`select` finds in ``pool.watched``; they are computed in every cycle."""

    @abstractmethod
    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices of unlabelled instances, each once, in order of picking."""
