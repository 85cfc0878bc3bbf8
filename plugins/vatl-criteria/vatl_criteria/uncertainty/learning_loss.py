"""Learning loss: a small network predicts from the features how large an instance's loss is.

Yoo & Kweon, *Learning Loss for Active Learning* (CVPR 2019).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.metrics import measured_oks
from vatl_core.video import Skeleton
from vatl_criteria.representativeness.chance import chance, seed_from
from vatl_criteria.uncertainty.auxiliary import FeatureNetwork, taught


def ranking_loss(predicted: Tensor, losses: Tensor, margin: float = 1.0) -> Tensor:
    """max(0, −sgn(lᵢ − lⱼ)·(l̂ᵢ − l̂ⱼ) + ξ), the mean over all pairs whose losses differ; (), 0 without any.

    Args:
        predicted: (B,) l̂.
        losses: (B,) l.
        margin: ξ.
    """
    larger = losses[:, None] > losses  # each pair once, the larger loss first
    hinge = (margin - (predicted[:, None] - predicted)).clamp(min=0)
    return (hinge * larger).sum() / larger.sum().clamp(min=1)


@attrs.define
class LearningLoss(Criterion):
    """The loss that a network predicts, which learns to rank the losses of what is labelled.

    Over pairs of labelled instances i and j it makes Σ max(0, −sgn(lᵢ − lⱼ)·(l̂ᵢ − l̂ⱼ) + ξ) small, so only which of two
    is worse counts, not by how much. As in the paper a loss is that of the present estimate, which has learnt from its
    label; it is 1 − OKS. The network is two layers on the averaged features of the pass, learnt anew in each cycle; the
    paper's sees maps of several depths, which an estimator does not give, and learns along with it. All pairs of a step
    count, there one partner each. Until two labels differ scores are random, as the paper's first labels are.

    Attributes:
        margin: ξ.
        steps: of the network's optimiser.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "poses", "features", "pool"})

    margin: float = attrs.field(default=1.0, validator=gt(0))
    steps: int = attrs.field(default=300, validator=ge(0))
    _seed: int = attrs.field(init=False, default=0, repr=False)
    _sigmas: tuple[float, ...] = attrs.field(init=False, default=(), repr=False)
    _network: FeatureNetwork | None = attrs.field(init=False, default=None, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """Nothing is known of any loss yet."""
        self._sigmas = tuple(skeleton.sigmas)
        return "learning-loss: its scores are random until there are labels"

    def condense(self, window: Window) -> Tensor:
        """(B, K, 2) the estimated keypoints, pixels: how far off they are a label tells."""
        return window.keypoints

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Learn to rank what is labelled."""
        self._seed, self._network = seed_from(generator), None
        if labelled.features is None or labelled.condensed is None:
            return
        features, true = labelled.features, labelled.keypoints.nan_to_num()
        losses = 1 - measured_oks(labelled.condensed, true, labelled.visible, labelled.boxes, self._sigmas)
        there = losses.isfinite().nonzero().flatten()
        if len(losses[there].unique()) < 2:
            return
        self._network = taught(
            lambda: FeatureNetwork(features, 1),
            lambda network, part: ranking_loss(network(features[part])[:, 0], losses[part], self.margin),
            there, self.steps, generator,
        )  # fmt: skip

    def score(self, window: Window) -> Tensor:
        """Reads the features."""
        if self._network is None:
            return chance(self._seed, window)
        predicted: Tensor = self._network(window.features)[:, 0]
        return predicted
