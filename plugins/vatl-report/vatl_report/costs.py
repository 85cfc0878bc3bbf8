"""What accuracy costs: curves over the minutes of annotation, their areas, and the minutes that an accuracy takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import methodcaller
from typing import Any, Final

import attrs

from vatl_drawing import Plot, plotted
from vatl_formats import csv_text
from vatl_report.curves import Curve
from vatl_report.experiment import Experiment, Range, Trial, by_video
from vatl_report.layout import Cell, Part, Table, accuracies, file_name, from_columns
from vatl_report.learning import MeanCurve, draw_curve
from vatl_report.measure import QUERY, Measure
from vatl_report.plots import Style, legend_below, styles, unit_scale
from vatl_report.statistics import Mean
from vatl_report.targets import targets
from vatl_report.wording import UNKNOWN, plural

POINTS: Final = 49
"""At which curves are averaged, evenly over the minutes that all runs reached."""


def costs_part(experiment: Experiment) -> Part | None:
    """Accuracy over minutes, on the shared videos; None where nobody spent any time, or no video is shared."""
    timed = over_minutes(experiment)
    shown = {m: Pooled.of(timed, m) for m in experiment.measures if timed.shared(m.key)}
    if not shown:
        return None
    looks = styles(experiment.methods)
    judged = {m: pooled for m, pooled in shown.items() if m.name != QUERY}
    needed = [table for m, pooled in judged.items() if (table := _needed_table(m, pooled))]
    return Part(
        "Cost",
        "The same accuracies over the minutes that annotating took, as the oracle has them of each label; refusals "
        "have none. A line is the mean over videos of the mean over seeds, between the points of a run along a "
        "straight line, as far as the cheapest run came. The area is the mean accuracy over these minutes.",
        {"cost_curves": (_plot(shown, looks), _caption(shown))},
        {"cost_curves": _curves_csv(shown), "cost_by_run": _runs_csv(timed, shown)},
        (*(_table(m, pooled) for m, pooled in judged.items()), *needed),
        tuple(_notes(experiment, timed)),
    )


def over_minutes(experiment: Experiment) -> Experiment:
    """The runs whose labels cost time, with minutes in place of labelled percentages in their curves."""
    timed = [trial for trial in experiment.trials if any(r.annotation_seconds for r in trial.past.cycles)]
    return attrs.evolve(experiment, trials=tuple(attrs.evolve(t, curves=minute_curves(t)) for t in timed))


def minute_curves(trial: Trial) -> dict[str, Curve]:
    """A run's curves over the minutes spent by then; of several points at the same time the last counts."""
    spent = list(accumulate((r.annotation_seconds / 60 for r in trial.past.cycles), initial=0.0))
    at = {100 * r.fraction: minutes for r, minutes in zip(trial.past.cycles, spent, strict=False)}
    if (closing := trial.past.closing) and closing.instances:
        at[100 * (closing.labelled / closing.instances)] = spent[-1]
    curves = {}
    for name, curve in trial.curves.items():
        points = {at[percent]: value for percent, value in zip(curve.percent, curve.values, strict=True)}
        curves[name] = Curve(tuple(points), tuple(points.values()))
    return curves


@attrs.frozen
class Pooled:
    """One measure of the runs on the shared videos, over minutes.

    Attributes:
        measure: which.
        groups: ``{method: its runs}``.
        reached: the minutes that all of them cover.
    """

    measure: Measure
    groups: dict[str, list[Trial]]
    reached: Range

    @classmethod
    def of(cls, timed: Experiment, measure: Measure) -> Pooled:
        """Those of an experiment over minutes."""
        trials = timed.with_curve(measure.key, timed.shared(measure.key))
        groups = {m: [t for t in trials if t.method == m] for m in dict.fromkeys(t.method for t in trials)}
        return cls(measure, groups, Range.of([t.curves[measure.key] for t in trials]))

    def means(self, value: Callable[[Curve], float | None]) -> list[Mean | None]:
        """What there is to say of each method's curves, on average."""
        return [by_video(trials, lambda t: value(t.curves[self.measure.key])) for trials in self.groups.values()]

    def curves(self) -> dict[str, MeanCurve]:
        """``{method: mean curve}``"""
        start, end = self.reached.start, self.reached.end
        minutes = tuple(start + (end - start) * n / (POINTS - 1) for n in range(POINTS))
        columns = [self.means(methodcaller("at", at)) for at in minutes]
        rows = zip(self.groups, zip(*columns, strict=True), strict=True)
        return {method: MeanCurve(minutes, tuple(mean for mean in means if mean)) for method, means in rows}

    def area(self, curve: Curve) -> float:
        """The mean value over the minutes that all reached."""
        return curve.mean(self.reached.start, self.reached.end)


def _table(measure: Measure, pooled: Pooled) -> Table:
    """Methods in rows, round minutes and the area in columns."""
    from matplotlib.ticker import MaxNLocator

    start, end = pooled.reached.start, pooled.reached.end
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(start, end)
    points = [minutes for minutes in map(float, ticks) if start <= minutes <= end]
    values: list[Callable[[Curve], float]] = [*(methodcaller("at", at) for at in points), pooled.area]
    cells = [accuracies([m.mean if m else None for m in pooled.means(value)]) for value in values]
    head = ("method", *(f"{minutes:.4g} min" for minutes in points), f"area to {end:.4g} min")
    title = f"{measure.title}, over minutes: mean over {_videos(pooled)}"
    return Table(f"cost_{file_name(measure.key)}", title, head, from_columns(pooled.groups, cells))


def _needed_table(measure: Measure, pooled: Pooled) -> Table | None:
    """Minutes that it takes to reach an accuracy; None where no run reaches any."""
    every = [t.curves[measure.key] for trials in pooled.groups.values() for t in trials]
    reached = [t for t in targets(measure) if any(curve.first(t, measure.lower) is not None for curve in every)]
    if not reached:
        return None
    head = ("method", *(f"{target:g}" for target in reached))
    title = f"Minutes needed for an accuracy, {measure.title}: mean over {_videos(pooled)}"
    columns = [_needed(pooled, target) for target in reached]
    return Table(f"cost_needed_{file_name(measure.key)}", title, head, from_columns(pooled.groups, columns))


def _needed(pooled: Pooled, target: float) -> list[Cell]:
    """One accuracy, a cell a method; the fewest minutes bold, and no mean where some runs never get there."""
    key, lower = pooled.measure.key, pooled.measure.lower
    found = [[t.curves[key].first(target, lower) for t in trials] for trials in pooled.groups.values()]
    means = pooled.means(lambda curve: curve.first(target, lower))
    known = [m.mean if m and None not in f else None for m, f in zip(means, found, strict=True)]
    texts = [
        f"{value:.1f}" if value is not None else f"{there} of {len(f)} runs" if (there := len(f) - f.count(None)) else
        UNKNOWN
        for value, f in zip(known, found, strict=True)
    ]  # fmt: skip
    shown = [float(text) for text, value in zip(texts, known, strict=True) if value is not None]
    best = min(shown) if len(set(shown)) > 1 else None
    return [Cell(t, v, v is not None and float(t) == best) for t, v in zip(texts, known, strict=True)]


def _videos(pooled: Pooled) -> str:
    return plural(len({t.video for trials in pooled.groups.values() for t in trials}), "video")


def _plot(shown: Mapping[Measure, Pooled], looks: Mapping[str, Style]) -> Plot:
    def draw(figure: Any) -> None:
        axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axis, (measure, pooled) in zip(axes, shown.items(), strict=True):
            for method, curve in pooled.curves().items():
                draw_curve(axis, curve, looks[method])
            unit_scale(axis, f"{measure.title} (0–1)")
            axis.set_xlabel("minutes of annotation by then")
            axis.set_xlim(0, pooled.reached.end * 1.02)
        legend_below(figure, {method: looks[method] for pooled in shown.values() for method in pooled.groups})

    return plotted(draw, 5 * max(len(shown), 1.4), 4.3 + 0.08 * len(looks))


def _caption(shown: Mapping[Measure, Pooled]) -> str:
    return f"Mean over {_videos(next(iter(shown.values())))}. 0 minutes: the source estimators."


def _notes(experiment: Experiment, timed: Experiment) -> list[str]:
    there = {trial.name for trial in timed.trials}
    lacking = [trial.name for trial in experiment.trials if trial.name not in there]
    return [f"For want of times: {', '.join(lacking)} (nobody spent any on its labels)."] if lacking else []


def _curves_csv(shown: Mapping[Measure, Pooled]) -> str:
    rows = [
        [method, measure.key, minutes, mean.mean, mean.low, mean.high, mean.count]
        for measure, pooled in shown.items()
        for method, curve in pooled.curves().items()
        for minutes, mean in zip(curve.percent, curve.means, strict=True)
    ]
    return csv_text(["method", "measure", "minutes", "mean", "low", "high", "runs"], rows)


def _runs_csv(timed: Experiment, shown: Mapping[Measure, Pooled]) -> str:
    """Each run's area over the minutes that all reached, and the minutes in which it came to an accuracy."""
    wanted = list(dict.fromkeys(target for measure in shown for target in targets(measure)))
    rows = [
        [t.name, t.method, t.video, t.seed, measure.key, *_of_run(t, pooled, wanted)]
        for measure, pooled in shown.items()
        for t in timed.with_curve(measure.key, timed.shared(measure.key))
    ]
    head = ["run", "method", "video", "seed", "measure", "minutes", "from_minutes", "to_minutes", "area"]
    return csv_text([*head, *(f"minutes_to_{target:g}" for target in wanted)], rows)


def _of_run(trial: Trial, pooled: Pooled, wanted: Sequence[float]) -> Sequence[float | None]:
    curve, minutes = trial.curves[pooled.measure.key], sum(r.annotation_seconds for r in trial.past.cycles) / 60
    own = targets(pooled.measure)
    reached = pooled.reached.start, pooled.reached.end, pooled.area(curve)
    return [minutes, *reached, *(curve.first(t, pooled.measure.lower) if t in own else None for t in wanted)]
