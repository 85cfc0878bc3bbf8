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
    sizes = [rows.stop - rows.start for rows in chains.steps]
    own, coming = (column.split(sizes) for column in (unary, moves))
    costs, origins = list(own[:1]), []
    for cost, move in zip(own[1:], coming[1:], strict=True):
        least, origin = (costs[-1][: len(move), ..., None] + move).min(2)
        costs.append(least.add_(cost))
        origins.append(origin)
    return _back(costs, origins)


def _back(costs: list[Tensor], origins: list[Tensor]) -> Tensor:
    """The choices (N, K), from each chain's end to its beginning."""
    choices = [costs[-1].argmin(-1, keepdim=True)] if costs else []
    for cost, origin in zip(reversed(costs[:-1]), reversed(origins), strict=True):
        came = origin.gather(-1, choices[-1])
        ended = len(cost) > len(came)
        choices.append(torch.cat([came, cost[len(came) :].argmin(-1, keepdim=True)]) if ended else came)
    return torch.cat(choices[::-1])[..., 0]
