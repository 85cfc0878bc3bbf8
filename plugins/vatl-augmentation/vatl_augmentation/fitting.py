"""How much to change crops, by how the labelled poses lie."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

TURNED: Final = 0.5
"""Below this alignment poses count as turned every way; of people upright and of animals in profile it is above 0.8."""


def fitting_level(keypoints: Tensor, visible: Tensor) -> str:
    """The level that fits labelled poses (M, K, 2): ``any`` where they are turned every way, otherwise ``mild``."""
    return "any" if alignment(keypoints, visible) < TURNED else "mild"


def alignment(keypoints: Tensor, visible: Tensor) -> float:
    """How alike poses are turned: 1 where all are upright, near 0 where they are turned every way, as seen from above.

    Poses as complex numbers about their means are, as far as one shape explains them, that shape times a number each,
    whose argument is how the pose is turned: the first left singular vector. What comes back is the mean resultant
    length of these directions (Mardia & Jupp, Directional Statistics, 2000, §2.3); 1 of less than two poses.

    Args:
        keypoints: (M, K, 2) pixels, anything where they are not visible.
        visible: (M, K) bool.
    """
    shown = visible.sum(1, keepdim=True)
    usable = shown[:, 0] > 1
    points = torch.view_as_complex(keypoints.double().masked_fill(~visible[..., None], 0).contiguous())[usable]
    shape = torch.where(visible[usable], points - points.sum(1, keepdim=True) / shown[usable], 0)
    extent = shape.abs().square().sum(1, keepdim=True).sqrt()
    shape = (shape / extent)[extent[:, 0] > 0]
    if len(shape) < 2:
        return 1.0
    turned = torch.linalg.svd(shape, full_matrices=False).U[:, 0]
    return float(torch.sgn(turned).mean().abs())
