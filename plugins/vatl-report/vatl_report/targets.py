"""The papers' table of methods: the area under the learning curve, and the labels it takes to reach an accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vatl_formats import csv_text
from vatl_report.areas import run_areas
from vatl_report.experiment import Experiment, Trial
from vatl_report.layout import Cell, Part, Table, file_name
from vatl_report.measure import QUERY, Measure
from vatl_report.rows import Rows, Value, heads, mean_cells, named, p_cell, rows_of, tested
from vatl_report.statistics import LEAST_PAIRS
from vatl_report.wording import plural

TARGETS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def targets_part(experiment: Experiment) -> Part | None:
    """ALC and labels needed, in % of the video's instances; None where no run has the measure."""
    shown = [m for m in experiment.measures if m.name != QUERY and experiment.shared(m.key)]
    if not shown:
        return None
    return Part(
        "Labels needed",
        "The area under the learning curve, and labelled instances in % of the video's when a run's curve first "
        "reaches an accuracy, between its points along a straight line: mean ± standard deviation (n − 1) over the "
        "videos of the mean over seeds; with one video, over its seeds. Where some runs never get there, there is no "
        "mean, and the cell says how many do.",
        data={"labels_needed": _csv(experiment, shown)},
        tables=tuple(_table(experiment, measure) for measure in shown),
        notes=(_about_videos(experiment, shown[0]), _about_tests()),
    )


def _about_videos(experiment: Experiment, measure: Measure) -> str:
    shared = experiment.shared(measure.key)
    return f"Over {plural(len(shared), 'video')}: {', '.join(shared)}."


def _about_tests() -> str:
    return (
        "p: Wilcoxon's signed-rank test over the videos, two-sided, of each method's ALC against the best of its "
        f"estimator, corrected by Holm's procedure for the tests made; bold below 0.05. With fewer than {LEAST_PAIRS} "
        "videos that differ (n) nothing is tested."
    )


def _table(experiment: Experiment, measure: Measure) -> Table:
    trials = experiment.with_curve(measure.key, experiment.shared(measure.key))
    rows, areas = rows_of(trials, lambda t: t.strategy), run_areas(experiment, measure.key)
    titles, names = heads(rows, "method")
    reached = [target for target in targets(measure) if any(_labels(t, measure, target) is not None for t in trials)]
    columns = [
        mean_cells(rows, lambda t: areas[t.name], lower=measure.lower),
        *(mean_cells(rows, _reaching(measure, target), 1, lower=True) for target in reached),
        _against_the_best(rows, lambda t: areas[t.name], measure.lower),
    ]
    sign = "≤" if measure.lower else "≥"
    head = (*titles, "ALC", *(f"{measure.short} {sign} {target:g}" for target in reached), "p")
    title = f"ALC and labels needed (% of the video's instances), {measure.title}"
    cells = tuple((*name, *row) for name, row in zip(names, zip(*columns, strict=True), strict=True))
    return Table(f"labels_needed_{file_name(measure.key)}", title, head, cells, len(titles))


def targets(measure: Measure) -> tuple[float, ...]:
    """The accuracies to be reached, the easiest first."""
    return tuple(round(1 - target, 2) for target in TARGETS) if measure.lower else TARGETS


def _labels(trial: Trial, measure: Measure, target: float) -> float | None:
    return trial.curves[measure.key].first(target, measure.lower)


def _reaching(measure: Measure, target: float) -> Value:
    return lambda trial: _labels(trial, measure, target)


def _against_the_best(rows: Rows, value: Value, lower: bool) -> list[Cell]:
    """p of each row against the best of its estimator."""
    means = {key: cell.value for key, cell in zip(rows, mean_cells(rows, value), strict=True)}
    known = {key: mean if lower else -mean for key, mean in means.items() if isinstance(mean, float)}
    best = {key[0]: min((k for k in known if k[0] == key[0]), key=known.__getitem__) for key in known}
    found = tested(rows, value, [(best[key[0]], key) for key in known if best[key[0]] != key])
    return [p_cell(found.get(named(key))) for key in rows]


def _csv(experiment: Experiment, shown: Sequence[Measure]) -> str:
    rows = [
        [t.name, t.method, t.video, t.seed, m.key, target, p, None if p is None else p * t.instances / 100]
        for m in shown
        for t in experiment.with_curve(m.key)
        for target in targets(m)
        for p in [_labels(t, m, target)]
    ]
    return csv_text(["run", "method", "video", "seed", "measure", "target", "labelled_percent", "labels"], rows)
