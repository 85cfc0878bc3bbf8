"""Aleatoric uncertainty: how far off a keypoint is to be expected, as a network learns it from the features.

Kendall & Gal, *What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?* (NeurIPS 2017).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor, nn

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.video import Skeleton
from vatl_criteria.representativeness.chance import chance, seed_from
from vatl_criteria.uncertainty.auxiliary import FeatureNetwork, taught

LEAST, MOST = -10.0, 5.0
"""Log-variances beyond are taken for these: a keypoint is not known better than to 0.7 % of its box."""
_ENOUGH = 5
"""Residuals of a keypoint from which its own variance is believed."""


def heteroscedastic_loss(squared: Tensor, log_variances: Tensor, known: Tensor) -> Tensor:
    """½·e^(−s)·|y − ŷ|² + ½·s, s = log σ²: the mean over what is known; all (B, K), → ()."""
    terms = (torch.exp(-log_variances) * squared + log_variances) / 2
    return (terms * known).sum() / known.sum().clamp(min=1)


@attrs.frozen
class Residuals:
    """How far off the estimates of labelled instances are.

    Attributes:
        squared: (M, K) squared distances in units of the box's area; 0 where not known.
        known: (M, K) bool.
    """

    squared: Tensor
    known: Tensor

    @classmethod
    def of(cls, labelled: Poses, estimated: Tensor) -> Residuals:
        """Of labels, and of what was estimated of the same instances, (M, K, 2)."""
        area = labelled.boxes[:, 2:].prod(1).clamp(min=1e-6)
        squared = (labelled.keypoints - estimated).square().sum(-1) / area[:, None]
        known = labelled.visible & squared.isfinite()
        return cls(torch.where(known, squared, 0.0), known)

    def log_variances(self) -> Tensor:
        """(K,) of each keypoint, or of all together where it is known too seldom."""
        count = self.known.sum(0)
        own, common = self.squared.sum(0) / count.clamp(min=1), self.squared.sum() / count.sum().clamp(min=1)
        return torch.where(count >= _ENOUGH, own, common).clamp(min=1e-12).log().clamp(LEAST, MOST)


class LogVariances(nn.Module):
    """The heteroscedastic head: features (B, D) → s (B, K); it begins with a constant a keypoint."""

    def __init__(self, features: Tensor, constants: Tensor) -> None:
        super().__init__()
        self.constants, self.change = constants, FeatureNetwork(features, len(constants))

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) → (B, K)."""
        found: Tensor = (self.constants + self.change(features)).clamp(LEAST, MOST)
        return found


@attrs.define
class Aleatoric(Criterion):
    """The log-variance of the residual y − ŷ, averaged over the keypoints, that a head on the features predicts.

    The head learns by ½·e^(−s)·|y − ŷ|² + ½·s, s = log σ², ŷ the present estimate of a labelled keypoint y, both in
    units of √(w·h) of the box. As in the comparison of Shukla et al. (VL4Pose, BMVC 2022) it is learnt beside the
    estimator, on the averaged features of the pass, and the residual is that of coordinates, not of maps. The head is
    learnt anew in each cycle. Until something is labelled scores are random.

    Attributes:
        steps: of the head's optimiser.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "poses", "features", "pool"})

    steps: int = attrs.field(default=300, validator=ge(0))
    _seed: int = attrs.field(init=False, default=0, repr=False)
    _head: LogVariances | None = attrs.field(init=False, default=None, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """No residual is known yet."""
        return "aleatoric: its scores are random until there are labels"

    def condense(self, window: Window) -> Tensor:
        """(B, K, 2) the estimated keypoints, pixels: how far off they are a label tells."""
        return window.keypoints

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Learn how far off the estimates of labelled instances are."""
        self._seed, self._head = seed_from(generator), None
        if labelled.features is None or labelled.condensed is None:
            return
        features, off = labelled.features, Residuals.of(labelled, labelled.condensed)
        if not off.known.any():
            return
        self._head = taught(
            lambda: LogVariances(features, off.log_variances()),
            lambda head, part: heteroscedastic_loss(off.squared[part], head(features[part]), off.known[part]),
            off.known.any(1).nonzero().flatten(), self.steps, generator,
        )  # fmt: skip

    def score(self, window: Window) -> Tensor:
        """Reads the features."""
        if self._head is None:
            return chance(self._seed, window)
        spread: Tensor = self._head(window.features).mean(1)
        return spread
