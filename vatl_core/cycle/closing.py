"""How a run ended, from what its cycles recorded."""

from __future__ import annotations

from typing import Final

import torch

from vatl_core.cycle.schedule import amounts
from vatl_core.cycle.state import RunState
from vatl_core.metrics import alc
from vatl_core.records import CycleRecord, RunRecord


def close(run: RunState) -> RunRecord:
    """Write how the run ended, as soon as its last cycle's record is on disk."""
    run.closing = closing_record(run)
    run.folder.close(run.closing)
    run.hook.vatl_run_finished(run=run, record=run.closing)
    return run.closing


CPU: Final = torch.device("cpu")


def closing_record(run: RunState) -> RunRecord:
    """How the run ended, from its records."""
    last, points = run.records[-1], [(r.fraction, e) for r in run.records if (e := r.evaluation)]
    evaluation = last.evaluation
    stopped = next((r for r in run.records if r.stopped_by), None)
    fractions = [fraction for fraction, _ in points]
    return RunRecord(
        run=str(run.folder.path),
        dataset=run.config.dataset,
        video=run.video.name,
        instances=last.instances,
        labelled=last.labelled,
        measured=evaluation.measured if evaluation else 0,
        cycles=sum(bool(r.query) for r in run.records),
        stopped_by=stopped.stopped_by or "schedule" if stopped else "schedule",
        reason=stopped.fired[stopped.stopped_by or ""] if stopped else _out_of_labels(run, last),
        mean_oks=evaluation.mean_oks if evaluation else None,
        mean_oks_unlabelled=evaluation.mean_oks_unlabelled if evaluation else None,
        mean_oks_with_labels=evaluation.mean_oks_with_labels if evaluation else None,
        ap=evaluation.ap if evaluation else None,
        ap_with_labels=evaluation.ap_with_labels if evaluation else None,
        alc=alc(fractions, [e.ap for _, e in points]) if points else None,
        alc_with_labels=alc(fractions, [e.ap_with_labels for _, e in points]) if points else None,
        seconds=sum(sum(record.seconds.values()) for record in run.records),
        weights=run.weights,
        warnings=(*run.warnings, *_by_hand(run)),
        notes=tuple(run.notes),
    )


def _out_of_labels(run: RunState, last: CycleRecord) -> str:
    """Why no more was asked for where nothing stopped the run."""
    standing = run.standing()
    unknown = int((~standing.settled(CPU) & ~standing.askable(CPU)).sum())
    if not unknown or standing.askable(CPU).any() or amounts(run.config.schedule, last.instances)[-1] <= last.labelled:
        return "every label of the schedule was asked for"
    whose = f"the truth of {unknown} of {last.instances} instances is not known to oracle '{run.config.oracle}'"
    return f"nothing is left to ask for: {whose}"


def _by_hand(run: RunState) -> list[str]:
    """A warning where queries were not the selector's."""
    cycles = [str(record.cycle + 1) for record in run.records if run.folder.by_hand(record.cycle)]
    return [f"the query was chosen by hand in cycle {', '.join(cycles)}"] if cycles else []
