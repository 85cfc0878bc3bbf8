"""The OKS that heatmaps lead to expect of the poses decoded from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

_NOTHING: Final = -50.0
"""Exponent below which a kernel is no less: numbers too small for float32's full precision are slow to multiply."""
_CACHED: Final = 8
"""Instances whose heatmaps a processor's cache holds twice."""


def expected_oks(
    heatmaps: Tensor,
    keypoints: Tensor,
    crops: Tensor,
    boxes: Tensor,
    sigmas: Sequence[float],
    sigma: float,
    floor: float,
) -> Tensor:
    """(B,) mean over the keypoints of the OKS that each may be expected to have, 0 to 1.

    A heatmap learnt as a Gaussian around an uncertain place is, at best, that place's distribution blurred by the
    Gaussian: its spread is that of the target and of the doubt together, and its height falls with the share of the
    distribution that lies elsewhere. So the spread about the estimate is measured through OKS's own kernel, the
    target's is taken off, and what is left goes through the kernel again, times the height of the peak.

    Args:
        heatmaps: (B, K, h, w); negative values count as 0.
        keypoints: (B, K, 2) decoded, pixels of the frame.
        crops: (B, 4) x1, y1, x2, y2, pixels, that the heatmaps cover.
        boxes: (B, 4) x, y, w, h, pixels.
        sigmas: K, the skeleton's.
        sigma: standard deviation of a target's Gaussian, heatmap pixels.
        floor: variance that is left where nothing is in doubt, squared heatmap pixels: that of decoding and labelling.
    """
    pixel, kernel = (crops[:, 2:] - crops[:, :2]) / crops.new_tensor(heatmaps.shape[:1:-1]), _kernel(boxes, sigmas)
    variance = (kernel / pixel.prod(1, keepdim=True)).clamp(min=torch.finfo(kernel.dtype).tiny)
    places = (keypoints - crops[:, None, :2]) / pixel[:, None]
    found = kernel_expectation(heatmaps, places, variance).clamp(min=torch.finfo(kernel.dtype).eps)
    doubt = (variance * (1 / found - 1) - sigma**2).clamp(min=0) + floor  # E = v / (v + spread) of a Gaussian
    return (variance / (variance + doubt) * heatmaps.amax((2, 3)).clamp(0, 1)).mean(1)


def kernel_expectation(heatmaps: Tensor, places: Tensor, variance: Tensor) -> Tensor:
    """(B, K) the expectation of exp(−d²/2v) over each heatmap's positive part, normalised; 0 where that is nothing.

    Args:
        heatmaps: (B, K, h, w).
        places: (B, K, 2) x, y in heatmap pixels, from which d is measured.
        variance: (B, K) v, squared heatmap pixels.
    """
    across, down = (_falling(places[..., axis], variance, heatmaps.shape[-1 - axis]) for axis in (0, 1))
    rows = torch.stack([down, torch.ones_like(down)], -2)  # the kernel is that of x times that of y
    part = _CACHED if heatmaps.device.type == "cpu" else max(len(heatmaps), 1)
    split = zip(rows.split(part), heatmaps.split(part), strict=True)
    weighed, columns = torch.cat([kernel @ maps.clamp(min=0) for kernel, maps in split]).unbind(-2)
    return (weighed * across).sum(-1) / columns.sum(-1).clamp(min=torch.finfo(columns.dtype).tiny)


def _falling(place: Tensor, variance: Tensor, size: int) -> Tensor:
    """exp(−d²/2v) at each of ``size`` pixels of one axis, (B, K, size)."""
    distance = torch.arange(size, device=place.device) - place[..., None]
    return torch.exp((-(distance**2) / (2 * variance[..., None])).clamp(min=_NOTHING))


def _kernel(boxes: Tensor, sigmas: Sequence[float]) -> Tensor:
    """(B, K) the variance of OKS's kernel, squared pixels of the frame: (2σ)² times the box's area."""
    return boxes[:, 2:].prod(1, keepdim=True) * (2 * boxes.new_tensor(list(sigmas))) ** 2
