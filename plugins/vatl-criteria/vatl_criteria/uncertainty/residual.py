"""Heatmaps that do not look like what the estimator was taught to draw, wherever the keypoint may be."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_core.video import gaussian_targets


def residuals(heatmaps: Tensor) -> Tensor:
    """√Σ_p (H_k(p) − T_k(p))², T_k the training target if the keypoint were at the maximum: (B, K, h, w) → (B, K)."""
    height, width = heatmaps.shape[-2:]
    place = heatmaps.flatten(2).argmax(2)
    peaks = torch.stack([place % width, place // width], -1).to(heatmaps.dtype)
    targets, _ = gaussian_targets(peaks, torch.ones_like(place, dtype=torch.bool), (height, width), 1)
    lengths: Tensor = torch.linalg.vector_norm((heatmaps - targets).flatten(2), dim=2)
    return lengths


@attrs.frozen
class Residual(Criterion):
    """√Σ_k Σ_p (H_k(p) − T_k(p))²: low, wide, split and missing peaks alike.

    T is the target of training at the estimator's own answer, so this is the loss that it would have if it were right.
    It scores after the pass, for what it keeps, (B, K) a keypoint's share, is what the selector ``badge`` reads.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "pool"})

    def condense(self, window: Window) -> Tensor:
        """(B, K) of each keypoint's map."""
        return residuals(window.heatmaps)

    def score(self, window: Window) -> Tensor:
        """Reads what was condensed."""
        length: Tensor = torch.linalg.vector_norm(window.condensed, dim=1)
        return length
