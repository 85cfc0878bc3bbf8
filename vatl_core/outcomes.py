"""What came of a run that an executor was given: its result, or why there is none."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from vatl_core.errors import VatlError

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Outcome(Generic[R]):
    """What came of one run.

    Attributes:
        index: which of the runs that the executor was given.
        result: what the work returned; None where it failed.
        error: why it failed; None where it did not.
    """

    index: int
    result: R | None = None
    error: Exception | None = None

    def get(self) -> R:
        """The result.

        Raises:
            Exception: the work failed, of this.
        """
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


def attempt(work: Callable[[T], R], index: int, run: T) -> Outcome[R]:
    """Do the work on a run; that it fails is an outcome too."""
    try:
        return Outcome(index, work(run))
    except Exception as error:  # whatever goes wrong in one run, the others go on
        return Outcome(index, error=error)


def attempt_elsewhere(work: Callable[[T], R], index: int, run: T) -> Outcome[R]:
    """:func:`attempt` for a process whose outcomes are sent to another: their errors survive the journey."""
    outcome = attempt(work, index, run)
    return attrs.evolve(outcome, error=_portable(outcome.error)) if outcome.error else outcome


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note, or what it says where it is of a kind that cannot be sent."""
    note = "".join(traceback.format_exception(error)).rstrip()
    try:
        sent: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # a stranger's exception: its pickling may fail in any way
        sent = VatlError(" ".join(f"{type(error).__name__}: {error}".split()))
    sent.add_note(note)
    return sent
