"""Runs on this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import attrs

from vatl_core.contracts import Executor, Outcome, attempt
from vatl_executors.processes import in_processes

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Local(Executor):
    """On this machine: in this process, or several runs at a time in processes of their own.

    Attributes:
        jobs: runs at a time, each in a process of its own with its share of the cores and a GPU of its own: the GPUs
            that are visible in turn, and where there are more jobs than GPUs a share of its memory. In this process,
            one after the other, if none. A sweep takes one at a time if it is told nothing.
    """

    jobs: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))

    def map(self, work: Callable[[T], R], runs: Sequence[T]) -> Generator[Outcome[R], None, None]:
        """Outcomes as they come."""
        if self.jobs is None:
            return (attempt(work, index, run) for index, run in enumerate(runs))
        return in_processes(work, runs, self.jobs)
