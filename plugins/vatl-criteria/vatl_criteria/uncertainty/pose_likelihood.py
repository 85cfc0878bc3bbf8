"""The likelihood of a pose under a Gaussian model of link lengths, over all local maxima at once.

Shukla et al., *VL4Pose: Active Learning Through Out-Of-Distribution Detection For Pose Estimation* (BMVC 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vatl_core.video import Pair
from vatl_criteria.uncertainty.peaks import Peaks


def log_likelihood(
    peaks: Peaks, means: Tensor, log_variances: Tensor, links: Sequence[Pair], reduce: str = "max"
) -> Tensor:
    """L(root): messages run from the leaves to the root, each (B, P), for the whole batch (parity fixture ``vl4pose``).

    For a joint reached over link l from position p: L_j(p) = Σ_a [ −½(log 2π + v_l + (μ_l − ‖p − a‖)²·e^(−v_l)) + log
    w_a + Σ_children L_c(a) ] over its local maxima a; at a root Σ_a [ log w_a + Σ_c L_c(a) ]. A joint without a
    local maximum adds 0, and so does everything beyond it.

    Args:
        peaks: of B instances and K joints.
        means: (B, L) μ, heatmap pixels.
        log_variances: (B, L) v.
        links: L of (parent, child), parents before children: a tree, or several, whose likelihoods are added.
        reduce: ``sum`` over the local maxima as published, or ``max``, the likelihood of the likeliest pose.

    Returns:
        (B,)
    """
    inside = list(peaks.log_weights().unbind(1))
    roots = set(range(len(inside))) - {child for _, child in links}
    for number in reversed(range(len(links))):
        parent, child = links[number]
        length = torch.linalg.vector_norm(peaks.places[:, parent, :, None] - peaks.places[:, child, None], dim=-1)
        fit = _log_gaussian(length, means[:, number, None, None], log_variances[:, number, None, None])
        terms = fit + inside[child][:, None]
        inside[parent] = inside[parent] + _reduced(terms, peaks.found[:, child, None], reduce)
    return torch.stack([_reduced(inside[root], peaks.found[:, root], reduce) for root in sorted(roots)]).sum(0)


def _log_gaussian(length: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    return -0.5 * (math.log(2 * math.pi) + log_variance + (mean - length).square() * torch.exp(-log_variance))


def _reduced(terms: Tensor, found: Tensor, reduce: str) -> Tensor:
    """The sum or the maximum over the last dimension of those ``found``; 0 where there is none."""
    if reduce == "sum":
        return torch.where(found, terms, 0.0).sum(-1)
    best = torch.where(found, terms, -torch.inf).amax(-1)
    return torch.where(found.any(-1), best, 0.0)
