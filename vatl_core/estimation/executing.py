"""What an executor gives, held to its contract: one outcome for each of the runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence, Set
from typing import TypeVar

from vatl_core.contracts import Executor, Outcome
from vatl_core.errors import PluginError
from vatl_core.plugins import whose

T = TypeVar("T")
R = TypeVar("R")


def outcomes_of(
    executor: Executor, name: str, work: Callable[[T], R], runs: Sequence[T]
) -> Generator[Outcome[R], None, None]:
    """What came of each of the runs that the executor of this name was given, as it comes.

    Closing the generator ends what is under way.

    Raises:
        InputError: runs cannot be carried out there at all.
        PluginError: it gives something else than one outcome for each.
    """
    given: object = executor.map(work, runs)
    if not isinstance(given, Iterable):
        raise _breach(executor, name, f"gave a {type(given).__name__}: outcomes are expected, so yield them")
    left = set(range(len(runs)))
    try:
        for outcome in given:
            if flaw := _flaw(outcome, left):
                raise _breach(executor, name, flaw)
            left.discard(outcome.index)
            yield outcome
    finally:
        if isinstance(given, Generator):
            given.close()
    if left:
        raise _breach(executor, name, f"gave no outcome of {len(left)} of {len(runs)} runs: one for each is expected")


def _flaw(outcome: object, left: Set[int]) -> str | None:
    """What is wrong with an outcome, in words, where those of the runs ``left`` are still to come."""
    if not isinstance(outcome, Outcome):
        return f"gave a {type(outcome).__name__}: Outcomes are expected, so yield Outcome(index, result)"
    if outcome.index not in left:
        return f"gave an outcome of run {outcome.index!r}, which is none or has one already: one for each is expected"
    if not isinstance(outcome.error, Exception | None) or (outcome.error is None and outcome.result is None):
        return "gave an outcome with neither a result nor an error: Outcome(index, result) or Outcome(index, error=…)"
    return None


def _breach(executor: Executor, name: str, flaw: str) -> PluginError:
    return PluginError(f"executor '{name}' {flaw}{whose(executor)}")
