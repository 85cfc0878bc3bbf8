"""Where training steps can be recorded as CUDA graphs, and what keeps their results safe from the next step."""

from __future__ import annotations

import threading
from typing import Final
from weakref import WeakSet

import torch
from torch import distributed

from vatl_core.contracts import Estimator, Maps

RECORDING: Final = frozenset({"cuda"})
"""Types of devices whose steps are recorded."""


def records(device: torch.device) -> bool:
    """Whether steps on the device are recorded: not by ROCm, which is called `cuda` too and then learns less."""
    return device.type in RECORDING and torch.version.hip is None


def alone() -> bool:
    """Whether no other process learns with this one: a step of its own would wait for theirs for ever."""
    return not (distributed.is_available() and distributed.is_initialized())


def undisturbed() -> bool:
    """Whether nothing else goes on that a recording could disturb or be disturbed by.

    No recorded step waits for its way back, whose memory a further one could take; no other process shares the
    gradients; and it is the first thread, since torch's graphs belong to one.
    """
    return not STEPS and alone() and threading.current_thread() is threading.main_thread()


def gathers(network: Estimator) -> bool:
    """Whether gradients are there that those of the next step are added to: they may lie where a graph writes."""
    return any(parameter.grad is not None for parameter in network.get_submodule(network.head).parameters())


class Step:
    """A hook that does nothing, which is there as long as the graph of autograd that it is put into."""

    def __call__(self, *_: object) -> None:
        """Leave gradients as they are."""


STEPS: Final[WeakSet[Step]] = WeakSet()
"""Recorded steps that have not gone back, of whichever network: graphs of a device share their memory."""


def begin(maps: Maps) -> None:
    """Have a recorded step count as long as something may go back through what it gave."""
    step = Step()
    for found in (maps.heatmaps, maps.features, *maps.extra.values()):
        if found.grad_fn is not None:
            found.grad_fn.register_hook(step)
            STEPS.add(step)


def lasting(maps: Maps) -> Maps:
    """The same in memory of its own: what a graph gave is overwritten by its next replay."""
    extra = {name: values.clone() for name, values in maps.extra.items()}
    return Maps(maps.heatmaps.clone(), maps.features.clone(), extra)
