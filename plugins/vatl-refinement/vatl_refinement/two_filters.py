"""Smoothing with nearly constant velocity: all chains and keypoints at once, forwards and backwards in one loop.

A belief in a keypoint's place and velocity, Gaussian and with the same variances along x and y, is a matrix: the row of
the place and that of the velocity, with the columns mean in x, mean in y, covariance with the place and covariance
with velocity. Within the loop its two rows and four columns come first, (2, 4, 2, n, K) for both directions and n
chains, so that each is one piece of memory, or nearly.
"""

from __future__ import annotations

from itertools import pairwise

import attrs
import torch
from torch import Tensor

from vatl_refinement.chains import Chains

_UNKNOWN = 1e2
"""Variance of a place or velocity of which nothing is known yet, in squared box sizes (per squared step)."""
_OUTLYING = 4.0
"""Squared deviations over their variance from which a measurement counts less in what is predicted from it."""
_OUTWEIGHED = 2 * _OUTLYING
"""What variances are multiplied by within the loop, to be held against the squared length of a deviation at once."""


@attrs.frozen
class Measured:
    """What is seen of N × K keypoints, in box sizes and usual steps.

    Attributes:
        place: (N, K, 2).
        noise: (N, K) variance along x and along y.
        process: (K,) variance of the acceleration per step.
        before, after: (N,) steps to the neighbour before and behind, 1 where there is none.
    """

    place: Tensor
    noise: Tensor
    process: Tensor
    before: Tensor
    after: Tensor


def from_the_others(seen: Measured, chains: Chains) -> tuple[Tensor, Tensor]:
    """What the instances before, and those behind, let expect of each, (N, K, 2, 4) each; it itself is left out.

    The Kalman filter in both directions, whose product is the smoother of Fraser & Potter, *The Optimum Linear
    Smoother as a Combination of Two Optimum Linear Filters*, IEEE Trans. Autom. Control 14(4), 1969, equal to that of
    Rauch, Tung & Striebel, AIAA Journal 3(8), 1965.
    """
    order = (chains.forward, chains.backward)
    place, noise = (torch.stack([column[rows] for rows in order]) for column in (seen.place, seen.noise))
    place = torch.nn.functional.pad(place.movedim(-1, 0), (0, 0, 0, 0, 0, 0, 0, 2))  # nothing is seen of covariances
    gap = torch.stack([seen.before[order[0]], seen.after[order[1]]])[..., None]
    growth = torch.stack([gap**3 / 3, gap**2 / 2, gap**2 / 2, gap]).unflatten(0, (2, 2)) * (seen.process * _OUTWEIGHED)
    sizes = [rows.stop - rows.start for rows in chains.steps]
    columns = (place, noise * _OUTWEIGHED, gap, growth)
    steps = list(zip(*(column.split(sizes, -2) for column in columns), strict=True))
    expected = [_nothing(first) for first, *_ in steps[:1]]
    for (found, doubt, *_), (_, _, gap, growth) in pairwise(steps):
        updated = _updated(expected[-1], found, doubt)
        expected.append(_moved(updated.narrow(-2, 0, gap.shape[-2]), gap, growth))
    beliefs = torch.cat(expected, -2).movedim((2, 0, 1), (0, -2, -1))  # (2, N, K, 2, 4)
    forward, backward = beliefs * beliefs.new_tensor([1, 1, 1 / _OUTWEIGHED, 1 / _OUTWEIGHED])
    turned = forward.new_tensor([[1.0, 1, 1, -1], [-1, -1, -1, 1]])
    return forward[chains.place], backward[chains.place_backward] * turned


def _nothing(place: Tensor) -> Tensor:
    beliefs = torch.zeros((2, *place.shape), dtype=place.dtype, device=place.device)
    beliefs[0] = place
    unknown = _UNKNOWN * _OUTWEIGHED
    beliefs[0, 2], beliefs[1, 3] = unknown, unknown
    return beliefs


def _updated(belief: Tensor, place: Tensor, noise: Tensor) -> Tensor:
    """After seeing a place, another tensor; one that lies far off counts as much less as it deviates more."""
    off, covariance = place - belief[0], belief.select(1, 2)
    outlying = off[:2].square().sum(0)
    gain = covariance / (covariance[0] + noise).maximum(outlying)
    return torch.addcmul(belief, gain.unsqueeze(1), off)


def _moved(belief: Tensor, gap: Tensor, growth: Tensor) -> Tensor:
    """The same tensor a step later, its covariance grown by white noise acceleration.

    Bar-Shalom, Li & Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, section 6.2.2.
    """
    place, speed = belief.unbind(0)
    place.addcmul_(gap, speed)
    _, _, with_place, with_speed = belief.unbind(1)
    with_place.addcmul_(gap, with_speed)
    belief.narrow(1, 2, 2).add_(growth)
    return belief


def together(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Place (…, 2) and its variance (…) by two independent beliefs (…, 2, 4); wider where they disagree."""
    weights, vectors = zip(*(_information(belief) for belief in (one, other)), strict=True)
    covariance = _inverse(weights[0] + weights[1])
    place = (covariance[..., :1, :] @ (vectors[0] + vectors[1]))[..., 0, :]
    apart = (one[..., 0, :2] - other[..., 0, :2]).square().sum(-1) / (2 * (one[..., 0, 2] + other[..., 0, 2]))
    return place, covariance[..., 0, 0] * apart.clamp(min=1)


def _information(belief: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse covariance, and that times the mean, (…, 2, 2) each."""
    weight = _inverse(belief[..., 2:])
    return weight, weight @ belief[..., :2]


def _inverse(matrices: Tensor) -> Tensor:
    """Of symmetric (…, 2, 2)."""
    a, b, d = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 1]
    adjugate: Tensor = torch.stack([d, -b, -b, a], -1).unflatten(-1, (2, 2))
    return adjugate / (a * d - b * b)[..., None, None]
