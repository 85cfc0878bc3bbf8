"""Expected gradient length: how much the estimator would change if an instance got the label of one that is like it.

Shukla, *Bayesian Uncertainty and Expected Gradient Length – Regression: Two Sides Of The Same Coin?* (WACV 2022).
"""

from __future__ import annotations

import math
from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.video import Skeleton, crop_boxes, crop_matrices, invert, transform
from vatl_criteria.representativeness.chance import chance, seed_from

BLOCK = 1 << 22
"""How many numbers are worked on at once."""
_HALVINGS = 40


def neighbour_probabilities(squared: Tensor, perplexity: float) -> Tensor:
    """p(j | i) ∝ exp(−d²ᵢⱼ / 2σᵢ²), σᵢ such that exp(entropy) is the perplexity, by bisection: t-SNE's neighbours.

    Args:
        squared: (B, M) squared distances d².
        perplexity: at most a third of M counts, but at least 1.

    Returns:
        (B, M), rows that sum to 1.
    """
    wanted = math.log(max(1.0, min(perplexity, squared.shape[1] / 3)))
    beyond = squared - squared.amin(1, keepdim=True)
    unit = beyond.mean(1, keepdim=True).clamp(min=torch.finfo(squared.dtype).tiny)
    low, high = torch.full_like(unit, -10.0), torch.full_like(unit, 20.0)  # of log β, β in 1 / unit
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        near = torch.softmax(-beyond / unit * middle.exp(), 1)
        wide = torch.special.entr(near).sum(1, keepdim=True) > wanted
        low, high = torch.where(wide, middle, low), torch.where(wide, high, middle)
    return torch.softmax(-beyond / unit * ((low + high) / 2).exp(), 1)


def squared_residual(places: Tensor, heights: Tensor, targets: Tensor, visible: Tensor, sigma: float = 2.0) -> Tensor:
    """∫(h·G(x) − G(y))² = πσ²·(h² + 1 − 2h·exp(−|x − y|² / 4σ²)), the mean over the keypoints that y shows.

    Args:
        places: (B, K, 2) x, heatmap pixels, of maps taken for Gaussians G of their maximum's height.
        heights: (B, K) h.
        targets: (B, J, K, 2) y, to be compared with each.
        visible: (B, J, K) bool.
        sigma: of the Gaussians.

    Returns:
        (B, J), 0 where a target shows nothing.
    """
    apart = (places[:, None] - targets).square().sum(-1)
    height = heights[:, None]
    terms = math.pi * sigma**2 * (height.square() + 1 - 2 * height * torch.exp(-apart / (4 * sigma**2)))
    return torch.where(visible, terms, 0.0).sum(-1) / visible.sum(-1).clamp(min=1)


@attrs.frozen
class Labels:
    """What is labelled, in its own crops.

    Attributes:
        features: (M, D).
        places: (M, K, 2) heatmap pixels; anything where not visible.
        visible: (M, K) bool.
    """

    features: Tensor
    places: Tensor
    visible: Tensor


@attrs.define
class ExpectedGradientLength(Criterion):
    """EGL++: Σⱼ p(j | x)·|∇ℓ(x, yⱼ)|², over the labels yⱼ of the instances whose features are nearest to x's.

    p is t-SNE's conditional probability of neighbours. The gradient is that of the last layer, a 1 × 1 convolution,
    under half the mean squared error: Σ_p (H_k(p) − T_k(p))·φ(p), whose length is bounded, up to a constant, by
    √Σ_p (H_k − T_k)² · |f|, f the averaged features, as `badge` has it. The public program goes back through the whole
    network once for each of 30 neighbours: 30 further passes, forward and back, where this takes none. H is taken for a
    Gaussian of its maximum's height, since the maps of a whole video would not fit, and T is the target of yⱼ, put into
    x's crop as it lies in its own. Labels without an annotated keypoint are left out. Until something is labelled
    scores are random.

    Attributes:
        neighbours: how many labels count, as in the public program.
        perplexity: of their probabilities, likewise; among three times as many of the nearest.
        sigma: of the targets, heatmap pixels.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "poses", "features", "pool"})

    neighbours: int = attrs.field(default=30, validator=ge(1))
    perplexity: float = attrs.field(default=20.0, validator=ge(1))
    sigma: float = attrs.field(default=2.0, validator=gt(0))
    _size: tuple[int, int] = attrs.field(init=False, default=(1, 1), repr=False)
    _seed: int = attrs.field(init=False, default=0, repr=False)
    _labels: Labels | None = attrs.field(init=False, default=None, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """No label could be anybody else's yet."""
        return "egl++: its scores are random until there are labels"

    def condense(self, window: Window) -> Tensor:
        """(B, K, 3) of each map its maximum's place in heatmap pixels, and its height."""
        self._size = (window.heatmaps.shape[2], window.heatmaps.shape[3])
        places = transform(window.keypoints, invert(crop_matrices(window.crops, self._size)))
        return torch.cat([places, window.scores[..., None]], -1)

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Put the labels into their crops."""
        self._seed, self._labels, shown = seed_from(generator), None, labelled.visible.any(1)
        if labelled.features is None or not shown.any():
            return
        crops = crop_boxes(labelled.boxes[shown], self._size)
        places = transform(labelled.keypoints[shown], invert(crop_matrices(crops, self._size)))
        self._labels = Labels(labelled.features[shown], places, labelled.visible[shown])

    def score(self, window: Window) -> Tensor:
        """Reads what was condensed, and the features."""
        labels = self._labels
        if labels is None:
            return chance(self._seed, window)
        widest = max(len(labels.features), window.features.shape[1], 3 * self.neighbours * window.scores.shape[1])
        parts = torch.arange(len(window), device=window.index.device).split(max(1, BLOCK // widest))
        return torch.cat([self._of(window.features[part], window.condensed[part], labels) for part in parts])

    def _of(self, features: Tensor, condensed: Tensor, labels: Labels) -> Tensor:
        """(B,) for a block of instances."""
        among = min(len(labels.features), math.ceil(3 * self.perplexity))
        squared, near = torch.cdist(features, labels.features).square().topk(among, 1, largest=False)
        count = min(self.neighbours, among)
        probable, near = neighbour_probabilities(squared, self.perplexity)[:, :count], near[:, :count]
        off = squared_residual(
            condensed[..., :2], condensed[..., 2], labels.places[near], labels.visible[near], self.sigma
        )
        return (probable * off).sum(1) * features.square().sum(1)
