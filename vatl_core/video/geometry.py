"""Boxes, crops, targets and decoding: pure functions on batches, on whatever device their tensors are.

Positions are pixel indices: the centre of the first pixel is 0. A crop's pixel (x, y) shows the frame at
(x1 + x·w/W, y1 + y·h/H), as in the published implementation (parity fixture ``crop_target``).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BOX_MARGIN = 0.15
"""How far a box that follows from keypoints reaches beyond them on each side, as a fraction of their larger extent."""
CROP_PADDING = 1.25
"""How much larger than the box the crop is."""
SIGMA = 2.0
"""Standard deviation of a target's Gaussian, heatmap pixels."""


def boxes_around(keypoints: Tensor, visible: Tensor) -> Tensor:
    """Boxes (N, 4) x, y, w, h around the visible (N, K) of keypoints (N, K, 2), with a margin; zeros where none is."""
    low = keypoints.masked_fill(~visible[..., None], torch.inf).amin(1)
    high = keypoints.masked_fill(~visible[..., None], -torch.inf).amax(1)
    margin = BOX_MARGIN * (high - low).amax(1, keepdim=True)
    boxes = torch.cat([low - margin, high - low + 2 * margin], dim=1)
    return torch.where(visible.any(1, keepdim=True), boxes, 0.0)


def crop_boxes(boxes: Tensor, input_size: tuple[int, int]) -> Tensor:
    """Boxes (N, 4) x, y, w, h → crop boxes (N, 4) x1, y1, x2, y2: widened to the input's aspect ratio, then ×1.25."""
    aspect = input_size[1] / input_size[0]
    centre, size = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]
    width = torch.maximum(size[:, 0], size[:, 1] * aspect)
    half = torch.stack([width, width / aspect], dim=1) * CROP_PADDING / 2
    return torch.cat([centre - half, centre + half], dim=1)


def crop_matrices(crops: Tensor, size: tuple[int, int]) -> Tensor:
    """Crop boxes (B, 4) → affine maps (B, 2, 3) from a pixel of the H×W crop to a pixel of the frame."""
    return torch.cat([torch.diag_embed(_pixel(crops, size)), crops[:, :2, None]], dim=2)


def _pixel(crops: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, 2) width and height in the frame of a pixel of crops (B, 4) that are H × W; asks nothing of the device."""
    extent = crops[:, 2:] - crops[:, :2]
    return torch.stack([extent[:, 0] / size[1], extent[:, 1] / size[0]], 1)


def transform(points: Tensor, matrices: Tensor) -> Tensor:
    """Points (B, K, 2) through affine maps (B, 2, 3)."""
    return points @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]


def invert(matrices: Tensor) -> Tensor:
    """The affine maps (B, 2, 3) backwards."""
    linear = torch.linalg.inv(matrices[:, :, :2])
    return torch.cat([linear, -linear @ matrices[:, :, 2:]], dim=2)


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The affine maps (B, 2, 3) that apply ``first``, then ``second``."""
    linear = second[:, :, :2] @ first[:, :, :2]
    return torch.cat([linear, second[:, :, :2] @ first[:, :, 2:] + second[:, :, 2:]], dim=2)


def warp(pictures: Tensor, matrices: Tensor, size: tuple[int, int], which: Tensor | None = None) -> Tensor:
    """Sample pictures bilinearly, zeros outside.

    Args:
        pictures: (1, 3, H', W') one for all maps, (B, 3, H', W') one each, or (F, 3, H', W') with ``which``; any dtype,
            values 0 to 255.
        matrices: (B, 2, 3) from a pixel of the result to a pixel of its picture.
        size: height and width of the result.
        which: (B,) the picture of each map; all are sampled in one call, and none depends on the others.

    Returns:
        (B, 3, H, W) uint8.
    """
    height, width = size
    sides = (torch.arange(side, device=matrices.device, dtype=matrices.dtype) for side in size)
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    places = transform(torch.stack([columns, rows], dim=-1).view(1, -1, 2), matrices)
    last = [max(side - 1, 1) for side in pictures.shape[-2:]]
    grid = torch.stack([places[..., 0] / last[1], places[..., 1] / last[0]], -1) * 2 - 1
    if which is not None:
        sampled = _sample_volume(pictures, grid.view(-1, height, width, 2), which)
    elif len(pictures) == 1:  # one tall grid over one picture, so that the picture is not copied for each box
        sampled = functional.grid_sample(pictures.float(), grid.view(1, -1, width, 2), align_corners=True)
        sampled = sampled.view(-1, len(matrices), height, width).transpose(0, 1)
    else:
        sampled = functional.grid_sample(pictures.float(), grid.view(-1, height, width, 2), align_corners=True)
    return sampled.round().clamp(0, 255).to(torch.uint8)


def _sample_volume(pictures: Tensor, grid: Tensor, which: Tensor) -> Tensor:
    """Pictures behind each other as one volume (Jaderberg et al., NeurIPS 2015), sampled at their depths in one call.

    Its depth is 1 more than a power of two: then depths between −1 and 1 are exact, and nothing of others comes in.
    """
    depth = 2 ** max(len(pictures) - 2, 0).bit_length()
    volume = torch.zeros((depth + 1, *pictures.shape[1:]), device=pictures.device)
    volume[: len(pictures)] = pictures
    depths = (which * (2 / depth) - 1).to(grid.dtype)[:, None, None, None].expand(*grid.shape[:3], 1)
    places = torch.cat([grid, depths], -1)
    sampled = functional.grid_sample(volume.transpose(0, 1)[None], places[None], align_corners=True)
    return sampled[0].transpose(0, 1)


def gaussian_targets(
    keypoints: Tensor, visible: Tensor, heatmap_size: tuple[int, int], stride: int, subpixel: bool = False
) -> tuple[Tensor, Tensor]:
    """Target heatmaps: one Gaussian of σ = 2 px a visible keypoint, peak 1, cut off beyond ±3σ.

    Args:
        keypoints: (B, K, 2) crop pixels; anything where they are not visible.
        visible: (B, K) bool.
        heatmap_size: h and w.
        stride: crop pixels to a heatmap pixel.
        subpixel: centred on the keypoint itself (Zhang et al., CVPR 2020), not on the heatmap pixel that it falls on.

    Returns:
        targets (B, K, h, w) and weights (B, K): 0 where nothing of the Gaussian falls on the map or the keypoint is
        not visible.
    """
    peak = keypoints.nan_to_num() / stride  # NaN times a weight of 0 would be NaN
    peak = peak if subpixel else torch.trunc(peak + 0.5)
    axis_x = torch.arange(heatmap_size[1], device=keypoints.device) - peak[..., 0, None]
    axis_y = torch.arange(heatmap_size[0], device=keypoints.device) - peak[..., 1, None]
    reach = 3 * SIGMA
    along_x = torch.exp(-(axis_x**2) / (2 * SIGMA**2)) * (axis_x.abs() <= reach)
    along_y = torch.exp(-(axis_y**2) / (2 * SIGMA**2)) * (axis_y.abs() <= reach)
    weight = visible & (along_x > 0).any(-1) & (along_y > 0).any(-1)
    targets = along_y[..., :, None] * along_x[..., None, :] * weight[..., None, None]
    return targets, weight.to(targets.dtype)


def decode(heatmaps: Tensor, crops: Tensor) -> tuple[Tensor, Tensor]:
    """Heatmaps → keypoints: the maximum, moved 0.25 px towards its larger neighbour in x and in y.

    Args:
        heatmaps: (B, K, h, w).
        crops: (B, 4) crop boxes x1, y1, x2, y2, pixels of the frame.

    Returns:
        keypoints (B, K, 2) in pixels of the frame, and the maxima (B, K) as their scores.
    """
    height, width = heatmaps.shape[-2:]
    scores, place = maximum(heatmaps)
    x, y = place % width, place // width
    shift_x = _slope(heatmaps, place, 1, (x > 0) & (x < width - 1))
    shift_y = _slope(heatmaps, place, width, (y > 0) & (y < height - 1))
    points = torch.stack([x + 0.25 * shift_x, y + 0.25 * shift_y], dim=-1)
    return crops[:, None, :2] + points * _pixel(crops, (height, width))[:, None], scores


def maximum(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """The maximum of each map (B, K, h, w) and the first place in reading order where it is, (B, K) each.

    First the strip of rows that holds it, then the place within: on a CPU a maximum alone is found many times as fast
    as a maximum and its place.
    """
    count, channels, height, width = heatmaps.shape
    rows = 2 if height % 2 == 0 else 1
    strips = heatmaps.reshape(count * channels, height // rows, rows * width)
    strip = strips.amax(-1).argmax(-1)
    values, place = strips[torch.arange(len(strips), device=strip.device), strip].max(-1)
    return values.view(count, channels), (strip * strips.shape[-1] + place).view(count, channels)


def peaks(heatmaps: Tensor, crops: Tensor, count: int) -> Tensor:
    """The highest local maxima (of 3 × 3 pixels) of each map, to a part of a pixel: where parabolas through them peak.

    Args:
        heatmaps: (B, K, h, w).
        crops: (B, 4) crop boxes x1, y1, x2, y2, pixels of the frame.
        count: C.

    Returns:
        (B, K, C, 3) x, y in pixels of the frame and the value, highest first; a map with fewer repeats its highest.
    """
    height, width = heatmaps.shape[-2:]
    parts = heatmaps.split(8) if heatmaps.device.type == "cpu" else [heatmaps]  # as many as a processor's cache holds
    values, place = (torch.cat(column) for column in zip(*(_highest(part, count) for part in parts), strict=True))
    x, y = place % width, place // width
    x = x + _vertex(heatmaps, place, values, 1, (x > 0) & (x < width - 1))
    y = y + _vertex(heatmaps, place, values, width, (y > 0) & (y < height - 1))
    points = torch.stack([x, y], -1) * _pixel(crops, (height, width))[:, None, None]
    return torch.cat([crops[:, None, None, :2] + points, values[..., None]], -1)


def _highest(heatmaps: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Values and flat places (B, K, C) of the highest local maxima, the highest repeated where there are fewer."""
    lower = _largest_around(heatmaps) > heatmaps
    values, place = heatmaps.masked_fill(lower, -torch.inf).flatten(2).topk(count)
    missing = values.isneginf()
    return torch.where(missing, values[..., :1], values), torch.where(missing, place[..., :1], place)


def _largest_around(maps: Tensor) -> Tensor:
    """The largest of the 3 × 3 pixels around each of (B, K, h, w); pooling takes a CPU four times as long."""
    largest = functional.pad(maps, (1, 1, 1, 1), value=-torch.inf)
    for axis, size in ((-1, maps.shape[-1]), (-2, maps.shape[-2])):
        first, middle, last = (largest.narrow(axis, start, size) for start in range(3))
        largest = torch.maximum(first, last).clamp_min_(middle)
    return largest


def _slope(heatmaps: Tensor, place: Tensor, step: int, inside: Tensor) -> Tensor:
    """Sign of the difference across each maximum, (B, K); 0 where one of the neighbours does not exist."""
    before, after = _beside(heatmaps, place[..., None], step)
    return torch.sign(after - before).squeeze(-1) * inside


def _vertex(heatmaps: Tensor, place: Tensor, value: Tensor, step: int, inside: Tensor) -> Tensor:
    """How far from each local maximum, (B, K, C), the parabola through it and its neighbours peaks, −½ to ½ px."""
    before, after = _beside(heatmaps, place, step)
    bend = 2 * value - before - after
    return torch.where(inside & (bend > 0), (after - before) / (2 * bend), 0.0)


def _beside(heatmaps: Tensor, place: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """The values a ``step`` before and after each ``place`` (B, K, C) of the flat maps, within them."""
    flat = heatmaps.flatten(2)
    last = flat.shape[-1] - 1
    return flat.gather(-1, (place - step).clamp(min=0)), flat.gather(-1, (place + step).clamp(max=last))
