"""How many labels it takes to reach a given accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Trial, by_video
from vatl_report.layout import Cell, Part, Table, from_columns
from vatl_report.wording import UNKNOWN, plural

TARGETS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_SHORT: Final = {"ap": "AP, estimates alone", "ap_with_labels": "AP, labels counted in"}


def targets_part(experiment: Experiment) -> Part | None:
    """Labels needed, in % of the video's instances; None where no run has an AP."""
    shown = [measure for measure in _SHORT if experiment.shared(measure)]
    tables = tuple(table for measure in shown if (table := _table(experiment, measure)))
    if not tables:
        return None
    return Part(
        "Labels needed",
        "Labelled instances in % of the video's when a run's curve first reaches an AP, between its points along a "
        "straight line: the mean over videos of the mean over seeds. Where some runs never get there, there is no "
        "mean, and the cell says how many do.",
        data={"labels_needed": _csv(experiment, shown)},
        tables=tables,
        notes=(_about_videos(experiment, shown[0]),),
    )


def _about_videos(experiment: Experiment, measure: str) -> str:
    shared = experiment.shared(measure)
    return f"Over {plural(len(shared), 'video')}: {', '.join(shared)}."


def _table(experiment: Experiment, measure: str) -> Table | None:
    trials = experiment.with_curve(measure)
    trials = [t for t in trials if t.video in experiment.shared(measure)]
    methods = list(dict.fromkeys(t.method for t in trials))
    reached = [target for target in TARGETS if any(t.curves[measure].first(target) is not None for t in trials)]
    if not reached:
        return None
    cells = [_column([[t for t in trials if t.method == m] for m in methods], measure, target) for target in reached]
    head = ("method", *(f"AP {target:g}" for target in reached))
    title = f"Labels needed (% of the video's instances), {_SHORT[measure]}"
    return Table(f"labels_needed_{measure}", title, head, from_columns(methods, cells))


def _column(groups: Sequence[Sequence[Trial]], measure: str, target: float) -> list[Cell]:
    """One target, a cell a method; the fewest labels bold."""
    cells, means = [], []
    for trials in groups:
        found = [t.curves[measure].first(target) for t in trials]
        there = sum(value is not None for value in found)
        mean = by_video(trials, lambda t: t.curves[measure].first(target)) if there == len(found) else None
        means.append(mean.mean if mean else None)
        cells.append(f"{mean.mean:.1f}" if mean else f"{there} of {len(found)} runs" if there else UNKNOWN)
    known = [float(text) for text, mean in zip(cells, means, strict=True) if mean is not None]
    best = min(known) if len(set(known)) > 1 else None
    return [Cell(text, mean, mean is not None and float(text) == best) for text, mean in zip(cells, means, strict=True)]


def _csv(experiment: Experiment, shown: Sequence[str]) -> str:
    rows = [
        [t.name, t.method, t.video, t.seed, m, target, p, None if p is None else p * t.instances / 100]
        for m in shown
        for t in experiment.with_curve(m)
        for target in TARGETS
        for p in [t.curves[m].first(target)]
    ]
    return csv_text(["run", "method", "video", "seed", "measure", "target", "labelled_percent", "labels"], rows)
