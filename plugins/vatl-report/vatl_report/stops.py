"""Where every stopping criterion would have stopped, and how good the poses were there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.errors import VatlError
from vatl_core.plugins import build

if TYPE_CHECKING:
    from vatl_core.records import CycleRecord, Evaluation
    from vatl_core.run import PastRun

ACTUAL_FINISH: Final = "actual-finish"
"""The first cycle whose estimates are all correct: a figure, since it takes all the ground truth to know it."""


@attrs.frozen
class Stop:
    """Where one stopping criterion would have stopped.

    Attributes:
        name: the criterion's.
        reason: why, or why it did not.
        cycle: None where it never fired.
        labelled: labels given by then.
        evaluation: of the estimates of that cycle, where there is truth.
        used: whether this one ended the run.
    """

    name: str
    reason: str
    cycle: int | None = None
    labelled: int | None = None
    evaluation: Evaluation | None = None
    used: bool = False


def stops(cycles: Sequence[CycleRecord], installed: Iterable[str]) -> list[Stop]:
    """One line a criterion, those that fired first to the front, those of ``installed`` that never did behind them."""
    found: dict[str, Stop] = {}
    for record in cycles:
        for name, reason in record.fired.items():
            stop = Stop(name, reason, record.cycle, record.labelled_after, record.evaluation, name == record.stopped_by)
            found.setdefault(name, stop)
    return [*found.values(), *(Stop(name, "did not fire in this run") for name in installed if name not in found)]


def actual_finish(cycles: Sequence[CycleRecord]) -> Stop:
    """The first cycle in which every instance, labelled or not, was estimated correctly."""
    for record in cycles:
        if record.evaluation and record.evaluation.all_correct:
            reason = "every instance is estimated correctly"
            return Stop(ACTUAL_FINISH, reason, record.cycle, record.labelled, record.evaluation)
    judged = any(record.evaluation for record in cycles)
    return Stop(ACTUAL_FINISH, "never were all the instances correct" if judged else "needs ground truth")


def judged_by(past: PastRun) -> list[str]:
    """The stopping criteria that the run was judged by: its own, those asked for advice, those that cost nothing."""
    measured = {name for record in past.cycles for name in record.mean_scores}
    free = [name for name in past.registry.names("stopping") if _watches_only(past, name, measured)]
    return [name for name in dict.fromkeys([*past.config.stop, *past.config.advise, *free]) if name != "none"]


def _watches_only(past: PastRun, stopping: str, measured: Set[str]) -> bool:
    """Whether a stopping criterion needs no option, and no criterion beyond those that were ``measured``."""
    try:
        watches = build(past.registry, "stopping", stopping, {}).watches
    except VatlError:
        return False
    return set(watches) <= measured
