"""No refinement: a pose is where the heatmaps have their maxima."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Refinement


@attrs.frozen
class Unrefined(Refinement):
    """The first of each keypoint's candidates, which is the estimator's own (Taketsugu & Ukita, WACV 2024)."""

    def refine(self, tracks: Any, candidates: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        """The first candidates (N, K, 2), and no spread (N, K)."""
        keypoints = candidates[:, :, 0, :2]
        return keypoints, torch.zeros_like(keypoints[..., 0])
