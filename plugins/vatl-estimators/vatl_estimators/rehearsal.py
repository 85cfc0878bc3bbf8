"""Training steps without consequences: what can only fail on the way back through a network fails in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vatl_core.contracts import Maps


def rehearse(network: nn.Module, call: Callable[[Tensor], Maps], crops: Tensor, steps: int) -> None:
    """Go through the network and back, by a ``call`` of it; buffers, gradients and random numbers stay as they are."""
    with unchanged(network, crops.device):
        for _ in range(steps):
            _step(network, call, crops)


@contextmanager
def unchanged(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Have buffers and random numbers after the block as before it."""
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer.data.copy_(before)  # `.data`, since an earlier call may wait for its way back with this version


def _step(network: nn.Module, call: Callable[[Tensor], Maps], crops: Tensor) -> None:
    maps = call(crops)
    given = [found for found in (maps.heatmaps, maps.features, *maps.extra.values()) if found.requires_grad]
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if given and learning:
        torch.autograd.grad(given, learning, [torch.zeros_like(found) for found in given], allow_unused=True)
