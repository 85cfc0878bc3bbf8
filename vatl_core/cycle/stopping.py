"""Decide: which stopping criteria fire, and where those that nobody asked for would have stopped."""

from __future__ import annotations

import attrs

from vatl_core.cycle.state import RunState
from vatl_core.errors import VatlError
from vatl_core.promises import checked_reason
from vatl_core.records import CycleRecord


def decided(run: RunState, record: CycleRecord) -> CycleRecord:
    """The record with why each stopping criterion that would stop here would; the first of the run's own ends it.

    Raises:
        PluginError: one of the run's own fails, or decides something else than a reason.
    """
    if not record.cycle and run.folder.given:  # nobody was asked yet, and labels that are there are to be learnt from
        return record
    history = run.history(record)
    fired = {name: reason for name, s in run.stopping.items() if (reason := checked_reason(name, s, history))}
    advice: dict[str, str] = {}
    for name, adviser in list(run.advising.items()):
        try:
            reason = checked_reason(name, adviser, history)
        except VatlError as error:  # nobody asked for it: it is not asked again, and the run goes on
            del run.advising[name]
            run.warnings.append(f"advice of the stopping criterion '{name}' is left out: {error}")
        else:
            advice |= {name: reason} if reason else {}
    stopped_by = record.stopped_by or next(iter(fired), None)
    return attrs.evolve(record, fired=record.fired | fired | advice, stopped_by=stopped_by)
