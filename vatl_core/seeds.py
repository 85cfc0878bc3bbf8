"""Random numbers that depend on nothing but the run's seed, the cycle and the purpose.

A resumed run therefore draws what an uninterrupted one would have drawn, whatever was drawn before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_of(seed: int, *purpose: object) -> int:
    """A seed for one purpose, such as ``seed_of(0, cycle, "select")``."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, (seed, *purpose))).encode()).digest()[:7], "big")


def generator(seed: int, *purpose: object) -> torch.Generator:
    """A generator on the CPU for one purpose."""
    return torch.Generator().manual_seed(seed_of(seed, *purpose))


@contextmanager
def seeded(seed: int, *purpose: object) -> Iterator[None]:
    """Within the block, torch's own random numbers are those of one purpose; afterwards they go on as before."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):
        torch.manual_seed(seed_of(seed, *purpose))
        yield
