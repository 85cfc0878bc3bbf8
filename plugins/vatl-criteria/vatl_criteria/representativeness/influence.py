"""Influence: how far an instance lies from the rest."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from vatl_core.contracts import Criterion, Window
from vatl_core.cycle import normalised

_ROUNDING = 1e-10
"""Distances that differ by less than this share of their largest possible value are the same but for rounding."""


def summed_cosine_distance(features: Tensor, among: Tensor) -> Tensor:
    """Σ_j (1 − cos(f_i, f_j)) over j with ``among`` true, as U − f̂_i·Σ f̂_j: no distance matrix is made.

    Args:
        features: (N, D); one of length 0 is at distance 1 from all.
        among: (N,) bool, U of them true.

    Returns:
        (N,) float64.
    """
    directions = functional.normalize(features.double(), dim=1)
    return among.sum() - directions @ (among.double() @ directions)


@attrs.frozen
class Influence(Criterion):
    """The summed cosine distance to everything unlabelled, min–max normalised (parity fixture ``selection``).

    As published: larger = farther from the rest. In a sum with an uncertainty u its share is 1 − γ, the criterion
    ``peaks``: γ·u + (1 − γ)·influence (Liu & Ferrari, *Active Learning for Human Pose Estimation*, ICCV 2017).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "pool"})
    share: ClassVar[str | None] = "peaks"

    def score(self, window: Window) -> Tensor:
        """Reads the features of the whole video; 0 for what is labelled."""
        unlabelled = ~window.labelled
        distance = summed_cosine_distance(window.features, unlabelled)
        lowest = torch.where(unlabelled, distance, torch.inf).amin()
        highest = torch.where(unlabelled, distance, -torch.inf).amax()
        return normalised(distance * (highest - lowest > _ROUNDING * len(window)), unlabelled)
