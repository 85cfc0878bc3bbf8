"""Temporal continuity: what changes between neighbouring frames is probably wrong in one of them.

Taketsugu & Ukita, *Uncertainty Criteria in Active Transfer Learning for Efficient Video-Specific Human Pose
Estimation* (MVA 2023).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import gt, in_
from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_core.video import decode


def heatmap_change(heatmaps: Tensor, neighbours: Tensor, norm: str = "l1") -> Tensor:
    """(1/K) Σ_k ‖H_t,k − H_n,k‖, with the 1-norm or the sum of squares: (B, K, h, w) twice → (B,)."""
    difference = heatmaps - neighbours
    changed = difference.abs() if norm == "l1" else difference.square()
    return changed.sum((2, 3)).mean(1)


def keypoints_moved(keypoints: Tensor, neighbours: Tensor, crops: Tensor, factor: float = 0.01) -> Tensor:
    """How many keypoints lie farther than factor·√(w·h of the crop box) from the neighbour's → (B,).

    Args:
        keypoints: (B, K, 2) pixels.
        neighbours: (B, K, h, w) the neighbour's heatmaps, decoded through the instance's own crop.
        crops: (B, 4) x1, y1, x2, y2, pixels.
        factor: of the crop box's size.
    """
    there, _ = decode(neighbours, crops)
    size = (crops[:, 2:] - crops[:, :2]).prod(1).sqrt()
    distance = torch.linalg.vector_norm(keypoints - there, dim=-1)
    moved: Tensor = distance > factor * size[:, None]
    return moved.to(keypoints.dtype).sum(1)


def over_neighbours(before: Tensor, after: Tensor, has_before: Tensor, has_after: Tensor) -> Tensor:
    """The sum of two neighbours' terms (B,); the one that exists counts twice where the other does not, else 0."""
    before, after = torch.where(has_before, before, 0), torch.where(has_after, after, 0)
    return (before + after) * torch.where(has_before ^ has_after, 2.0, 1.0)


@attrs.frozen
class HeatmapContinuity(Criterion):
    """THC: how much an instance's heatmaps differ from its neighbours' in time.

    Attributes:
        norm: ``l1``, or ``l2`` for squared differences.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "neighbours"})

    norm: str = attrs.field(default="l1", validator=in_(("l1", "l2")))

    def score(self, window: Window) -> Tensor:
        """Compares with the previous and the next frame's heatmaps."""
        before = heatmap_change(window.heatmaps, window.previous, self.norm)
        after = heatmap_change(window.heatmaps, window.next, self.norm)
        return over_neighbours(before, after, window.has_previous, window.has_next)


@attrs.frozen
class PoseContinuity(Criterion):
    """TPC: how many keypoints move between an instance and its neighbours in time.

    Attributes:
        factor: share of the crop box's size, √(w·h), beyond which a keypoint has moved.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "neighbours", "poses"})

    factor: float = attrs.field(default=0.01, validator=gt(0))

    def score(self, window: Window) -> Tensor:
        """Decodes the neighbours' heatmaps as if the camera and the box had not moved."""
        before = keypoints_moved(window.keypoints, window.previous, window.crops, self.factor)
        after = keypoints_moved(window.keypoints, window.next, window.crops, self.factor)
        return over_neighbours(before, after, window.has_previous, window.has_next)
