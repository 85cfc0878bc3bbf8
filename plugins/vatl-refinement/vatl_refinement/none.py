"""No refinement: the estimator's own poses, as the paper has them (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Labels, Refined, Refinement, Tracks


@attrs.frozen
class Unrefined(Refinement):
    """The poses as they were estimated; nothing is said of how far off they are."""

    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Refined:
        """The same poses."""
        return Refined(tracks.keypoints, torch.zeros_like(tracks.scores))
