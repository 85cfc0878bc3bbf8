"""Least confidence."""

from __future__ import annotations

from typing import ClassVar

import attrs
from torch import Tensor

from vatl_core.contracts import Criterion, Window


def least_confidence(scores: Tensor) -> Tensor:
    """−Σ_k max H_k, from the heatmaps' maxima (B, K) → (B,)."""
    return -scores.sum(1)


@attrs.frozen
class LeastConfidence(Criterion):
    """Low maxima: the estimator is not sure where a keypoint is."""

    needs: ClassVar[frozenset[str]] = frozenset({"poses"})

    def score(self, window: Window) -> Tensor:
        """Reads the maxima."""
        return least_confidence(window.scores)
