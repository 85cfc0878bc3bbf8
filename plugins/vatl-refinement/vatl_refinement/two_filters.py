"""Smoothing with nearly constant velocity: all chains and keypoints at once, forwards and backwards in one loop."""

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


@attrs.frozen
class States:
    """Gaussian beliefs in place and velocity, the same variance along x and y.

    Attributes:
        place, velocity: (…, 2) means.
        pp, pv, vv: (…) variance of the place, covariance, variance of the velocity.
    """

    place: Tensor
    velocity: Tensor
    pp: Tensor
    pv: Tensor
    vv: Tensor

    def map(self, *rows: Tensor | slice | int) -> States:
        """Some of them."""
        return States(*(column[rows] for column in attrs.astuple(self, recurse=False)))


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


def from_the_others(seen: Measured, chains: Chains) -> tuple[States, States]:
    """What the instances before and those behind let expect of each (N, K), which itself is left out.

    The Kalman filter in both directions, whose product is the smoother of Fraser & Potter, *The Optimum Linear
    Smoother as a Combination of Two Optimum Linear Filters*, IEEE Trans. Autom. Control 14(4), 1969, equal to that of
    Rauch, Tung & Striebel, AIAA Journal 3(8), 1965.
    """
    order = (chains.forward, chains.backward)
    place, noise = (torch.stack([column[rows] for rows in order]) for column in (seen.place, seen.noise))
    gaps = torch.stack([seen.before[order[0]], seen.after[order[1]]])[..., None]
    expected = [_nothing(place[:, rows]) for rows in chains.steps[:1]]
    for now, then in pairwise(chains.steps):
        seen_now = _updated(expected[-1], place[:, now], noise[:, now])
        going_on = seen_now.map(slice(None), slice(then.stop - then.start))
        expected.append(_ahead(going_on, gaps[:, then], seen.process))
    columns = zip(*(attrs.astuple(states, recurse=False) for states in expected), strict=True)
    whole = States(*(torch.cat(column, 1) for column in columns))
    forward, backward = whole.map(0).map(chains.place), whole.map(1).map(chains.place_backward)
    return forward, attrs.evolve(backward, velocity=-backward.velocity, pv=-backward.pv)


def _nothing(place: Tensor) -> States:
    unknown = torch.full_like(place[..., 0], _UNKNOWN)
    return States(place, torch.zeros_like(place), unknown, torch.zeros_like(unknown), unknown)


def _ahead(now: States, gap: Tensor, process: Tensor) -> States:
    """A step later: white noise acceleration (Bar-Shalom, Li & Kirubarajan, *Estimation*, 2001, section 6.2.2)."""
    moved = gap * now.vv
    return States(
        now.place + gap[..., None] * now.velocity,
        now.velocity,
        now.pp + gap * (2 * now.pv + moved) + process * gap**3 / 3,
        now.pv + moved + process * gap**2 / 2,
        now.vv + process * gap,
    )


def _updated(expected: States, place: Tensor, noise: Tensor) -> States:
    """After seeing a place; one that lies far off counts as much less as it deviates more."""
    off = place - expected.place
    variance = expected.pp + noise
    excess = (off.square().sum(-1) / (_OUTLYING * 2 * variance)).clamp(min=1)
    variance = variance * excess
    gain, gain_of_velocity = expected.pp / variance, expected.pv / variance
    return States(
        expected.place + gain[..., None] * off,
        expected.velocity + gain_of_velocity[..., None] * off,
        expected.pp - gain * expected.pp,
        expected.pv - gain * expected.pv,
        expected.vv - gain_of_velocity * expected.pv,
    )


def together(one: States, other: States) -> tuple[Tensor, Tensor]:
    """Place (…, 2) and its variance (…) by two independent beliefs; widened where they contradict each other."""
    a, b = _information(one), _information(other)
    weight = a.weight + b.weight
    vector = a.vector + b.vector
    determinant = weight[0] * weight[2] - weight[1] ** 2
    place = (weight[2][..., None] * vector[0] - weight[1][..., None] * vector[1]) / determinant[..., None]
    apart = (one.place - other.place).square().sum(-1) / (2 * (one.pp + other.pp))
    return place, weight[2] / determinant * apart.clamp(min=1)


@attrs.frozen
class _Information:
    """Inverse covariances (3, …: place, both, velocity), and these times the mean (2, …, 2)."""

    weight: Tensor
    vector: Tensor


def _information(states: States) -> _Information:
    determinant = states.pp * states.vv - states.pv**2
    weight = torch.stack([states.vv, -states.pv, states.pp]) / determinant
    first = weight[0][..., None] * states.place + weight[1][..., None] * states.velocity
    second = weight[1][..., None] * states.place + weight[2][..., None] * states.velocity
    return _Information(weight, torch.stack([first, second]))
