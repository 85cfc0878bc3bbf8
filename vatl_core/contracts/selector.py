"""Which instances to ask for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
import torch
from torch import Tensor

_NOTHING: Final = torch.empty(0)


@attrs.frozen
class Pool:
    """What a selector chooses from: a video's N instances, all on one device.

    Attributes:
        scores: (N,) the query's score, 0 to 1 over the unlabelled; zeros where the query has no criterion.
        features: (N, D).
        labelled: (N,) bool, what has its answer: labelled, or refused.
        query_oks: mean OKS of the previous query when it was asked; None where nothing was measured, as in the first
            cycle.
        watched: ``{name: (N,)}`` scores of the criteria that the selector watches.
        embeddings: ``{name: (N, …)}`` what those of them condensed that do.
        keypoints: (N, K, 2) present estimates, pixels.
        keypoint_scores: (N, K) the heatmaps' maxima.
        boxes: (N, 4) x, y, w, h, pixels.
        frame, track: (N,) int64, the frame that an instance is in, and which individual it is.
        time: (N,) float64, seconds from the first frame where the video tells, else the frame's number.
        previous, next: (N,) int64, the same track's neighbour in time, or −1.
        answerable: (N,) bool, which of them the oracle can answer for; None for any.
    """

    scores: Tensor
    features: Tensor
    labelled: Tensor
    query_oks: float | None = None
    watched: Mapping[str, Tensor] = attrs.field(factory=dict)
    embeddings: Mapping[str, Tensor] = attrs.field(factory=dict)
    keypoints: Tensor = _NOTHING
    keypoint_scores: Tensor = _NOTHING
    boxes: Tensor = _NOTHING
    frame: Tensor = _NOTHING
    track: Tensor = _NOTHING
    time: Tensor = _NOTHING
    previous: Tensor = _NOTHING
    next: Tensor = _NOTHING
    answerable: Tensor | None = None

    @property
    def askable(self) -> Tensor:
        """(N,) bool, what may be picked: it has no answer, and the oracle can give one."""
        return ~self.labelled if self.answerable is None else ~self.labelled & self.answerable

    @property
    def unlabelled(self) -> Tensor:
        """(U,) indices of what may be picked, ascending."""
        return torch.nonzero(self.askable).flatten()


class Selector(ABC):
    """Which instances to ask the oracle for."""

    uses_scores: ClassVar[bool] = True
    """Whether it reads ``pool.scores``; if not, no criterion is computed for it."""
    watches: ClassVar[tuple[str, ...]] = ()
    """Criteria that :meth:`select` finds in ``pool.watched``; they are computed in every cycle."""

    @abstractmethod
    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices of unlabelled instances, each once, in order of picking."""
