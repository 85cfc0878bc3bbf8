"""Runs as Ray tasks: where, when and how often they are carried out is Ray's affair."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import attrs

from vatl_core.contracts import Executor, Outcome, attempt_elsewhere
from vatl_core.errors import InputError, VatlError
from vatl_core.plugins import describe
from vatl_ray.cluster import connected

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Ray(Executor):
    """Each run a task of a Ray cluster (Moritz et al., OSDI 2018) with its share of a node.

    Runs are kept under the folder from which the command was given: every node has to reach it by the same path. A
    task whose worker or node is lost is placed anew by Ray, and takes its run up where it was left.

    Attributes:
        address: of the cluster, such as ``10.0.0.1:6379`` or ``auto``; what RAY_ADDRESS says if empty, else a
            cluster is started on this machine, for as long as the command lasts.
        cpus: cores a run asks for; also how many threads it may use.
        gpus: GPUs a run asks for; 0.25 lets four share one.
        retries: how often a run that lost its worker or node is placed anew; without end if −1.
    """

    address: str = ""
    cpus: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    gpus: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    retries: int = attrs.field(default=3, validator=attrs.validators.ge(-1))

    def map(self, work: Callable[[T], R], runs: Sequence[T]) -> Generator[Outcome[R], None, None]:
        """Outcomes as they come."""
        import ray

        with connected(self.address, self.cpus, self.gpus):
            task: Any = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries)(attempt_there)
            folder = os.getcwd()  # noqa: PTH109 - a name for other nodes, not a place here
            pending = {task.remote(folder, work, index, run): index for index, run in enumerate(runs)}
            try:
                while pending:
                    (done,), _ = ray.wait(list(pending), num_returns=1)
                    yield _outcome(done, pending.pop(done))
            finally:
                for left in pending:
                    ray.cancel(left, force=True)


def attempt_there(folder: str, work: Callable[[T], R], index: int, run: T) -> Outcome[R]:
    """The task: the work on a run, from the folder in which the command was given."""
    try:
        os.chdir(folder)
    except OSError as error:
        where = f"node {platform.node()} cannot reach {folder} ({error.strerror})"
        return Outcome(index, error=InputError(f"{where}: give the command from a folder that every node shares"))
    return attempt_elsewhere(work, index, run)


def _outcome(done: Any, index: int) -> Outcome[Any]:
    """What a task returned; or that Ray gave it up, with what Ray says of it."""
    import ray

    try:
        outcome: Outcome[Any] = ray.get(done)
    except ray.exceptions.RayTaskError as error:  # whose first lines are a traceback from elsewhere
        return Outcome(index, error=VatlError(f"Ray could not carry it out: {describe(error.cause)}"))
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines()
        return Outcome(index, error=VatlError(f"Ray gave it up: {lines[0] if lines else type(error).__name__}"))
    return outcome
