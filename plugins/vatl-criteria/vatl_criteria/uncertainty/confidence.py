"""Low confidence: the heights of the heatmaps' peaks."""

from __future__ import annotations

from typing import ClassVar

import attrs
from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_criteria.uncertainty.peaks import local_peak_mean


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


@attrs.frozen
class LowPeaks(Criterion):
    """1 − the mean height of all local maxima: 1 − γ, the share of influence in a sum (Liu & Ferrari, ICCV 2017)."""

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})

    def score(self, window: Window) -> Tensor:
        """Reads the heatmaps; between 0 and 1 whatever their range."""
        return 1 - local_peak_mean(window.heatmaps).clamp(0, 1)
