"""Stopping criteria that nobody asked for: they say where they would have stopped, and never spoil a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Stopping
from vatl_core.errors import PluginError, VatlError
from vatl_core.estimation import Estimates, check_finite, checked_reason
from vatl_core.plugins import Registry, build, culprit, describe, whose
from vatl_core.records import History

if TYPE_CHECKING:
    from vatl_core.cycle.cycle import Run


def advisers(
    registry: Registry, config: RunConfig, computed: Mapping[str, Criterion]
) -> tuple[dict[str, Stopping], dict[str, Criterion], list[str]]:
    """Every other stopping criterion that is installed and needs no option.

    Args:
        registry: of components.
        config: of the run.
        computed: the criteria that the run's own parts need.

    Returns:
        The stopping criteria, the further criteria that they watch, and what went wrong with others.
    """
    advising: dict[str, Stopping] = {}
    watched: dict[str, Criterion] = {}
    warnings: list[str] = []
    for name in registry.names("stopping"):
        if name in config.stop:
            continue
        try:
            adviser = _made(registry, config, name)
            further = {c for c in adviser.watches if c not in computed and c not in watched}
            watched |= {c: build(registry, "criterion", c, config.of("query", c)) for c in sorted(further)}
        except VatlError:  # one that needs options, or cannot be imported, which `vatl plugins check` tells
            continue
        except Exception as error:
            warnings.append(_left_out(f"the stopping criterion '{name}'", error))
            continue
        advising[name] = adviser
    return advising, watched, warnings


def _made(registry: Registry, config: RunConfig, name: str) -> Stopping:
    adviser = build(registry, "stopping", name, config.of("stop", name))
    if not isinstance(adviser, Stopping):
        raise TypeError(f"it is no Stopping{whose(adviser)}")
    return adviser


def give_up(run: Run, error: Exception) -> bool:
    """Go on without the criteria that only advisers watch, and without those advisers, when one has made a pass fail.

    Returns:
        Whether one has, so that the pass may be made again; nobody else's failure is worth a second one.
    """
    if not _arose_in(error, [run.criteria[name] for name in run.spare]):
        return False
    run.warnings.append(left_out(run.criteria, run.spare, run.advising, error))
    return True


def drop_what_is_no_number(run: Run, estimates: Estimates) -> None:
    """Leave those criteria out if one gave NaN: the pass is made, and is good without them."""
    try:
        check_finite({name: estimates.criteria[name] for name in run.spare}, run.criteria)
    except PluginError as error:
        for name in run.spare:
            del estimates.criteria[name]
        run.warnings.append(left_out(run.criteria, run.spare, run.advising, error))


def _arose_in(error: Exception, criteria: Sequence[Criterion]) -> bool:
    """Whether one of these was being asked when the error arose."""
    trace = error.__traceback__
    while trace is not None:
        if any(value is criterion for value in trace.tb_frame.f_locals.values() for criterion in criteria):
            return True
        trace = trace.tb_next
    return False


def left_out(criteria: dict[str, Criterion], spare: set[str], advising: dict[str, Stopping], error: Exception) -> str:
    """Take the ``spare`` criteria out, and the advisers that watch them; the warning that says why."""
    for name in spare:
        criteria.pop(name, None)
    for name in [name for name, adviser in advising.items() if set(adviser.watches) & spare]:
        del advising[name]
    spare.clear()
    return _left_out("advice on when to stop", error)


def advice(run: Run, history: History) -> dict[str, str]:
    """Which advisers would stop here, each with its reason; one that fails is not asked again."""
    reasons: dict[str, str] = {}
    for name, adviser in list(run.advising.items()):
        try:
            reason = checked_reason(name, adviser, history)
        except VatlError as error:
            del run.advising[name]
            run.warnings.append(_left_out(f"the stopping criterion '{name}'", error))
        else:
            reasons |= {name: reason} if reason else {}
    return reasons


def _left_out(what: str, error: Exception) -> str:
    said = str(error) if isinstance(error, VatlError) else f"{describe(error)}{culprit(error)}"
    return f"{what}, which nobody asked for, is left out: {said}"
