"""Uncertainty against accuracy: whether what a criterion calls uncertain is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from vatl_core.errors import VatlError
from vatl_core.metrics import oks
from vatl_drawing import COLOURS, DASHES, Plot
from vatl_formats import csv_text
from vatl_report.experiment import Experiment, Trial
from vatl_report.layout import Part
from vatl_report.plots import ACROSS, MARKERS, Style, in_grid, legend_below
from vatl_report.same_video import check_video

BINS: Final = 10
_DOTS: Final = 300
"""Instances that are drawn one by one, of each criterion."""
_FIRST, _LATER = "before any label", "later cycles, unlabelled instances"
_LOOKS: Final = {
    _FIRST: Style(COLOURS[0], DASHES[0], MARKERS[0]), _LATER: Style(COLOURS[1], DASHES[1], MARKERS[1]),
}  # fmt: skip


@attrs.frozen
class Scores:
    """A criterion's scores in one pass.

    Attributes:
        criterion: its name.
        when: before any label, or later.
        percentile: (U,) rank among the unlabelled, 0 to 100, 100 the most uncertain.
        oks: (U,) of the same.
    """

    criterion: str
    when: str
    percentile: NDArray[np.float64]
    oks: NDArray[np.float64]


def uncertainty_part(experiment: Experiment) -> Part | None:
    """A panel a criterion; None where no run has truth, or none can be read any more."""
    problems: dict[str, None] = {}
    passes = [scores for trial in _with_videos(experiment) for scores in _of_trial(trial, problems)]
    notes = tuple(f"Without those whose pictures or truth cannot be read: {problem}" for problem in problems)
    if not passes:
        return Part("Uncertainty against accuracy", "Not known for any run.", notes=notes) if notes else None
    by_criterion: dict[str, list[Scores]] = {}
    for scores in passes:
        by_criterion.setdefault(scores.criterion, []).append(scores)
    caption = (
        "Lines: mean OKS in tenths of the instances by their rank. "
        f"Dots: up to {_DOTS} single instances before any label. A good criterion falls from left to right."
    )
    return Part(
        "Uncertainty against accuracy",
        "Criteria have scales of their own, so the unlabelled instances of a pass are ranked: 0 the surest, 100 the "
        "most uncertain. All runs in which a criterion was computed are taken together.",
        {"uncertainty": (_plot(by_criterion), caption)},
        {"uncertainty": _csv(by_criterion)},
        notes=notes,
    )


def _with_videos(experiment: Experiment) -> Iterator[Trial]:
    """The trials with truth; a video is loaded once for all its runs."""
    loaded: dict[str, Any] = {}
    for trial in (trial for trial in experiment.trials if trial.judged):
        if trial.video in loaded:
            vars(trial.past).setdefault("video", loaded[trial.video])
        yield trial
        if "video" in vars(trial.past):
            loaded[trial.video] = trial.past.video


def _of_trial(trial: Trial, problems: dict[str, None]) -> list[Scores]:
    """The criteria's scores in each cycle; a reason among the ``problems`` where the truth cannot be had."""
    try:
        check_video(trial.past)
    except (VatlError, OSError) as error:
        problems[f"{trial.video} ({error})"] = None
        return []
    truth = trial.past.video.instances
    unlabelled = torch.ones(len(truth), dtype=torch.bool)
    found = []
    for record in trial.past.cycles:
        kept = trial.past.folder.estimates(record.cycle)
        if kept is not None and truth.keypoints is not None and truth.visible is not None:
            sigmas = trial.past.video.skeleton.sigmas
            values = oks(kept.keypoints, truth.keypoints, truth.visible, truth.boxes, sigmas)
            among = unlabelled & truth.annotated
            when = _LATER if record.labelled else _FIRST
            found += [
                s for name, column in kept.criteria.items() if (s := _ranked(name, when, column[among], values[among]))
            ]
        unlabelled[list(record.query)] = False
    return found


def _ranked(name: str, when: str, scores: Tensor, values: Tensor) -> Scores | None:
    if len(scores) < BINS or bool((scores == scores[0]).all()):
        return None
    percentile = 100 * (rankdata(scores) - 0.5) / len(scores)
    return Scores(name, when, percentile, values.double().numpy())


def binned(passes: Sequence[Scores], when: str) -> tuple[list[float], list[float], list[int]]:
    """Middles of the tenths that hold anything, the mean OKS in each, and how many instances it is of."""
    here = [scores for scores in passes if scores.when == when]
    if not here:
        return [], [], []
    percentile, values = (np.concatenate([getattr(s, name) for s in here]) for name in ("percentile", "oks"))
    place = np.minimum((percentile * BINS / 100).astype(int), BINS - 1)
    counts, sums = np.bincount(place, minlength=BINS), np.bincount(place, values, minlength=BINS)
    there = [n for n in range(BINS) if counts[n]]
    middles = [(n + 0.5) * 100 / BINS for n in there]
    return middles, [float(sums[n] / counts[n]) for n in there], [int(counts[n]) for n in there]


def _plot(by_criterion: dict[str, list[Scores]]) -> Plot:
    def draw(figure: Any, axes: Sequence[Any]) -> None:
        for number, (axis, (name, passes)) in enumerate(zip(axes, by_criterion.items(), strict=True)):
            _dots(axis, [s for s in passes if s.when == _FIRST])
            for when, look in _LOOKS.items():
                middles, means, _ = binned(passes, when)
                axis.plot(middles, means, **look.line, zorder=3)
            axis.set_title(name, fontsize=10, parse_math=False)
            axis.set_xlim(0, 100)
            axis.set_ylim(0, 1)
            if number + ACROSS >= len(axes):
                axis.set_xlabel("rank of the score (percentile;\n100: the most uncertain)")
        figure.supylabel("OKS (0–1)", fontsize=10)
        legend_below(figure, _LOOKS)

    return in_grid(draw, len(by_criterion), 3.3, 2.8, sharey=True)


def _dots(axis: Any, passes: Sequence[Scores]) -> None:
    """Some of the instances, evenly taken."""
    if not passes:
        return
    percentile, values = (np.concatenate([getattr(s, name) for s in passes]) for name in ("percentile", "oks"))
    some = np.linspace(0, len(values) - 1, min(_DOTS, len(values))).astype(int)
    axis.plot(percentile[some], values[some], ".", color="#7f7f7f", markersize=3, alpha=0.5, rasterized=True)


def _csv(by_criterion: dict[str, list[Scores]]) -> str:
    rows = [
        [name, when, middle, mean, count]
        for name, passes in by_criterion.items()
        for when in _LOOKS
        for middle, mean, count in zip(*binned(passes, when), strict=True)
    ]
    return csv_text(["criterion", "when", "percentile", "mean_oks", "instances"], rows)
