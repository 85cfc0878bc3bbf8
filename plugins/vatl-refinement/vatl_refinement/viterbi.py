"""The cheapest way through candidates, all chains and keypoints at once."""

from __future__ import annotations

import torch
from torch import Tensor

from vatl_refinement.chains import Chains


def cheapest(unary: Tensor, moves: Tensor, chains: Chains) -> Tensor:
    """Which candidate each keypoint takes on the path of least cost (Viterbi, IEEE Trans. Inf. Theory 13(2), 1967).

    Args:
        unary: (N, K, C) cost of each candidate; rows as ``chains.forward``.
        moves: (N, K, C, C) cost of coming to the last axis' candidate from the other's of the row before; what stands
            in a chain's first row is not looked at.
        chains: of the N instances.

    Returns:
        (N, K) int64, the first among equals.
    """
    steps = chains.steps
    costs, origins = [unary[rows] for rows in steps[:1]], []
    for rows in steps[1:]:
        there = costs[-1][: rows.stop - rows.start, :, :, None] + moves[rows]
        cost, origin = there.min(2)
        costs.append(unary[rows] + cost)
        origins.append(origin)
    return _back(costs, origins)


def _back(costs: list[Tensor], origins: list[Tensor]) -> Tensor:
    """The choices (N, K), from each chain's end to its beginning."""
    choices = [costs[-1].argmin(-1)] if costs else []
    for cost, origin in zip(reversed(costs[:-1]), reversed(origins), strict=True):
        came = origin.gather(-1, choices[-1][..., None])[..., 0]
        choices.append(torch.cat([came, cost[len(came) :].argmin(-1)]))
    return torch.cat(choices[::-1])
