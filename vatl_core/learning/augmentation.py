"""Random changes of training crops, drawn on the CPU and made on the device, a batch at once."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from vatl_core.contracts import Augmentation
from vatl_core.video import Skeleton, compose, crop_boxes, crop_matrices

HALF_KEYPOINTS: Final = 3
"""Visible keypoints that half a body must have for a crop to be laid around it."""
NEAREST: Final = 4
"""How many times nearer than the plain crop one of half a body comes at the most: pictures hold no more detail."""


def draw(how: Augmentation, count: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Affine maps (B, 2, 3) from an augmented crop's pixel to the plain crop's, and who is mirrored (B,) bool."""
    noise = torch.randn(2, count, generator=generator)
    chance = torch.rand(2, count, generator=generator)
    scale = (1 + noise[0] * how.scale).clamp(1 - how.scale, 1 + how.scale)
    degrees = (noise[1] * how.rotation).clamp(-2 * how.rotation, 2 * how.rotation)
    angle = torch.deg2rad(degrees * (chance[0] < how.rotated))
    mirrored = chance[1] < how.flip
    return _about_centre(angle, scale, mirrored, size), mirrored


def draw_halves(how: Augmentation, count: int, generator: torch.Generator) -> Tensor:
    """(B,) which half each crop is laid around: 0 the whole body, 1 one half, 2 the other."""
    chance = torch.rand(2, count, generator=generator)
    return torch.where(chance[0] < how.half_body, 1 + (chance[1] < 0.5), 0)


def _about_centre(angle: Tensor, scale: Tensor, mirrored: Tensor, size: tuple[int, int]) -> Tensor:
    """Rotation, scaling and mirroring about a crop's centre, (B, 2, 3)."""
    sine, cosine = torch.sin(angle) * scale, torch.cos(angle) * scale
    side = torch.where(mirrored, -1.0, 1.0)
    linear = torch.stack([torch.stack([cosine * side, -sine], -1), torch.stack([sine * side, cosine], -1)], 1)
    centre = torch.tensor([size[1] / 2 - 0.5, size[0] / 2 - 0.5])
    return torch.cat([linear, (centre - linear @ centre)[..., None]], 2)


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
    extent = torch.maximum(high - low, keypoints.new_tensor([size[1], size[0]]) / NEAREST)
    return torch.cat([(low + high - extent) / 2, extent], 1)


def mirror(keypoints: Tensor, visible: Tensor, mirrored: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """Swap left and right of the ``mirrored`` (B,) instances: a mirrored left hand is a right hand.

    Keypoints are (B, K, 2), visible (B, K) bool, before and after.
    """
    order = torch.tensor(skeleton.flip_order(), device=keypoints.device)
    keypoints = torch.where(mirrored[:, None, None], keypoints[:, order], keypoints)
    return keypoints, torch.where(mirrored[:, None], visible[:, order], visible)
