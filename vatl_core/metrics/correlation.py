"""Rank correlation: whether two columns put instances into the same order."""

from __future__ import annotations

import torch
from torch import Tensor


def ranks(values: Tensor) -> Tensor:
    """(N,) → (N,) float64, 1 the lowest; equal values share the mean of their ranks."""
    _, slot, counts = torch.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    mean: Tensor = (last - (counts - 1) / 2).double()[slot]
    return mean


def spearman(a: Tensor, b: Tensor) -> float | None:
    """Spearman's rank correlation of two columns (N,), −1 to 1; None where one is constant or has fewer than 2."""
    if len(a) < 2:
        return None
    first, second = (r - r.mean() for r in (ranks(a), ranks(b)))
    scale = (first.square().sum() * second.square().sum()).sqrt()
    return float((first @ second / scale).clamp(-1, 1)) if scale > 0 else None
