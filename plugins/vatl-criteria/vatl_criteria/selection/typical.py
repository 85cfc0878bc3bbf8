"""The most typical instance of each cluster that has no label yet."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.selection.clusters import weighted_kmeans
from vatl_criteria.selection.coverage import thinned
from vatl_criteria.selection.kcentre import Space

LEARNT = 10_000
"""Of how many instances clusters are learnt at the most."""
MEMBERS = 4096
"""How many of a cluster are compared with each other at the most."""
SMALL = 5
"""Clusters of fewer instances come last."""


@attrs.frozen
class TypiClust(Selector):
    """Of each cluster without a label, the largest first, the instance with the highest typicality.

    Hacohen et al., *Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets* (ICML 2022):
    typicality(x) = (1/K Σ over the K nearest neighbours of x in its cluster |x − xᵢ|)⁻¹; as many clusters of the
    features as there are labels with those to be picked; those with fewest labels first, those of fewer than 5
    instances last, over and over.

    Clusters are learnt from all instances up to 10,000, beyond from as many drawn evenly; in a cluster of more than
    4096 as many, drawn evenly, are compared.

    Attributes:
        neighbours: K; half the cluster where that is less.
        clusters: at the most.
    """

    uses_scores: ClassVar[bool] = False

    neighbours: int = attrs.field(default=20, validator=ge(1))
    clusters: int = attrs.field(default=500, validator=ge(1))

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices in order of picking; the lower index among equals."""
        count, left = min(count, len(pool.unlabelled)), pool.askable
        if not count:
            return pool.unlabelled[:0]
        among = clustered(pool.features, min(self.clusters, int(pool.labelled.sum()) + count), generator)
        picks: list[Tensor] = []
        while len(picks) < count:
            for cluster in _in_turn(among, pool.labelled, left)[: count - len(picks)]:
                pick = self._most_typical(pool.features, ((among == cluster) & left).nonzero().flatten(), generator)
                picks.append(pick)
                left = left.index_fill(0, pick, False)
        return torch.stack(picks)

    def _most_typical(self, features: Tensor, members: Tensor, generator: torch.Generator) -> Tensor:
        """Which of a cluster's members lies closest to its nearest neighbours."""
        members = thinned(members, MEMBERS, generator)
        apart = Space.of(features[members]).between(torch.arange(len(members), device=members.device))
        nearest = apart.topk(1 + min(self.neighbours, len(members) // 2), largest=False).values  # itself, too
        return members[nearest.mean(1).argmin()]


def clustered(features: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(N,) which of at most ``count`` clusters each instance belongs to."""
    learnt = features[thinned(torch.arange(len(features), device=features.device), LEARNT, generator)]
    weights = learnt.new_ones(len(learnt))
    centres = weighted_kmeans(learnt, weights, min(count, len(learnt)), generator)
    return torch.cat([torch.cdist(part, centres).argmin(1) for part in features.split(MEMBERS)])


def _in_turn(among: Tensor, labelled: Tensor, left: Tensor) -> list[int]:
    """Clusters of which something is left to pick, in the order in which they are asked about."""
    count = int(among.max()) + 1
    size, labels, rest = (torch.bincount(among[of], minlength=count).tolist() for of in (labelled >= 0, labelled, left))
    return sorted((c for c in range(count) if rest[c]), key=lambda c: (size[c] < SMALL, labels[c], -size[c]))
