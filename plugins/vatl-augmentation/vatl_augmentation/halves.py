"""Crops that show half a body."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from vatl_core.compute import onto
from vatl_core.video import compose, crop_boxes, crop_matrices

HALF_KEYPOINTS: Final = 3
"""Visible keypoints that half a body must have for a crop to be laid around it."""
NEAREST: Final = 4
"""How many times nearer than the plain crop one of half a body comes at the most: pictures hold no more detail."""


def around_halves(change: Tensor, keypoints: Tensor, visible: Tensor, half: Tensor, size: tuple[int, int]) -> Tensor:
    """Let augmented crops show half a body (an idea of Wang et al., 2018, for people; here for any skeleton).

    The new crop is the one that the half's keypoints would have if they were the whole instance: their bounding box
    widened to the crop's aspect, then by the same share as every crop.

    Args:
        change: (B, 2, 3) from an augmented crop's pixel to the plain crop's.
        keypoints: (B, K, 2) pixels of the plain crop.
        visible: (B, K) bool.
        half: (B,) which; 0 changes nothing.
        size: height and width of a crop.

    Returns:
        (B, 2, 3) as ``change``; the same where the half has too few visible keypoints.
    """
    kept = half_of(keypoints, visible, half)
    enough = (half > 0) & (kept.sum(1) >= HALF_KEYPOINTS)
    nearer = crop_matrices(crop_boxes(_bounds(keypoints, kept, size), size), size)
    return torch.where(enough[:, None, None], compose(change, nearer), change)


def half_of(keypoints: Tensor, visible: Tensor, half: Tensor) -> Tensor:
    """(B, K) bool: the visible keypoints of a body's half 1 or 2.

    A body is cut across its longest extent, the first principal axis of its visible keypoints, at their median: a
    standing person at the waist, a fly between head and abdomen, whatever it is turned to.
    """
    weight = visible[..., None].to(keypoints.dtype)
    mean = (keypoints * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
    offset = (keypoints - mean) * weight
    spread = offset.transpose(1, 2) @ offset
    angle = torch.atan2(2 * spread[:, 0, 1], spread[:, 0, 0] - spread[:, 1, 1]) / 2
    along = offset[..., 0] * torch.cos(angle)[:, None] + offset[..., 1] * torch.sin(angle)[:, None]
    median = along.masked_fill(~visible, torch.nan).nanmedian(1, keepdim=True).values
    return visible & torch.where(half[:, None] == 1, along <= median, along > median)


def _bounds(keypoints: Tensor, kept: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes (B, 4) x, y, w, h about the kept keypoints, none smaller than the nearest crop allows."""
    low = keypoints.masked_fill(~kept[..., None], torch.inf).amin(1)
    high = keypoints.masked_fill(~kept[..., None], -torch.inf).amax(1)
    least = onto(keypoints.device, torch.tensor([size[1], size[0]], dtype=keypoints.dtype)) / NEAREST
    extent = torch.maximum(high - low, least)
    return torch.cat([(low + high - extent) / 2, extent], 1)
