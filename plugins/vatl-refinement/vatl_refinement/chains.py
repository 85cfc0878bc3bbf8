"""Instances that follow each other in time, laid out so that all chains advance together."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import attrs
import torch
from torch import Tensor


@attrs.frozen
class Chains:
    """N instances as chains of neighbours in time, packed step by step, the longest chains first.

    The rows ``starts[t]:starts[t + 1]`` are the chains' instances number t, in the same order of chains at every step;
    since the chains that have ended are the last, nothing is padded. Backwards, the chains begin at their ends.

    Attributes:
        forward, backward: (N,) which instance stands in each row.
        place, place_backward: (N,) in which row each instance stands.
        starts: T + 1 rows, the same in both directions.
        chain: (N,) which chain each instance is of, from 0.
    """

    forward: Tensor
    backward: Tensor
    starts: list[int]
    chain: Tensor
    place: Tensor = attrs.field(init=False, default=attrs.Factory(lambda self: self.forward.argsort(), True))
    place_backward: Tensor = attrs.field(init=False, default=attrs.Factory(lambda self: self.backward.argsort(), True))

    @property
    def steps(self) -> list[slice]:
        """The rows of each step."""
        return [slice(first, last) for first, last in pairwise(self.starts)]


class _Walk(NamedTuple):
    """How many instances follow each in one direction, and the last of them, (N,) each."""

    steps: Tensor
    end: Tensor


def chains(previous: Tensor, following: Tensor) -> Chains:
    """Chains of instances by their neighbours, (N,) indices or −1 each, which name each other."""
    past, future = _walk(previous), _walk(following)
    order = torch.argsort(past.steps + future.steps, descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    rank = rank[past.end]
    starts = [0, *torch.bincount(past.steps).cumsum(0).tolist()]
    chain = past.end.unique(return_inverse=True)[1]
    return Chains(_sorted(past.steps, rank), _sorted(future.steps, rank), starts, chain)


def links(neighbour: Tensor, back: Tensor) -> Tensor:
    """(N,) the neighbours that name their neighbours in turn by ``back``; −1 elsewhere."""
    itself = torch.arange(len(neighbour), device=neighbour.device)
    return torch.where((neighbour >= 0) & (back[neighbour] == itself), neighbour, -1)


def _walk(neighbour: Tensor) -> _Walk:
    """By pointer doubling (Wyllie, *The Complexity of Parallel Computations*, 1979): log₂ N gathers."""
    itself = torch.arange(len(neighbour), device=neighbour.device)
    steps, end = (neighbour >= 0).long(), torch.where(neighbour >= 0, neighbour, itself)
    for _ in range(len(neighbour).bit_length()):
        steps, end = steps + steps[end], end[end]
    return _Walk(steps, end)


def _sorted(step: Tensor, rank: Tensor) -> Tensor:
    """(N,) instances in the order of their steps, and within a step of their chains."""
    return torch.argsort(step * len(step) + rank)
