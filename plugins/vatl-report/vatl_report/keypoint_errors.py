"""Which keypoints are wrong how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from vatl_drawing import INK, Plot, plotted
from vatl_formats import csv_text
from vatl_report.curves import curve_of
from vatl_report.experiment import Experiment, Trial, columns, mean_at, shared_videos
from vatl_report.layout import Part, file_name
from vatl_report.pck import SHARE, of_keypoints
from vatl_report.plots import Style, legend_below, styles

NEAR: Final = 20.0
"""Labelled percentage at which methods are shown, or the nearest that all reached: early enough to tell them apart."""
SOURCE: Final = "before any label"


@attrs.frozen
class Errors:
    """Errors on the videos of one set of keypoints.

    Attributes:
        keypoints: their names.
        percent: labelled, where the methods are shown.
        shares: ``{method or "before any label": errors}``, one a keypoint, in % of its annotated instances.
        videos: which they are of.
    """

    keypoints: tuple[str, ...]
    percent: float
    shares: dict[str, tuple[float, ...]]
    videos: tuple[str, ...]


def keypoints_part(experiment: Experiment) -> Part | None:
    """One figure for each set of keypoints; None where no run has each keypoint's PCK."""
    found = errors_of(experiment)
    if not found:
        return None
    names = ["keypoint_errors" if n == 1 else f"keypoint_errors_{file_name(str(n))}" for n in range(1, len(found) + 1)]
    looks = {SOURCE: Style(INK, ":", "x")} | styles(experiment.methods)
    figures = {
        name: (_plot(errors, looks), f"Methods at {errors.percent:.3g} % labelled; {', '.join(errors.videos)}.")
        for name, errors in zip(names, found, strict=True)
    }
    return Part(
        "Errors by keypoint",
        f"The share of annotated keypoints that the estimates alone miss by more than {SHARE:g} of the longer side of "
        "the box (1 − PCK): mean over videos of the mean over seeds.",
        figures,
        {name: _csv(errors) for name, errors in zip(names, found, strict=True)},
    )


def errors_of(experiment: Experiment) -> list[Errors]:
    """For each set of keypoints, on the videos that every method of that set was run on."""
    groups: dict[tuple[str, ...], list[Trial]] = {}
    for trial in experiment.trials:
        judged = [(100 * r.fraction, of_keypoints(r.evaluation.further)) for r in trial.past.cycles if r.evaluation]
        names = tuple(dict.fromkeys(name for _, shares in judged for name in shares))
        if names:
            curves = {name: curve_of([(x, shares.get(name)) for x, shares in judged]) for name in names}
            groups.setdefault(names, []).append(attrs.evolve(trial, curves=curves))
    found = [_errors(names, trials) for names, trials in groups.items()]
    return [errors for errors in found if errors]


def _errors(names: tuple[str, ...], trials: Sequence[Trial]) -> Errors | None:
    videos = shared_videos(trials)
    trials = [t for t in trials if t.video in videos]
    if not trials:
        return None
    points = columns(trials, names[0])
    percent = min(points, key=lambda point: abs(point - NEAR))

    def shares(some: Sequence[Trial], at: float) -> tuple[float, ...]:
        means = [mean_at(some, name, at) for name in names]
        return tuple(100 * (1 - mean.mean) for mean in means if mean)

    of_methods = {
        m: shares([t for t in trials if t.method == m], percent) for m in dict.fromkeys(t.method for t in trials)
    }
    before = {SOURCE: shares(trials, points[0])} if points[0] == 0 and percent > 0 else {}
    return Errors(names, percent, before | of_methods, tuple(videos))


def _plot(errors: Errors, looks: dict[str, Style]) -> Plot:
    def draw(figure: Any) -> None:
        axis = figure.subplots()
        rows = range(len(errors.keypoints))
        for name, shares in errors.shares.items():
            axis.plot(shares, rows, **looks[name].points, alpha=0.85, clip_on=False, zorder=3)
        axis.set_yticks(rows, [name.replace("_", " ") for name in errors.keypoints])
        axis.invert_yaxis()
        axis.set_xlim(left=0)
        axis.set_xlabel(f"keypoints off by more than {SHARE:g} of the box (% of the annotated)")
        legend_below(figure, {name: looks[name] for name in errors.shares}, lines=False)

    return plotted(draw, 7, 1.7 + 0.27 * len(errors.keypoints) + 0.08 * len(errors.shares))


def _csv(errors: Errors) -> str:
    rows = [
        [name, 0 if name == SOURCE else errors.percent, keypoint, share]
        for name, shares in errors.shares.items()
        for keypoint, share in zip(errors.keypoints, shares, strict=True)
    ]
    return csv_text(["method", "labelled_percent", "keypoint", "error_percent"], rows)
