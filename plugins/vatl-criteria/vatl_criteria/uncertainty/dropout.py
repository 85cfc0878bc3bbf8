"""Disagreement of thinned networks: Monte Carlo dropout, judged by BALD."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt, lt
from torch import Tensor

from vatl_core.contracts import Criterion, Network, Window


@attrs.frozen
class MonteCarloDropout(Criterion):
    """BALD over the heatmaps: Σ_k H(mean_s p_k,s) − mean_s H(p_k,s), p a heatmap normalised to sum 1.

    Houlsby et al., *Bayesian Active Learning for Classification and Preference Learning* (2011), with the samples of
    Gal & Ghahramani, *Dropout as a Bayesian Approximation* (ICML 2016). Dropout is switched on where the network has
    some, and laid before its head where it has none; a sample is the same thinned network for every instance.

    Attributes:
        samples: S, further forward passes of each instance in each cycle.
        dropout: share of the channels that a sample leaves out.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"network"})

    samples: int = attrs.field(default=8, validator=ge(2))
    dropout: float = attrs.field(default=0.2, validator=[gt(0), lt(1)])

    def score(self, window: Window) -> Tensor:
        """(B,) mutual information of a heatmap's place and the network, nats, summed over the keypoints."""
        if window.network is None:
            raise AssertionError("the network is declared as a need")
        total, entropies = torch.zeros(0), []
        for sample in range(self.samples):
            places = self._places(window.network, window.pictures, sample)
            entropies.append(_entropy(places))
            total = total + places if sample else places.clone()
        return (_entropy(total / self.samples) - torch.stack(entropies).mean(0)).clamp(min=0).sum(1)

    def _places(self, network: Network, pictures: Tensor, sample: int) -> Tensor:
        """(B, K, h·w) where a thinned network believes the keypoints to be; uniform where its map has nothing."""
        flat: Tensor = network(pictures, dropout=self.dropout, sample=sample).heatmaps.clamp(min=0).flatten(2)
        mass = flat.sum(-1, keepdim=True)
        places: Tensor = torch.where(mass > 0, flat / mass.clamp(min=1e-12), 1 / flat.shape[-1])
        return places


def _entropy(places: Tensor) -> Tensor:
    """(B, K) nats."""
    found: Tensor = torch.special.entr(places).sum(-1)
    return found
