"""A ring of slots for the maps of a pass, planned before it on the host, so that no batch has to ask the device.

An instance's maps are needed until it and its neighbours in time are scored; then the ring comes round.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from vatl_core.video import Instances


@attrs.frozen
class Batch:
    """B instances that go through the network together, and the R that are scored after it.

    Attributes:
        index, scored: (B,), (R,) who, on the host; all else is on the device.
        there, slots: (B,) who, and where their maps are put.
        ready: (R,) who is scored.
        own, previous, next: (R,) the slots of their maps and of their neighbours' in time; any where there is none.
        has_previous, has_next: (R,) bool.
    """

    index: Tensor
    scored: Tensor
    there: Tensor
    slots: Tensor
    ready: Tensor
    own: Tensor
    previous: Tensor
    next: Tensor
    has_previous: Tensor
    has_next: Tensor


def planned(instances: Instances, size: int, neighbours: bool, device: torch.device) -> tuple[list[Batch], int]:
    """The batches of a pass, ``size`` instances each at the most in the order of their frames, and the slots it takes.

    Maps stay until the ``neighbours`` are scored, too, if these matter.
    """
    order = torch.argsort(instances.frame, stable=True)
    place = torch.empty_like(order).index_copy(0, order, torch.arange(len(order)))
    both = torch.stack([instances.previous, instances.next]) if neighbours else torch.full((2, len(order)), -1)
    ready = _with_neighbours(place // size, both)
    last = _with_neighbours(ready, both)  # the batch after which nobody needs its maps any more
    slots = int(((last + 1) * size - place).max())
    counts = torch.bincount(ready, minlength=-(-len(order) // size)).tolist()
    scored = order[torch.argsort(ready[order], stable=True)]
    beside, parts = both[:, scored], order.split(size)
    own = [place[who.clamp(min=0)] % slots for who in (scored, *beside)]
    columns = [column.to(device).split(size) for column in (order, place[order] % slots)]
    columns += [column.to(device).split(counts) for column in (scored, *own, *(beside >= 0))]
    return [Batch(*row) for row in zip(parts, scored.split(counts), *columns, strict=True)], slots


def _with_neighbours(number: Tensor, both: Tensor) -> Tensor:
    """(N,) the largest number among an instance's own and its neighbours', ``both`` (2, N) of them."""
    return torch.maximum(number, torch.where(both >= 0, number[both.clamp(min=0)], -1).amax(0))
