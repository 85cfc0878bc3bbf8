"""The papers' table of stopping: what each criterion would have saved and kept at several τ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.contracts import Stopping
from vatl_core.errors import VatlError
from vatl_core.plugins import build
from vatl_core.promises import checked_reason
from vatl_core.records import History
from vatl_core.weights import is_random
from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Trial, shared_videos
from vatl_report.layout import Cell, Part, Table
from vatl_report.measure import QUERY, Measure, figures
from vatl_report.rows import Rows, Value, heads, mean_cells, rows_of
from vatl_report.stops import judged_by
from vatl_report.wording import plural

if TYPE_CHECKING:
    from vatl_core.run import PastRun

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8)
"""The τ of the papers."""
_ANY: Final = "any"


@attrs.frozen
class Stopped:
    """Where a criterion would have stopped a run, and what was known there.

    Attributes:
        cycle: in which it fired; None if it never did, in a run that labelled everything.
        percent: labelled, the query of that cycle included; all if it never fired.
        before: ``{measure's key: accuracy}`` of that cycle's estimates, with the labels of earlier queries.
        after: of the next cycle's, which have learnt from the query as well.
    """

    cycle: int | None
    percent: float
    before: Mapping[str, float]
    after: Mapping[str, float]


Outcomes = Mapping[tuple[str, float], Mapping[str, Stopped]]
"""``{(criterion, τ): {run: where it stopped}}``, without runs that ended before it could be known."""


def thresholds_part(experiment: Experiment) -> Part | None:
    """Every criterion that fired at some τ in any run; None if none did."""
    trials = [t for t in experiment.trials if t.video in shared_videos(experiment.trials)]
    found = outcomes(trials)
    if not found:
        return None
    measures = [m for m in experiment.measures if m.name != QUERY]
    measures = [m for m in measures if m.with_labels] or measures
    return Part(
        "Stopping by τ",
        "Where each criterion would have stopped the runs at these τ, by what the runs recorded. Labelled: in % of the "
        "video's instances, the query at which it fired included. Before: accuracy in that cycle, by the labels of "
        "earlier queries. After: in the next, when that query was learnt from, too. Mean ± standard deviation (n − 1) "
        "over the videos of the mean over seeds; with one video, over its seeds. In the first columns a run in which "
        "the criterion never fired counts as 100 % labelled; in the last ones it is left out.",
        data={"stopping_by_run": _csv(trials, found, measures)},
        tables=(_table(trials, found, measures),),
        notes=tuple(_notes(trials, found)),
    )


def outcomes(trials: Sequence[Trial]) -> Outcomes:
    """Where each criterion would have stopped each run at each τ; those that never fired at any are left out."""
    found: dict[tuple[str, float], dict[str, Stopped]] = {}
    for trial in trials:
        criteria = stopping_criteria(trial.past)
        for threshold in THRESHOLDS:
            for name, cycle in fired_at(trial.past, threshold, criteria).items():
                if stopped := _stopped(trial, cycle):
                    found.setdefault((name, threshold), {})[trial.name] = stopped
    ever = {name for (name, _), runs in found.items() if any(s.cycle is not None for s in runs.values())}
    return {(name, t): found.get((name, t), {}) for name in sorted(ever) for t in THRESHOLDS}


def stopping_criteria(past: PastRun) -> dict[str, Stopping]:
    """The criteria that the run was judged by, as it set them."""
    made = {}
    for name in judged_by(past):
        try:
            made[name] = build(past.registry, "stopping", name, past.config.of("stop", name))
        except VatlError:  # it is not installed here, or needs options that the run had no reason to set
            continue
    return made


def fired_at(past: PastRun, threshold: float, criteria: Mapping[str, Stopping]) -> dict[str, int | None]:
    """The first cycle in which each criterion would have stopped the run at this τ, or None.

    What a criterion sees is in the records. One that fails is left out, as the run left its advice out.
    """
    seen, fired = histories(past, threshold), dict[str, int | None]()
    for name, criterion in criteria.items():
        try:
            fired[name] = next((len(h.cycles) - 1 for h in seen if checked_reason(name, criterion, h)), None)
        except VatlError:
            continue
    return fired


def histories(past: PastRun, threshold: float) -> list[History]:
    """What stopping criteria saw in each cycle that they were asked in, at this τ."""
    begun, random = int(bool(past.folder.given)), is_random(past.closing.weights if past.closing else "")
    found = []
    for n, record in enumerate(past.cycles[begun:], start=begun):
        if not record.closes:
            undecided = {phase: seconds for phase, seconds in record.seconds.items() if phase != "retrain"}
            records = (*past.cycles[:n], attrs.evolve(record, seconds=undecided))
            elapsed = sum(sum(r.seconds.values()) for r in records)
            found.append(History(records, threshold, elapsed, random, len(past.folder.given)))
    return found


def _stopped(trial: Trial, cycle: int | None) -> Stopped | None:
    """None where a run ended early in which the criterion had not fired: nobody knows when it would have."""
    cycles = trial.past.cycles
    judged = [figures(r.evaluation) if r.evaluation else {} for r in cycles]
    if cycle is None:
        return Stopped(None, 100.0, judged[-1], judged[-1]) if _whole(trial) else None
    record = cycles[cycle]
    learnt = "retrain" in record.seconds and cycle + 1 < len(cycles)
    percent = 100 * record.labelled_after / record.instances
    return Stopped(cycle, percent, judged[cycle], judged[cycle + 1] if learnt else {})


def _whole(trial: Trial) -> bool:
    """Whether everything was labelled in the end."""
    last = trial.past.cycles[-1]
    return last.labelled == last.instances


def _table(trials: Sequence[Trial], found: Outcomes, measures: Sequence[Measure]) -> Table:
    titles, _ = heads(rows_of(trials, lambda t: t.strategy), "method")
    accuracies = [f"{m.short} {when}" for m in measures for when in ("before", "after")]
    head = (
        "criterion", "τ", *titles, "fired in runs", "labelled (%)", *accuracies,
        *(f"{title}, fired" for title in ("labelled (%)", *accuracies)),
    )  # fmt: skip
    cells = [row for (name, t), runs in _told(found).items() for row in _rows(trials, name, t, runs, measures)]
    of = f", {measures[0].title.partition(', ')[2]}" if measures else ""
    title = f"Stopping by τ{of}: mean ± standard deviation"
    return Table("stopping_thresholds", title, head, tuple(cells), 2 + len(titles))


def _told(found: Outcomes) -> dict[tuple[str, str], Mapping[str, Stopped]]:
    """A criterion that stops alike at every τ does not go by it, and is told once."""
    told: dict[tuple[str, str], Mapping[str, Stopped]] = {}
    for name in dict.fromkeys(name for name, _ in found):
        runs = {t: found[name, t] for t in THRESHOLDS}
        alike = all(each == runs[THRESHOLDS[0]] for each in runs.values())
        told |= {(name, _ANY): runs[THRESHOLDS[0]]} if alike else {(name, f"{t:g}"): each for t, each in runs.items()}
    return told


def _rows(
    trials: Sequence[Trial], name: str, threshold: str, runs: Mapping[str, Stopped], measures: Sequence[Measure]
) -> list[tuple[Cell, ...]]:
    """One criterion at one τ, a row a method."""
    rows = {key: of for key, of in rows_of(trials, lambda t: t.strategy).items() if any(t.name in runs for t in of)}
    counted: Rows = {key: [t for t in of if t.name in runs] for key, of in rows.items()}
    fired: Rows = {key: [t for t in of if runs[t.name].cycle is not None] for key, of in counted.items()}
    columns = [[Cell(f"{len(fired[key])} of {len(counted[key])}", len(fired[key])) for key in rows]]
    for some in (counted, fired):
        columns.append(mean_cells(some, lambda t: runs[t.name].percent, 1))
        columns += [mean_cells(some, value) for m in measures for value in _accuracies(runs, m.key)]
    several = len({t.estimator for t in trials}) > 1
    names = [tuple(Cell.of(part) for part in key[not several :]) for key in rows]
    told = (Cell.of(name), Cell.of(threshold))
    return [(*told, *own, *cells) for own, cells in zip(names, zip(*columns, strict=True), strict=True)]


def _accuracies(runs: Mapping[str, Stopped], key: str) -> tuple[Value, Value]:
    return lambda t: runs[t.name].before.get(key), lambda t: runs[t.name].after.get(key)


def _notes(trials: Sequence[Trial], found: Outcomes) -> list[str]:
    notes = [
        "A τ other than a run's own tells where the criterion would have stopped that very run. Retraining policies "
        "that go by τ (`continual`, `from-source`) would have learnt from other labels: for figures of their own, run "
        "each τ with `--threshold`."
    ]
    early = {t.name for t in trials for runs in found.values() if t.name not in runs and not _whole(t)}
    if early:
        notes.append(
            f"{plural(len(early), 'run')} ended before everything was labelled: left out where the criterion had not "
            "fired by then."
        )
    return notes


def _csv(trials: Sequence[Trial], found: Outcomes, measures: Sequence[Measure]) -> str:
    rows = [
        [name, threshold, t.name, t.method, t.video, t.seed, s.cycle, s.percent]
        + [table.get(m.key) for m in measures for table in (s.before, s.after)]
        for (name, threshold), runs in found.items()
        for t in trials
        if (s := runs.get(t.name))
    ]
    head = ["criterion", "threshold", "run", "method", "video", "seed", "cycle", "labelled_percent"]
    return csv_text([*head, *(f"{m.key}_{when}" for m in measures for when in ("before", "after"))], rows)
