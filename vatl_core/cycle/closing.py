"""How a run ended, from what its cycles recorded."""

from __future__ import annotations

from typing import Any, Final

import torch

from vatl_core.cycle.querying import amounts
from vatl_core.cycle.state import RunState
from vatl_core.metrics import alc
from vatl_core.records import CycleRecord, RunRecord

LEARNT: Final = 0.8
"""The mean OKS of what was learnt from that a retraining of enough steps comes to."""


def close(run: RunState) -> None:
    """Write how the run ended, as soon as its last cycle's record is on disk."""
    run.closing = closing_record(run)
    with run.folder.close(run.closing):
        run.hook.vatl_run_finished(run=run, record=run.closing)


def closing_record(run: RunState) -> RunRecord:
    """How the run ended, from its records."""
    last, stopped = run.records[-1], next((r for r in run.records if r.stopped_by), None)
    given, ended_by = len(run.folder.given), stopped.stopped_by or "" if stopped else "schedule"
    measured = [(record.fraction, record.evaluation) for record in run.records if record.evaluation]
    fractions = [fraction for fraction, _ in measured]
    names = ("mean_oks", "mean_oks_unlabelled", "mean_oks_with_labels", "ap", "ap_with_labels")
    by_hand = ", ".join(str(record.cycle + 1) for record in run.records if run.folder.by_hand(record.cycle))
    chosen = [f"the query was chosen by hand in cycle {by_hand}"] if by_hand else []  # not by the selector
    figures: dict[str, Any] = {name: getattr(last.evaluation, name, None) for name in names}
    return RunRecord(
        run=str(run.folder.path), dataset=run.config.dataset, video=run.video.name, weights=run.weights,
        instances=last.instances, labelled=last.labelled, given=given, stopped_by=ended_by,
        measured=last.evaluation.measured if last.evaluation else 0,
        cycles=sum(bool(record.query) for record in run.records) - bool(given),
        reason=stopped.fired[ended_by] if stopped else _out_of_labels(run, last),
        **figures,
        alc=alc(fractions, [e.ap for _, e in measured]) if measured else None,
        alc_with_labels=alc(fractions, [e.ap_with_labels for _, e in measured]) if measured else None,
        seconds=sum(sum(record.seconds.values()) for record in run.records),
        warnings=(*run.warnings, *chosen, *_unlearnt(last)),
        notes=tuple(run.notes),
    )  # fmt: skip


def _out_of_labels(run: RunState, last: CycleRecord) -> str:
    """Why no more was asked for where nothing stopped the run."""
    standing, cpu = run.standing(), torch.device("cpu")
    asked_for = amounts(run.config.schedule, last.instances, run.config.rounding)[-1]
    if (askable := standing.askable(cpu)).any() or asked_for <= last.labelled - len(run.folder.given):
        return "every label of the schedule was asked for"
    unknown = int((~standing.settled(cpu) & ~askable).sum())
    whose = f"the truth of {unknown} of {last.instances} instances is not known to oracle '{run.config.oracle}'"
    return f"nothing is left to ask for: {whose if unknown else 'every instance has its answer'}"


def _unlearnt(last: CycleRecord) -> list[str]:
    """A warning where the closing estimates are far from the very labels that were learnt from."""
    known = [oks for oks in last.labelled_oks if oks is not None]
    if not known or (mean := sum(known) / len(known)) >= LEARNT:
        return []
    return [f"the labels themselves are estimated at a mean OKS of {mean:.2f}: more steps of retraining would help"]
