"""Several processes that train one estimator together, each on its share of every batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Final

import attrs
import torch
from torch import Tensor, distributed, nn

from vatl_core.errors import InputError

WAIT: Final = timedelta(hours=3)
"""How long a process waits for the others: one may have many videos to cut or to validate on."""


@attrs.frozen
class Team:
    """This process among those that train together; on its own unless told otherwise.

    Attributes:
        rank: its number; 0 writes and speaks for all.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This process's part of what all have: contiguous, no two parts differing by more than one row."""
        return rows.tensor_split(self.size)[self.rank] if self.size > 1 else rows

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def mean(self, value: Tensor) -> Tensor:
        """The mean over all processes."""
        return self.sum(value) / self.size if self.size > 1 else value

    def wrap(self, objective: nn.Module, device: torch.device) -> nn.Module:
        """The objective with gradients that are the mean over all processes.

        On CUDA batch normalisation sees the whole batch; on the CPU each process normalises its own share.
        """
        if self.size == 1:
            return objective
        if device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(objective)
        places = [device.index] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(objective, device_ids=places, static_graph=True)

    def agree(self, estimator: nn.Module) -> None:
        """Take over process 0's running statistics, the one thing in which the networks differ after a step."""
        for buffer in estimator.buffers() if self.size > 1 else ():
            distributed.broadcast(buffer, 0)


def leading() -> bool:
    """Whether this process is the one that speaks, before or without joining the others."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(device: str) -> Iterator[tuple[Team, str]]:
    """Within the block, this process works with those that ``torchrun`` started beside it, if it did.

    Args:
        device: as the user named it.

    Yields:
        The team, and the name of this process's own device.

    Raises:
        InputError: there are more processes than GPUs.
    """
    if not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys():
        yield Team(), device
        return
    device = own_device(device, int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    import_module("torch.distributed.nn")  # whose functions would keep the group for good, if they found one
    distributed.init_process_group(backend(device), timeout=WAIT)
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size()), device
    finally:
        distributed.destroy_process_group()


def backend(device: str) -> str:
    """What the processes talk by: between GPUs NCCL, which not every system has."""
    return "nccl" if device.startswith("cuda") and distributed.is_nccl_available() else "gloo"


def own_device(device: str, number: int, count: int) -> str:
    """The device of process ``number`` of ``count`` on this machine: a GPU of its own, or the CPU they share.

    Raises:
        InputError: there are more processes than GPUs.
    """
    if device not in ("auto", "cuda") or not torch.cuda.is_available():
        return device
    gpus = torch.cuda.device_count()
    if count > gpus:
        raise InputError(f"{count} processes cannot share {gpus} GPU(s): start {gpus}, or use --device cpu")
    torch.cuda.set_device(number)
    return f"cuda:{number}"
