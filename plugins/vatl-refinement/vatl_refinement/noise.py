"""How much of a video's motion is jitter: measurement and process noise, by moments of second differences."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vatl_refinement.scene import Neighbours

_ENOUGH = 16
"""Second differences from which something is said of the noise."""
_TRUSTED = 0.75
"""Part of them, the smallest, that moments are taken from: outliers and sudden moves are fewer than the others."""
_TRUSTED_MEAN = 1 + (1 - _TRUSTED) * math.log(1 - _TRUSTED) / _TRUSTED
"""Mean of that part of an exponential distribution of mean 1, as squared lengths of Gaussian noise have."""
_DOUBLINGS = 4
"""Motion is looked at over 1, 2, 4 and 8 steps."""
_GROUPS = 8
"""Of equally many scores, over which the noise's dependence on the score is fitted."""
_STEEPEST = 4.0
"""Highest power of the score by which the noise's variance falls."""


def bends(place: Tensor, around: Neighbours) -> Tensor:
    """Second differences (N, K, 2) of places: velocity to the next less that from the previous; NaN where one lacks."""
    ahead = (place[around.next] - place) / around.after[:, None, None]
    behind = (place - place[around.previous]) / around.before[:, None, None]
    return torch.where(around.between[:, None, None], ahead - behind, torch.nan)


def noise(places: Tensor, around: Neighbours) -> tuple[Tensor, Tensor]:
    """Variances of measurement and of acceleration (K,) each, per axis, if velocity is a random walk.

    With white noise of variance r in the places and q in the acceleration, second differences have the variance
    γ₀ = 6r + 2q/3, and between neighbours the covariance γ₁ = q/6 − 4r; so r = (γ₀ − 4γ₁)/22. Motion that is smoother
    than such a random walk has a larger γ₁ and makes r too small, never too large. Moments are trimmed, and γ₁ is had
    from those of sums and differences (Gnanadesikan & Kettenring, Biometrics 28, 1972).

    Over h steps in place of one γ₀ = 6r/h² + 2hq/3, ever more of it motion; q is the largest that any h tells.
    """
    bend, process = bends(places, around), []
    measured = _jitter(bend, total := _variance(bend), around)
    for doubled in range(_DOUBLINGS):
        if doubled:
            around = around.twice()
            total = _variance(bends(places, around))
        wide = (around.before + around.after)[around.between].nanmedian() / 2
        process.append((total - 6 * measured / wide**2) * 1.5 / wide)
    return measured, torch.stack(process).nan_to_num(0.0).amax(0).clamp(min=0)


def _jitter(bend: Tensor, total: Tensor, around: Neighbours) -> Tensor:
    following = torch.where((around.next >= 0)[:, None, None], bend[around.next], torch.nan)
    together = (_variance(bend + following) - _variance(bend - following)) / 4
    return torch.minimum((total - 4 * together) / 22, total / 6).clamp(min=0)


def _variance(values: Tensor) -> Tensor:
    """(N, K, 2) → (K,) per axis, as the least of the squared lengths tell; 0 where too few are known."""
    squares = (values[..., 0].square() + values[..., 1].square()).T
    squares = squares[:, squares.isfinite().all(0)]
    if (known := squares.shape[1]) < _ENOUGH:
        return squares.new_zeros(len(squares))
    count = math.ceil(_TRUSTED * known)
    largest = squares.kthvalue(count, 1, keepdim=True).values  # found sooner than all of them are sorted
    inside = squares < largest
    total = torch.where(inside, squares, 0.0).sum(1) + (count - inside.sum(1)) * largest[:, 0]
    return total / (count * 2 * _TRUSTED_MEAN)


def falling(bend: Tensor, ratio: Tensor) -> Tensor:
    """The power p ≤ 0 of the score by which the noise's variance goes, as large bends at low scores show.

    Args:
        bend: (N, K, 2), NaN where unknown.
        ratio: (N, K) each score by its keypoint's median.
    """
    squares = bend.square().sum(-1)
    relative = squares / squares.nanmedian(0).values
    usable = (relative > 0) & relative.isfinite()
    x, y = ratio[usable].log(), relative[usable]
    if (size := len(x) // _GROUPS) < _ENOUGH:
        return x.new_zeros(())
    order = y.argsort()
    order = order[x[order].argsort(stable=True)]  # equal scores by size, so that the order of instances is no matter
    groups = order[: size * _GROUPS].view(_GROUPS, size)
    x, y = x[groups].median(1).values, y[groups].median(1).values.log()
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / x.square().sum()
    return slope.nan_to_num(0.0, 0.0, 0.0).clamp(-_STEEPEST, 0)
