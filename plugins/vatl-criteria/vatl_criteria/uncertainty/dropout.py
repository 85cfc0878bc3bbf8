"""Disagreement of thinned networks: Monte Carlo dropout, judged by BALD or by how far the poses lie apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt, in_, lt
from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_core.video import decode


@attrs.frozen
class Thinned(Criterion):
    """What criteria of thinned networks share: they ask for further passes, one a sample.

    Attributes:
        samples: S, further forward passes of each instance in each cycle.
        dropout: share of the channels that a sample leaves out.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"network"})

    samples: int = attrs.field(default=8, validator=ge(2))
    dropout: float = attrs.field(default=0.2, validator=[gt(0), lt(1)])

    def _maps(self, window: Window) -> Iterator[Tensor]:
        """(B, K, h, w) of each thinned network in turn."""
        if window.network is None:
            raise AssertionError("the network is declared as a need")
        for sample in range(self.samples):
            yield window.network(window.pictures, dropout=self.dropout, sample=sample).heatmaps

    def _information(self, window: Window) -> Tensor:
        """(B,) mutual information of a heatmap's place and the network, nats, summed over the keypoints."""
        total, entropies = torch.zeros((), device=window.index.device), []
        for maps in self._maps(window):
            places = _places(maps)
            entropies.append(_entropy(places))
            total = total + places
        return (_entropy(total / self.samples) - torch.stack(entropies).mean(0)).clamp(min=0).sum(1)

    def _variance(self, window: Window) -> Tensor:
        """(B,) of the keypoints, in units of the box's area, the mean over them."""
        poses = torch.stack([decode(maps, window.crops)[0] for maps in self._maps(window)])
        return poses.var(0, correction=0).sum(-1).mean(-1) / window.boxes[:, 2:].prod(1).clamp(min=1e-6)


@attrs.frozen
class BALD(Thinned):
    """Σ_k H(mean_s p_k,s) − mean_s H(p_k,s), p_k,s where sample s believes keypoint k to be.

    Houlsby et al., *Bayesian Active Learning for Classification and Preference Learning* (2011): how much an answer
    would tell of the network. p is what of a heatmap rises above half its maximum, normalised to sum 1. The network's
    posterior is sampled by dropout as `mc-dropout` does, whose measure `bald` this is.

    Attributes:
        samples: S, further forward passes of each instance in each cycle.
        dropout: share of the channels that a sample leaves out.
    """

    def score(self, window: Window) -> Tensor:
        """Asks for S further passes."""
        return self._information(window)


@attrs.frozen
class MonteCarloDropout(Thinned):
    """BALD over the heatmaps (see `bald`), or the predictive variance of the pose, (1/S) Σ_s |x_s − x̄|².

    Gal & Ghahramani, *Dropout as a Bayesian Approximation* (ICML 2016). Dropout is switched on where the network has
    some, and laid before its head where it has none; a sample is the same thinned network for every instance. The
    constant that the paper adds to the variance, 1/τ, is the same for all and left out.

    Attributes:
        samples: S, further forward passes of each instance in each cycle.
        dropout: share of the channels that a sample leaves out.
        measure: of disagreement: ``bald``, or ``variance`` of the keypoints in units of the box's area.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"network", "poses"})

    measure: str = attrs.field(default="bald", validator=in_(("bald", "variance")))

    def score(self, window: Window) -> Tensor:
        """Asks for S further passes."""
        return self._information(window) if self.measure == "bald" else self._variance(window)


def _places(maps: Tensor) -> Tensor:
    """(B, K, h·w) where a network believes the keypoints to be; uniform where its map has nothing.

    Only what rises above half of a map's maximum counts: the noise of thousands of other pixels would outweigh it.
    """
    flat = maps.clamp(min=0).flatten(2)
    flat = (flat - flat.amax(-1, keepdim=True) / 2).clamp(min=0)
    mass = flat.sum(-1, keepdim=True)
    return torch.where(mass > 0, flat / mass.clamp(min=1e-12), 1 / flat.shape[-1])


def _entropy(places: Tensor) -> Tensor:
    """(B, K) nats."""
    found: Tensor = torch.special.entr(places).sum(-1)
    return found
