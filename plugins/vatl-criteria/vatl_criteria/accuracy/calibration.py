"""From what heatmaps lead to expect to what labels showed, with few labels as with many."""

from __future__ import annotations

from typing import Final

import attrs
import torch
from torch import Tensor

PRIOR: Final = (3.0, 0.03, 0.1)
"""How strongly slope, offset and trend are drawn to 1, 0 and 0: Gaussians' inverse variances, in squared logits."""
CURVE: Final = 10.0
"""How many pairs the curve counts as where the isotonic regression of the pairs is made."""
STEPS: Final = 21
"""At how many places of the video's range it is held to the curve."""


@attrs.frozen
class Pairs:
    """M instances whose OKS was expected before it was measured, on the CPU in float64.

    Attributes:
        raw: (M,) what their heatmaps led to expect when they were asked for, 0 to 1.
        oks: (M,) what their estimates had then, before anything was learnt from their labels.
        learnt: (M,) how many labels the estimator had learnt from then.
    """

    raw: Tensor
    oks: Tensor
    learnt: Tensor

    @classmethod
    def none(cls) -> Pairs:
        """Before anything is labelled."""
        return cls(*torch.zeros(3, 0, dtype=torch.float64))

    @classmethod
    def of(cls, raw: Tensor, oks: Tensor, learnt: Tensor) -> Pairs:
        """Those of these columns (M,), on any device, that are numbers."""
        known = raw.isfinite() & oks.isfinite()
        return cls(*(column[known].cpu().double() for column in (raw, oks, learnt)))

    def __len__(self) -> int:
        return len(self.raw)

    def since(self, now: int) -> Tensor:
        """(M,) how much less the estimator had learnt from than ``now`` labels, in logarithms: 0 or negative."""
        return torch.log((self.learnt + 1) / (now + 1))


@attrs.frozen
class Curve:
    """The OKS of an instance by what its heatmaps lead to expect: σ(slope · logit(raw) + offset + trend · since).

    Heatmaps say less of the OKS the less the estimator knows of a video, so old pairs show where the curve was: how it
    moves with the logarithm of the labels is learnt with it.

    Attributes:
        found: slope, offset and trend, in logits; ``since`` is 0 at present.
        covariance: (3, 3) of these, as far as the pairs and the prior say.
    """

    found: Tensor = attrs.field(factory=lambda: torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    covariance: Tensor = attrs.field(factory=lambda: torch.diag(1 / torch.tensor(PRIOR, dtype=torch.float64)))

    @classmethod
    def of(cls, pairs: Pairs, now: int, steps: int = 30) -> Curve:
        """The likeliest, as logistic regression with a prior has it (Newton); without pairs 1, 0 and 0.

        Its covariance is Laplace's, times how far the pairs scatter compared to coins (McCullagh & Nelder, *Generalized
        Linear Models*, 1989, §4.5).
        """
        plain, strength = cls().found, pairs.raw.new_tensor(PRIOR)
        inputs = _inputs(pairs.raw, pairs.since(now))
        trends = len(pairs.learnt.unique()) > 1  # one cycle's pairs cannot tell a trend from an offset
        free, found = inputs * inputs.new_tensor([1, 1, trends]), plain.clone()
        for _ in range(steps):
            given = torch.sigmoid(free @ found)
            gradient = free.T @ (given - pairs.oks) + strength * (found - plain)
            before, found = found, found - torch.linalg.solve(_curvature(free, given, strength), gradient).clamp(-2, 2)
            found[0].clamp_(min=0)
            if torch.allclose(found, before, rtol=0, atol=1e-12):
                break
        given = torch.sigmoid(free @ found)
        spread = ((pairs.oks - given) ** 2 / (given * (1 - given)).clamp(min=1e-3)).sum()
        return cls(found, torch.linalg.inv(_curvature(inputs, given, strength)) * (spread + 1) / (len(pairs) + 1))

    def __call__(self, raw: Tensor, since: Tensor | None = None) -> Tensor:
        """(M,) what to expect where the heatmaps say ``raw`` (M,) float64: at present, or ``since`` then."""
        inputs = _inputs(raw, torch.zeros_like(raw) if since is None else since)
        return torch.sigmoid(inputs @ self.found.to(raw.device))

    def variance_of_sum(self, raw: Tensor) -> Tensor:
        """() of the sum of what is expected at present of instances (M,), float64: as far as the curve is not known."""
        given = self(raw)
        slopes = (given * (1 - given)) @ _inputs(raw, torch.zeros_like(raw))  # the delta method
        return slopes @ self.covariance @ slopes


def _inputs(raw: Tensor, since: Tensor) -> Tensor:
    return torch.stack([torch.logit(raw, eps=1e-3), torch.ones_like(raw), since], 1)


def _curvature(inputs: Tensor, given: Tensor, strength: Tensor) -> Tensor:
    return (inputs.T * (given * (1 - given))) @ inputs + torch.diag(strength)


@attrs.frozen
class Calibration:
    """What to expect, rising with what the heatmaps say: isotonic regression of pairs that are moved to the present.

    Where there are few pairs it follows the curve, which counts as much as :data:`CURVE` of them over the video.

    Attributes:
        knots, values: (P,) float64; straight between, constant beyond.
        curve: that it is held to.
    """

    knots: Tensor
    values: Tensor
    curve: Curve

    @classmethod
    def of(cls, pairs: Pairs, now: int, video: Tensor) -> Calibration:
        """For an estimator that has learnt from ``now`` labels, on a ``video`` whose heatmaps say (N,)."""
        curve = Curve.of(pairs, now)
        held = torch.quantile(video.cpu().double(), torch.linspace(0, 1, STEPS, dtype=torch.float64))
        moved = (pairs.oks + curve(pairs.raw) - curve(pairs.raw, pairs.since(now))).clamp(0, 1)
        weight = torch.cat([torch.ones_like(moved), torch.full_like(held, CURVE / STEPS)])
        return cls(*_isotonic(torch.cat([pairs.raw, held]), torch.cat([moved, curve(held)]), weight), curve)

    def __call__(self, raw: Tensor) -> Tensor:
        """(…) the OKS to expect where the heatmaps say ``raw``, of its type and on its device."""
        knots, values = self.knots.to(raw), self.values.to(raw)
        right = torch.searchsorted(knots, raw).clamp(max=len(knots) - 1)
        left = (right - 1).clamp(min=0)
        run = (knots[right] - knots[left]).clamp(min=torch.finfo(knots.dtype).tiny)
        return torch.lerp(values[left], values[right], ((raw - knots[left]) / run).clamp(0, 1))


def _isotonic(raw: Tensor, oks: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Different places, and the values there that rise with them and are nearest to the given ones."""
    from scipy.optimize import isotonic_regression

    places, which = raw.unique(return_inverse=True)
    weights, sums = (torch.zeros_like(places).index_add(0, which, column) for column in (weight, weight * oks))
    return places, torch.from_numpy(isotonic_regression((sums / weights).numpy(), weights=weights.numpy()).x)
