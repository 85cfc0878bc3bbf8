"""OSPA of poses: how far a frame's poses are from the true ones, whoever is whose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from vatl_core.metrics import PosesInFrames, oks

_AT_ONCE: Final = 2**18
"""Pairs of a true and an estimated pose whose OKS is computed at a time."""


def ospa(
    truth: PosesInFrames, predicted: PosesInFrames, sigmas: Sequence[float], cutoff: float = 1.0, order: float = 1.0
) -> float:
    """Optimal sub-pattern assignment of poses on 1 − OKS, the mean over the frames (parity fixture ``coco_expected``).

    A frame with n true and m estimated poses has the distance ((Σ min(d, c)^p + c^p·|n − m|) / max(n, m))^(1/p), the
    sum over the best assignment. Schuhmacher et al., *A Consistent Metric for Performance Evaluation of Multi-Object
    Filters* (IEEE TSP 2008); with c = p = 1 as Vendrow et al. (CVPR 2023) use it for poses.

    All OKS are computed on the poses' device at once; the assignments, a small matrix a frame, are SciPy's.

    Args:
        truth: ``weight`` says which keypoints are annotated.
        predicted: on the same device.
        sigmas: K.
        cutoff: c, the largest distance of two poses, and the price of a missing or a needless one.
        order: p; the larger, the more a single bad pose counts.

    Returns:
        0, where every pose is right, to c; 0 where there is no pose at all.
    """
    frames, frame = torch.unique(torch.cat([truth.frame, predicted.frame]), return_inverse=True)
    true, estimated = frame.split([len(truth.frame), len(predicted.frame)])
    n, m = (torch.bincount(which, minlength=len(frames)) for which in (true, estimated))
    i, j = _pairs(true, estimated, m)
    similarity = [
        oks(predicted.keypoints[b], truth.keypoints[a], truth.weight[a] > 0, truth.boxes[a], sigmas)
        for a, b in zip(i.split(_AT_ONCE), j.split(_AT_ONCE), strict=True)
    ]
    costs = torch.nan_to_num(1 - torch.cat(similarity), nan=cutoff).clamp(0, cutoff) ** order
    blocks = np.split(costs.cpu().double().numpy(), (n * m).cumsum(0)[:-1].tolist()) if len(frames) else []
    sizes = zip(blocks, n.tolist(), m.tolist(), strict=True)
    distances = [_assigned(block.reshape(a, b), cutoff**order) ** (1 / order) for block, a, b in sizes]
    return float(np.mean(distances)) if distances else 0.0


def _pairs(true: Tensor, estimated: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
    """Every true pose with every estimated one of its frame, frame by frame: indices (P,) and (P,).

    Args:
        true, estimated: (N,) and (M,) the frames' numbers.
        m: (F,) how many estimated poses each frame has.
    """
    rows, columns = torch.argsort(true, stable=True), torch.argsort(estimated, stable=True)
    partners, begin = m[true[rows]], (m.cumsum(0) - m)[true[rows]]
    total = partners.cumsum(0)
    within = torch.arange(int(partners.sum()), device=m.device) - (total - partners).repeat_interleave(partners)
    return rows.repeat_interleave(partners), columns[begin.repeat_interleave(partners) + within]


def _assigned(costs: np.ndarray[tuple[int, ...], np.dtype[np.float64]], missing: float) -> float:
    """The price of the best assignment, costs (n, m), a pose; ``missing`` for each that finds no partner."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum() + missing * abs(costs.shape[0] - costs.shape[1])) / max(costs.shape)
