"""The query's score: one criterion, or several, normalised and added (method §2, "Combining scores")."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalised(scores: Tensor, among: Tensor) -> Tensor:
    """Scores (N,) min–max normalised over those with ``among`` (N,) bool true; 0 elsewhere, and 0 if constant."""
    if not among.any():
        return torch.zeros_like(scores)
    low, high = scores[among].min(), scores[among].max()
    spread = high - low
    scaled = (scores - low) / torch.where(spread > 0, spread, torch.ones_like(spread))
    return torch.where(among, scaled, torch.zeros_like(scores))


def combined(columns: Sequence[Tensor], among: Tensor, fraction: float, weights: str = "constant") -> Tensor:
    """The sum of normalised scores (N,), normalised again.

    Args:
        columns: one (N,) a criterion.
        among: (N,) bool, the unlabelled.
        fraction: r, the labelled fraction.
        weights: ``constant``: all count alike; ``increase``: the first counts r, the others 1 − r; ``decrease``: the
            reverse.
    """
    first = {"constant": 1.0, "increase": fraction, "decrease": 1 - fraction}[weights]
    others = 1.0 if weights == "constant" else 1 - first
    total = torch.zeros_like(columns[0])
    for number, column in enumerate(columns):
        total += (others if number else first) * normalised(column, among)
    return normalised(total, among)
