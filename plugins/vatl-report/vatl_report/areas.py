"""The area under the learning curve: video by video, and tested between methods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Range, Trial, by_video
from vatl_report.layout import Cell, Part, Table, accuracies, file_name, from_columns
from vatl_report.measure import QUERY, Measure
from vatl_report.statistics import LEAST_PAIRS, Comparison, compare
from vatl_report.wording import UNKNOWN, plural


def areas_part(experiment: Experiment) -> Part | None:
    """ALC per video and tests between methods; None without truth."""
    shown = [measure for measure in experiment.measures if measure.name != QUERY]
    if not shown:
        return None
    areas = {measure.key: run_areas(experiment, measure.key) for measure in shown}
    tests = compare(paired(experiment, areas[shown[0].key]))
    tables = [_area_table(experiment, measure, areas[measure.key]) for measure in shown]
    if tests:
        tables.append(tests_table(tests, shown[0]))
    return Part(
        "Area under the learning curve",
        "ALC is the mean accuracy over the labelled fraction, 0 to 1: from 0 to 100 % it is the papers' area under the "
        "curve. Where a run on a video ended earlier, all runs on that video are compared up to there, as the head of "
        "its column says. Cells are mean ± standard deviation (n − 1) over the seeds.",
        data={"alc_by_run": _csv(experiment, areas)},
        tables=tuple(tables),
        notes=tuple(_notes(tests)),
    )


def ranges(trials: list[Trial], measure: str) -> dict[str, Range]:
    """What all runs on a video reached, by video."""
    videos = sorted({t.video for t in trials})
    return {video: Range.of([t.curves[measure] for t in trials if t.video == video]) for video in videos}


def run_areas(experiment: Experiment, measure: str) -> dict[str, float]:
    """``{run: ALC}`` over the range of its video."""
    trials = experiment.with_curve(measure)
    reached = ranges(trials, measure)
    return {t.name: t.curves[measure].mean(reached[t.video].start, reached[t.video].end) for t in trials}


def paired(experiment: Experiment, areas: Mapping[str, float]) -> dict[str, dict[Hashable, float]]:
    """``{method: {(video, seed): ALC}}``"""
    values: dict[str, dict[Hashable, float]] = {}
    for t in experiment.trials:
        if t.name in areas:
            values.setdefault(t.method, {})[t.video, t.seed] = areas[t.name]
    return values


def _area_table(experiment: Experiment, measure: Measure, areas: Mapping[str, float]) -> Table:
    trials = experiment.with_curve(measure.key)
    methods = [m for m in experiment.methods if any(t.method == m for t in trials)]
    reached, shared = ranges(trials, measure.key), experiment.shared(measure.key)

    def column(videos: list[str], spread: bool) -> list[Cell]:
        found = [by_video(_of(trials, method, videos), lambda t: areas[t.name]) for method in methods]
        return accuracies(
            [m.mean if m else None for m in found],
            [m.deviation if m else None for m in found] if spread else (),
            measure.lower,
        )

    head, cells = ["method"], []
    for video, limits in reached.items():
        head.append(video if limits.end > 99.5 else f"{video} (to {limits.end:.3g} %)")
        cells.append(column([video], spread=True))
    if len(shared) > 1:
        head.append("mean of all" if shared == list(reached) else f"mean of {', '.join(shared)}")
        cells.append(column(shared, spread=False))
    name, title = f"alc_{file_name(measure.key)}", f"ALC, {measure.title}"
    return Table(name, title, tuple(head), from_columns(methods, cells))


def _of(trials: list[Trial], method: str, videos: list[str]) -> list[Trial]:
    return [t for t in trials if t.method == method and t.video in videos]


def tests_table(tests: list[Comparison], measure: Measure) -> Table:
    """One comparison a row."""
    rows = []
    for test in tests:
        better = test.differing - test.higher if measure.lower else test.higher
        few = f"too few to test: {test.differing} of at least {LEAST_PAIRS}"
        rows.append(
            (
                Cell.of(test.first),
                Cell.of(test.second),
                Cell(str(test.pairs), test.pairs),
                Cell(f"{better} of {test.differing}", better),
                Cell(str(test.differing), test.differing),
                Cell(UNKNOWN if test.median is None else f"{test.median:+.4f}".replace("-", "−"), test.median),
                Cell(few if test.p is None else f"{test.p:.4f}", test.p),
                Cell(UNKNOWN if test.adjusted is None else f"{test.adjusted:.4f}", test.adjusted,
                     test.adjusted is not None and test.adjusted < 0.05),
            )
        )  # fmt: skip
    head = ("method A", "method B", "pairs", "A better", "n", "median A − B", "p", "p (Holm)")
    return Table("tests", f"ALC, {measure.title}: Wilcoxon's signed-rank test, two-sided", head, tuple(rows), words=2)


def _notes(tests: list[Comparison]) -> list[str]:
    if not tests:
        return []
    made = sum(test.p is not None for test in tests)
    return [
        "A pair is a run of each method on the same video with the same seed; n counts the pairs whose ALC differs. "
        "The test takes pairs for independent, which those of one video are only in part.",
        f"{made} of {plural(len(tests), 'comparison')} could be tested; p (Holm) is corrected for that number, and "
        f"bold below 0.05. With fewer than {LEAST_PAIRS} pairs no outcome can have p < 0.05: then nothing is tested.",
    ]


def _csv(experiment: Experiment, areas: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for measure, of_runs in areas.items():
        trials = experiment.with_curve(measure)
        reached = ranges(trials, measure)
        rows += [
            [t.name, t.method, t.video, t.seed, measure, reached[t.video].start, reached[t.video].end, of_runs[t.name]]
            for t in trials
        ]
    return csv_text(["run", "method", "video", "seed", "measure", "from_percent", "to_percent", "alc"], rows)
