"""Where stopping criteria stopped, what that saved and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from vatl_drawing import Plot
from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Trial
from vatl_report.layout import Cell, Part, Table
from vatl_report.plots import Style, in_grid, legend_below, styles
from vatl_report.statistics import mean_of
from vatl_report.stops import ACTUAL_FINISH, actual_finish, stops
from vatl_report.wording import UNKNOWN, known

PANELS: Final = {
    "ap": "AP lost by stopping\n(full labelling − at the stop)",
    "mean_oks": "mean OKS lost by stopping\n(likewise)",
}
_ABOUT: Final = (
    "Where each criterion would have ended each run, whether it did or not. Saved: labels not given, in % of the "
    "video's instances."
)
_ABOUT_LOSS: Final = (
    " Lost: AP and mean OKS of the estimates at full labelling, less those of the cycle in which it fired, which a run "
    f"that stops there keeps. {ACTUAL_FINISH} takes all the truth: it says when every instance was correct indeed."
)
_ASIDE: Final = 1.1
"""By how many % the points of a criterion are moved from the next one's, not to hide them."""


@attrs.frozen
class Point:
    """Where one criterion would have stopped one run.

    Attributes:
        criterion: its name.
        trial: the run.
        percent: labelled, in % of the video's; None where it never fired.
        at: ``{"ap": …, "mean_oks": …}`` of the estimates there; without what is not known.
        lost: accuracy at full labelling less that, where the run went so far.
        used: whether it ended the run.
    """

    criterion: str
    trial: Trial
    percent: float | None
    at: dict[str, float]
    lost: dict[str, float]
    used: bool


def points_of(trial: Trial) -> list[Point]:
    """Every criterion that fired in the run, and when all was correct indeed."""
    cycles, closing = trial.past.cycles, trial.past.closing
    full = {}
    if closing and closing.labelled == closing.instances:
        full = {name: value for name in PANELS if (value := known(getattr(closing, name))) is not None}
    found = []
    for stop in [*stops(cycles, ()), actual_finish(cycles)]:
        labelled = None if stop.labelled is None else 100 * stop.labelled / trial.instances
        at = {n: v for n in PANELS if stop.evaluation and (v := known(getattr(stop.evaluation, n))) is not None}
        lost = {name: full[name] - value for name, value in at.items() if name in full}
        found.append(Point(stop.name, trial, labelled, at, lost, stop.used))
    return found


def stopping_part(experiment: Experiment) -> Part | None:
    """Every stopping criterion that fired in any run; None if none did."""
    points = [point for trial in experiment.trials for point in points_of(trial)]
    names = list(dict.fromkeys(p.criterion for p in points if p.percent is not None))
    names.sort(key=lambda name: name == ACTUAL_FINISH)
    if not [name for name in names if name != ACTUAL_FINISH]:
        return None
    looks = styles(names)
    shown = {name: label for name, label in PANELS.items() if any(name in p.lost for p in points)}
    figures = {}
    if shown:
        caption = (
            "A point is one run, criteria a little beside each other. To the right: labels saved. Upward: accuracy "
            "lost; below the line stopping gained."
        )
        figures["stopping"] = _plot(points, shown, looks), caption
    judged = any(p.at for p in points)
    notes = (
        []
        if shown
        else ["No run went to full labelling with truth to measure against: what stopping cost is not known."]
    )
    return Part(
        "Stopping",
        _ABOUT + (_ABOUT_LOSS if judged else ""),
        figures,
        {"stopping": _csv(points)},
        (_table(experiment, points, names),),
        tuple(notes),
    )


def _table(experiment: Experiment, points: Sequence[Point], names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        for method in experiment.methods:
            here = [p for p in points if p.criterion == name and p.trial.method == method]
            runs = sum(t.method == method for t in experiment.trials)
            fired = [p for p in here if p.percent is not None]
            if fired:
                rows.append(_row(name, method, fired, runs))
    head = (
        "criterion", "method", "fired in runs", "labelled (%)", "saved (%)", "AP there", "AP lost", "mean OKS there",
        "mean OKS lost",
    )  # fmt: skip
    told = [n for n in range(len(head)) if any(row[n].text != UNKNOWN for row in rows)]
    return Table(
        "stopping_points",
        "Where criteria stopped: mean ± standard deviation over runs",
        tuple(head[n] for n in told),
        tuple(tuple(row[n] for n in told) for row in rows),
        2,
    )


def _row(name: str, method: str, fired: Sequence[Point], runs: int) -> tuple[Cell, ...]:
    percents = [p.percent for p in fired if p.percent is not None]
    cells = [_spread(percents, 1), _spread([100 - p for p in percents], 1)]
    for measure in PANELS:
        cells.append(_spread([p.at[measure] for p in fired if measure in p.at], 3))
        cells.append(_spread([p.lost[measure] for p in fired if measure in p.lost], 3))
    return (Cell.of(name), Cell.of(method), Cell(f"{len(fired)} of {runs}", len(fired)), *cells)


def _spread(values: Sequence[float], digits: int) -> Cell:
    if not values:
        return Cell(UNKNOWN)
    mean = mean_of([values])
    behind = "" if mean.deviation is None else f" ± {mean.deviation:.{digits}f}"
    return Cell(f"{mean.mean:.{digits}f}{behind}".replace("-", "−"), mean.mean)


def _plot(points: Sequence[Point], shown: dict[str, str], looks: dict[str, Style]) -> Plot:
    def draw(figure: Any, axes: Sequence[Any]) -> None:
        for axis, (measure, label) in zip(axes, shown.items(), strict=True):
            for number, (name, look) in enumerate(looks.items()):
                aside = _ASIDE * (number - (len(looks) - 1) / 2)
                here = [p for p in points if p.criterion == name and p.percent is not None and measure in p.lost]
                axis.plot(
                    [100 - p.percent + aside for p in here if p.percent is not None], [p.lost[measure] for p in here],
                    **look.points, alpha=0.75, markersize=6, clip_on=False,
                )  # fmt: skip
            axis.axhline(0, color="#24292f", linewidth=1)
            axis.set_xlim(-3, 103)
            axis.set_xlabel("labels saved (% of the video's instances)")
            axis.set_ylabel(label)
        legend_below(figure, looks, lines=False)

    return in_grid(draw, len(shown), 4.6, 3.4)


def _csv(points: Sequence[Point]) -> str:
    head = ["criterion", "run", "method", "video", "seed", "labelled_percent", "saved_percent"]
    told = [m for m in PANELS if any(m in p.at for p in points)]
    head += [f"{m}{what}" for m in told for what in ("", "_lost")] + ["ended_the_run"]
    rows = [
        [
            p.criterion, p.trial.name, p.trial.method, p.trial.video, p.trial.seed, p.percent,
            None if p.percent is None else 100 - p.percent,
            *(table.get(m) for m in told for table in (p.at, p.lost)), p.used,
        ]
        for p in points
    ]  # fmt: skip
    return csv_text(head, rows)
