"""Diverse and uncertain at once: instances whose gradients are long, and point different ways."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Pool, Selector


@attrs.frozen
class Gradients:
    """N gradient embeddings gₙ = rₙ ⊗ fₙ, of which only the factors are ever held.

    ⟨a ⊗ b, c ⊗ d⟩ = ⟨a, c⟩·⟨b, d⟩, so distances of K·D numbers cost a pass over K + D.

    Attributes:
        residuals: (N, K) r.
        features: (N, D) f.
        squares: (N,) |g|².
    """

    residuals: Tensor
    features: Tensor
    squares: Tensor

    @classmethod
    def of(cls, residuals: Tensor, features: Tensor) -> Gradients:
        """From the factors (N, K) and (N, D); nothing is copied."""
        lengths = torch.linalg.vector_norm(residuals, dim=1) * torch.linalg.vector_norm(features, dim=1)
        return cls(residuals, features, lengths.square())

    def squared_to(self, one: Tensor) -> Tensor:
        """(N,) squared distances to instance ``one`` (1,); exactly 0 where they are no more than rounding."""
        product = (self.residuals @ self.residuals[one].T) * (self.features @ self.features[one].T)
        both = self.squares + self.squares[one]
        squared = both - 2 * product.flatten()
        return torch.where(squared > 10 * torch.finfo(squared.dtype).eps * both, squared, 0.0)


def seeds(gradients: Gradients, left: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++ (Arthur & Vassilvitskii, 2007): each drawn by its squared distance to the nearest drawn before.

    Args:
        gradients: of N instances.
        left: (N,) bool, what may be drawn.
        count: how many, at most as many as may be.
        generator: on the CPU; one number of it a draw.

    Returns:
        (count,) indices in order of drawing. The first is uniform, and so are all once no distance is left.
    """
    draws = torch.rand(count, generator=generator, dtype=torch.float64).to(left.device)
    nearest = torch.full_like(gradients.squares, torch.inf)
    picks = torch.empty(count, dtype=torch.int64, device=left.device)
    for turn in range(count):
        picks[turn] = _drawn(torch.where(left & nearest.isfinite(), nearest, 0.0), left, draws[turn])
        one = picks[turn : turn + 1]
        left, nearest = left.index_fill(0, one, False), torch.minimum(nearest, gradients.squared_to(one))
    return picks


def _drawn(mass: Tensor, left: Tensor, draw: Tensor) -> Tensor:
    """() one of those that are ``left`` (N,), by its mass (N,); uniformly where none has any."""
    sums = torch.where(mass.any(), mass, left).cumsum(0, dtype=torch.float64)
    place = torch.searchsorted(sums, draw * sums[-1], right=True)
    return place.minimum(torch.searchsorted(sums, sums[-1]))  # rounding must not lead past the last of them


@attrs.frozen
class Badge(Selector):
    """BADGE: k-means++ over the gradients of the last layer, if the estimator's own answers were right.

    Ash et al., *Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds* (ICLR 2020). The last layer of
    a heatmap network is a 1 × 1 convolution; under half the mean squared error, against a Gaussian at each map's own
    maximum, the gradient of keypoint k's weights is ∝ Σ_p (H_k(p) − T_k(p))·φ(p), φ the features that it convolves.
    An estimator gives φ averaged over space only (f, of its deepest map), so a gradient is taken as

        g = r ⊗ f,   r_k = √Σ_p (H_k(p) − T_k(p))²

    whose length bounds that of the sum (Cauchy–Schwarz), up to a constant, where φ is everywhere as long as f. The
    plain sum over p would not do for r: what is above the target and what is below it cancel, so that a map with two
    peaks of half the height would count as certain.

    As in the paper, what is labelled is no centre to begin with: gradients of what is like it are short once it has
    been learnt. The first pick is uniform, as in the paper's algorithm; its authors' program takes the longest.
    """

    uses_scores: ClassVar[bool] = False
    watches: ClassVar[tuple[str, ...]] = ("residual",)

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices in order of picking; all residuals count as 1 where nothing was condensed."""
        kept = pool.embeddings.get("residual")
        residuals = pool.features.new_ones(len(pool.features), 1) if kept is None else kept.to(pool.features.dtype)
        gradients = Gradients.of(residuals, pool.features)
        return seeds(gradients, pool.askable, min(count, len(pool.unlabelled)), generator)
