"""What a network makes of some instances' plain crops."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Pictures
from vatl_core.video import decode, transform, warp

BATCH: Final = 64
"""Crops to a pass."""


def offset(pictures: Pictures) -> Tensor:
    """(2,) x and y of the crop's first pixel in its picture."""
    (height, width), (tall, wide) = pictures.size, pictures.picture_size
    return torch.tensor([(wide - width) / 2, (tall - height) / 2])


def plain(pictures: Pictures, index: Tensor) -> Tensor:
    """(B, 2, 3) maps from a pixel of the unchanged crop to a pixel of its picture."""
    same = torch.eye(2, 3, device=index.device).repeat(len(index), 1, 1)
    same[:, :, 2] = offset(pictures).to(index.device)
    return same


@torch.no_grad()
def heatmaps(estimator: Estimator, crops: Tensor, compute: Compute) -> Tensor:
    """(B, K, h, w) float32 of crops (B, 3, H, W) uint8."""
    with compute.autocast():
        maps = estimator(compute.layout(estimator.normalisation(crops)))
    found: Tensor = maps.heatmaps.float()
    return found


def poses(estimator: Estimator, pictures: Pictures, index: Tensor, compute: Compute) -> tuple[Tensor, Tensor]:
    """Keypoints (B, K, 2) in pixels of the frame and the heatmaps' maxima (B, K) of these instances."""
    pictures.fill(index)
    estimator.eval()
    parts = [_poses(estimator, pictures, part, compute) for part in index.split(BATCH)]
    keypoints, heights = zip(*parts, strict=True)
    return torch.cat(keypoints), torch.cat(heights)


def _poses(estimator: Estimator, pictures: Pictures, index: Tensor, compute: Compute) -> tuple[Tensor, Tensor]:
    crops = warp(pictures.get(index), plain(pictures, index), estimator.input_size)
    first = offset(pictures).to(index.device)
    corners = torch.stack([first, first + first.new_tensor(pictures.size[::-1])]).expand(len(index), 2, 2)
    return decode(heatmaps(estimator, crops, compute), transform(corners, pictures.matrices(index)).flatten(1))
