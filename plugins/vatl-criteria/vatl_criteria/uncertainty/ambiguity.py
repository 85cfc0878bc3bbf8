"""Ambiguity: heatmaps with several peaks leave open where the keypoint is.

Definitions as compared in Taketsugu & Ukita (WACV 2024); multiple-peak entropy after Liu & Ferrari (ICCV 2017).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, in_
from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_criteria.uncertainty.peaks import Peaks, local_maxima


def multiple_peak_entropy(peaks: Peaks) -> Tensor:
    """Σ_k entropy(softmax(the peaks' values)) → (B,), nats; a map with one peak or none adds 0."""
    logs = peaks.log_weights()
    return -(logs.exp() * logs).sum((1, 2))


def peak_margin(peaks: Peaks, lone: str = "height") -> Tensor:
    """Σ_k (first − second peak) → (B,); a map without a peak adds 0.

    Args:
        peaks: at least two a map.
        lone: what a map with a single peak adds: its ``height``, or ``nothing`` as published.
    """
    second = peaks.found[..., 1]
    margins = peaks.values[..., 0] - peaks.values[..., 1]
    return (margins if lone == "height" else torch.where(second, margins, 0.0)).sum(1)


def heatmap_entropy(heatmaps: Tensor) -> Tensor:
    """Σ_k entropy of H_k normalised to sum 1, (B, K, h, w) → (B,), nats.

    Negative values count as 0. A map without a positive value says as little as a constant one: log(h·w).
    """
    flat = heatmaps.flatten(2).clamp(min=0)
    total = flat.sum(-1)
    least = torch.finfo(flat.dtype).tiny
    entropy = total.clamp(min=least).log() - (flat * flat.clamp(min=least).log()).sum(-1) / total.clamp(min=least)
    return torch.where(total > least, entropy, torch.full_like(entropy, flat.shape[-1]).log()).sum(1)


@attrs.frozen
class MultiplePeakEntropy(Criterion):
    """Several peaks of like height: high.

    Attributes:
        distance: heatmap pixels between peaks, and between a peak and the border.
        peaks: how many of a map count at the most.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})

    distance: int = attrs.field(default=5, validator=ge(1))
    peaks: int = attrs.field(default=5, validator=ge(1))

    def score(self, window: Window) -> Tensor:
        """Reads the heatmaps' local maxima."""
        return multiple_peak_entropy(local_maxima(window.heatmaps, self.distance, self.peaks))


@attrs.frozen
class Margin(Criterion):
    """A second peak almost as high as the first: high.

    The negative of the published sum, which asks for the surest instances.

    Attributes:
        distance: heatmap pixels between peaks, and between a peak and the border.
        lone: what the margin of a map with a single peak is: its ``height``, or ``nothing`` as published, which takes
            the surest map for the least sure.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})

    distance: int = attrs.field(default=5, validator=ge(1))
    lone: str = attrs.field(default="height", validator=in_(("height", "nothing")))

    def score(self, window: Window) -> Tensor:
        """Reads the heatmaps' two highest local maxima."""
        return -peak_margin(local_maxima(window.heatmaps, self.distance, 2), self.lone)


@attrs.frozen
class HeatmapEntropy(Criterion):
    """Heatmaps that are spread out: high."""

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})

    def score(self, window: Window) -> Tensor:
        """Reads the heatmaps."""
        return heatmap_entropy(window.heatmaps)
