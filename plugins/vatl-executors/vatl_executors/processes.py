"""Work in processes beside this one, a few at a time, each of which may die without the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import attrs

from vatl_core.contracts import Outcome
from vatl_core.errors import VatlError
from vatl_executors.worker import Place, places, serve

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen(eq=False)
class Worker:
    """A process that does one piece of work after the other, and this end of the pipe to it.

    Attributes:
        place: its share of the machine.
    """

    process: BaseProcess
    pipe: Connection
    place: Place

    @classmethod
    def start(cls, place: Place) -> Worker:
        """A fresh interpreter: torch and CUDA do not survive a fork."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, place))
        process.start()
        theirs.close()
        return cls(process, ours, place)

    def stop(self) -> None:
        """End it at once: what it works on can be taken up again."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def in_processes(work: Callable[[T], R], runs: Sequence[T], jobs: int) -> Generator[Outcome[R], None, None]:
    """The work done on each of the runs, ``jobs`` at a time; its outcomes as they come.

    A process that dies takes its own run with it and is replaced. Closing the generator ends them all.
    """
    waiting = deque(enumerate(runs))
    free = places(jobs, max(1, cores() // jobs), cards())
    idle: list[Worker] = []
    busy: dict[Any, tuple[Worker, int]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < jobs:
                free += [worker.place for worker in idle if not worker.process.is_alive()]
                idle = [worker for worker in idle if worker.process.is_alive()]
                worker, (index, run) = idle.pop() if idle else Worker.start(free.pop(0)), waiting.popleft()
                busy[worker.pipe] = worker, index
                worker.pipe.send((work, index, run))
            for pipe in wait(list(busy)):
                worker, index = busy.pop(pipe)
                outcome: Outcome[R] | None = _received(worker)
                if outcome:
                    idle.append(worker)
                else:
                    free.append(worker.place)
                yield outcome or Outcome(index, error=_death(worker.process))
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.stop()


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cards() -> int:
    """How many GPUs torch sees, where it is loaded: what loads no torch needs none."""
    return int(sys.modules["torch"].cuda.device_count()) if "torch" in sys.modules else 0


def _received(worker: Worker) -> Any:
    """What the worker sends, or None where it died instead."""
    try:
        return worker.pipe.recv()
    except (EOFError, ConnectionError):
        worker.process.join()
        worker.pipe.close()
        return None


def _death(process: BaseProcess) -> VatlError:
    code = process.exitcode or 0
    if code >= 0:
        return VatlError(f"its process ended with exit code {code}")
    name = signal.Signals(-code).name
    return VatlError(f"its process was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}")
