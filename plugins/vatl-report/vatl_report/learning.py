"""Learning curves of methods, and the papers' table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from vatl_drawing import Plot, plotted
from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Trial, by_video, columns, grid, mean_at, shared_videos
from vatl_report.layout import Cell, Part, Table, accuracies, file_name, from_columns
from vatl_report.measure import QUERY, Measure, lacking
from vatl_report.plots import ACROSS, Style, in_grid, legend_below, percent_scale, styles, unit_scale
from vatl_report.statistics import Mean
from vatl_report.wording import plural

MOST_PANELS: Final = 24
LEAST_RUNS: Final = 3
"""For a band: two seeds give an interval that fills the figure."""


@attrs.frozen
class MeanCurve:
    """A method's mean curve.

    Attributes:
        percent: labelled, ascending.
        means: one for each.
    """

    percent: tuple[float, ...]
    means: tuple[Mean, ...]

    @classmethod
    def of(cls, trials: Sequence[Trial], measure: str) -> MeanCurve:
        """Mean over videos of the mean over seeds, as far as all ``trials`` go."""
        points = grid(trials, measure)
        means = [mean_at(trials, measure, point) for point in points]
        return cls(tuple(points), tuple(mean for mean in means if mean))


def mean_curves(trials: Sequence[Trial], measure: str) -> dict[str, MeanCurve]:
    """``{method: curve}``"""
    methods = dict.fromkeys(t.method for t in trials)
    return {name: MeanCurve.of([t for t in trials if t.method == name], measure) for name in methods}


def learning_part(experiment: Experiment) -> Part | None:
    """Curves over all shared videos and on each video; None where no run has a measure."""
    shown, without = experiment.measures, tuple(_lacking(experiment))
    if not shown:
        return Part("Learning curves", "Not known for any run.", notes=without) if without else None
    first, looks = shown[0].key, styles(experiment.methods)
    shared = {measure: videos for measure in shown if (videos := experiment.shared(measure.key))}
    pooled = {m: mean_curves(experiment.with_curve(m.key, videos), m.key) for m, videos in shared.items()}
    apart = {v: mean_curves(experiment.with_curve(first, [v]), first) for v in _videos(experiment, first)}
    figures = {}
    if pooled:
        panels = {_label(m): curves for m, curves in pooled.items()}
        figures["learning_curves"] = _curves_plot(panels, looks), _caption(experiment.shared(first), pooled)
    if len(apart) > 1 or not pooled:
        some = dict(list(apart.items())[:MOST_PANELS])
        caption = f"{_label(shown[0])}, video by video" + (
            f"; the first {len(some)} of {len(apart)}." if len(some) < len(apart) else "."
        )
        figures["learning_curves_by_video"] = _videos_plot(some, _label(shown[0]), looks), caption
    tables = tuple(papers_table(experiment, m) for m in shared if m.name != QUERY)
    data = _csv([("", m.key, curves) for m, curves in pooled.items()] + [(v, first, c) for v, c in apart.items()])
    return Part(
        "Learning curves",
        "A line is the mean over videos of the mean over seeds; the band is its 95 % confidence interval (Student's t, "
        "over the seeds), drawn from three runs on. Curves are compared at the percentages of their schedules, between "
        "the points of a run along a straight line, and end where the first of their runs ended.",
        figures,
        {"learning_curves": data},
        tables,
        (*_notes(experiment, first), *without),
    )


def _label(measure: Measure) -> str:
    """Of an axis."""
    return f"{measure.title} (0–1{', lower is better' if measure.lower else ''})"


def _lacking(experiment: Experiment) -> list[str]:
    """A line for each measure that runs lack though they were measured."""
    judged, measures = [t for t in experiment.trials if t.judged], experiment.asked or experiment.measures
    without = {m: [t.name for t in judged if not t.curves.get(m.key)] for m in measures if m.name != QUERY}
    return [lacking(measure, names) for measure, names in without.items() if names]


def _videos(experiment: Experiment, measure: str) -> list[str]:
    return [video for video in experiment.videos if experiment.with_curve(measure, [video])]


def _notes(experiment: Experiment, measure: str) -> list[str]:
    """What to keep in mind about seeds and videos."""
    notes, shared = [], experiment.shared(measure)
    trials = experiment.with_curve(measure)
    seeds = {(t.method, t.video): 0 for t in trials}
    for t in trials:
        seeds[t.method, t.video] += 1
    if single := sum(count == 1 for count in seeds.values()):
        notes.append(
            f"{single} of {plural(len(seeds), 'combination')} of method and video have one run: where they take part "
            "there is no interval."
        )
    alone = [video for video in _videos(experiment, measure) if video not in shared]
    if some := [video for video in alone if video not in shared_videos(trials)]:
        notes.append(f"Not every method was run on {', '.join(some)}: what is pooled leaves this out.")
    if short := [video for video in alone if video in shared_videos(trials)]:
        notes.append(f"Runs on {', '.join(short)} end long before the others: what is pooled leaves this out.")
    blind = [t.name for t in experiment.trials if not t.judged]
    if blind and measure != QUERY:
        notes.append(f"For want of figures: {', '.join(blind)} (no truth to measure against).")
    return notes


def _caption(shared: Sequence[str], pooled: Mapping[Measure, Mapping[str, MeanCurve]]) -> str:
    runs = sorted({curve.means[0].count for curves in pooled.values() for curve in curves.values()})
    each = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    over = f"{len(shared)} videos ({', '.join(shared)})" if 1 < len(shared) <= 8 else plural(len(shared), "video")
    return f"Mean over {over}, {each} run{'' if runs[-1] == 1 else 's'} a method. 0 %: the source estimators."


def _curves_plot(panels: Mapping[str, Mapping[str, MeanCurve]], looks: Mapping[str, Style]) -> Plot:
    def draw(figure: Any) -> None:
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axis, (label, curves) in zip(axes, panels.items(), strict=True):
            for name, curve in curves.items():
                draw_curve(axis, curve, looks[name])
            unit_scale(axis, label)
        legend_below(figure, {name: looks[name] for curves in panels.values() for name in curves})

    return plotted(draw, 5 * max(len(panels), 1.4), 4.3 + 0.08 * len(looks))


def _videos_plot(videos: Mapping[str, Mapping[str, MeanCurve]], label: str, looks: Mapping[str, Style]) -> Plot:
    def draw(figure: Any, axes: Sequence[Any]) -> None:
        for number, (axis, (video, curves)) in enumerate(zip(axes, videos.items(), strict=True)):
            for name, curve in curves.items():
                draw_curve(axis, curve, looks[name], small=True)
            axis.set_title(video, fontsize=10, parse_math=False)
            axis.set_ylim(0, 1)
            percent_scale(axis, "labelled instances (%)" if number + ACROSS >= len(axes) else "")
        figure.supylabel(label, fontsize=10)
        legend_below(figure, {name: looks[name] for curves in videos.values() for name in curves})

    return in_grid(draw, len(videos), 3.3, 2.6, sharey=True)


def draw_curve(axis: Any, curve: MeanCurve, look: Style, small: bool = False) -> None:
    """One method's mean and, where it is known, its band."""
    values = [mean.mean for mean in curve.means]
    if len(values) > 1 and all(mean.low is not None and mean.count >= LEAST_RUNS for mean in curve.means):
        low, high = zip(*((mean.low, mean.high) for mean in curve.means), strict=True)
        axis.fill_between(curve.percent, low, high, color=look.colour, alpha=0.15, linewidth=0)
    every = max(1, len(values) // 12)
    size = {"markersize": 3.5, "linewidth": 1.2} if small else {}
    axis.plot(curve.percent, values, **look.line, markevery=every, clip_on=False, zorder=3, **size)


def papers_table(experiment: Experiment, measure: Measure) -> Table:
    """Methods in rows, labelled percentages and the area in columns, over the shared videos."""
    key = measure.key
    trials = experiment.with_curve(key, experiment.shared(key))
    methods = [m for m in experiment.methods if any(t.method == m for t in trials)]
    points = columns(trials, key)
    start, end = points[0], points[-1]

    def column(value: Callable[[list[Trial]], Mean | None]) -> list[Cell]:
        found = [value([t for t in trials if t.method == m]) for m in methods]
        return accuracies([mean.mean if mean else None for mean in found], lower=measure.lower)

    cells = [column(partial(mean_at, measure=key, percent=point)) for point in points]
    cells.append(column(lambda some: by_video(some, lambda t: t.curves[key].mean(start, end))))
    head = ["method", *(f"{point:.3g} %" for point in points), "ALC" if end > 99.5 else f"ALC to {end:.3g} %"]
    title = f"{measure.title}: mean over {plural(len({t.video for t in trials}), 'video')}"
    return Table(f"table_{file_name(key)}", title, tuple(head), from_columns(methods, cells))


def _csv(curves: Sequence[tuple[str, str, Mapping[str, MeanCurve]]]) -> str:
    """Every mean curve; an empty video means all the shared ones."""
    rows = [
        [video, method, measure, percent, mean.mean, mean.low, mean.high, mean.count]
        for video, measure, of_methods in curves
        for method, curve in of_methods.items()
        for percent, mean in zip(curve.percent, curve.means, strict=True)
    ]
    return csv_text(["video", "method", "measure", "labelled_percent", "mean", "low", "high", "runs"], rows)
