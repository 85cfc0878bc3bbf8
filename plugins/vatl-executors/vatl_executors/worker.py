"""The other side of :mod:`vatl_executors.processes`; imports nothing heavy before threads are limited."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Final

import attrs

from vatl_core.outcomes import attempt_elsewhere

THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Where torch, NumPy and OpenCV look, when they are imported, for how many threads they may start."""


@attrs.frozen
class Place:
    """A process's share of the machine.

    Attributes:
        threads: how many it may start.
        card: the number of its GPU; None where there is none.
        share: of that GPU's memory.
    """

    threads: int
    card: int | None = None
    share: float = 1.0


def places(jobs: int, threads: int, cards: int) -> list[Place]:
    """Where ``jobs`` processes work: on the GPUs in turn, on each with as many as share it."""
    if not cards:
        return [Place(threads)] * jobs
    return [Place(threads, job % cards, 1 / len(range(job % cards, jobs, cards))) for job in range(jobs)]


def serve(pipe: Connection, place: Place) -> None:
    """Do what comes through the pipe until its other end closes; the user's own word on threads stands."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told = os.environ.get("OMP_NUM_THREADS", str(place.threads))  # for all: torch listens to MKL's, too
    for name in THREADS:
        os.environ.setdefault(name, told)
    if place.card is not None:
        _settle(place.card, place.share)
    while True:
        try:
            work, index, run = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt_elsewhere(work, index, run))


def _settle(card: int, share: float) -> None:
    """Make this GPU what ``cuda`` means in this process, which may take no more than its share of the memory."""
    import torch

    torch.cuda.set_device(card)
    torch.cuda.set_per_process_memory_fraction(share, card)


def _end_with_parent() -> None:
    """A killed parent leaves nobody to tell: end at once, so that whoever takes its work up finds it free."""
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
