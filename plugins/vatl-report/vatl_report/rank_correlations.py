"""How well each criterion knows the worst poses, over the cycles."""

from __future__ import annotations

from typing import Any

import attrs

from vatl_drawing import INK, Plot, plotted
from vatl_formats import csv_text
from vatl_report.curves import curve_of
from vatl_report.experiment import Experiment, Trial
from vatl_report.layout import Part
from vatl_report.learning import MeanCurve, draw_curve
from vatl_report.plots import legend_below, percent_scale, styles


def correlations_part(experiment: Experiment) -> Part | None:
    """Spearman's ρ of each criterion with 1 − OKS; None where no run has one."""
    curves = {name: MeanCurve.of(trials, name) for name, trials in _by_criterion(experiment).items()}
    if not curves:
        return None
    caption = (
        "Spearman's ρ of each criterion with 1 − OKS over the unlabelled instances: +1 puts the worst poses first."
    )
    return Part(
        "Rank correlation with the error",
        "Of every run in which a criterion was computed, whatever it was queried by: mean over videos of the mean over "
        "runs, as far as all of them go. Runs on one video begin with the same estimates, so no band is drawn.",
        {"rank_correlation": (_plot(curves), caption)},
        {"rank_correlation": _csv(curves)},
    )


def _by_criterion(experiment: Experiment) -> dict[str, list[Trial]]:
    """The trials with at least two correlations of each criterion; its curve stands among their measures."""
    found: dict[str, list[Trial]] = {}
    for trial in experiment.trials:
        judged = [(r, r.evaluation.rank_correlation) for r in trial.past.cycles if r.evaluation]
        for name in dict.fromkeys(name for _, ranks in judged for name in ranks):
            curve = curve_of([(100 * r.fraction, ranks.get(name)) for r, ranks in judged])
            if len(curve.percent) > 1:
                found.setdefault(name, []).append(attrs.evolve(trial, curves={name: curve}))
    return found


def _plot(curves: dict[str, MeanCurve]) -> Plot:
    looks = styles(curves)

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        for name, curve in curves.items():
            means = tuple(attrs.evolve(mean, low=None, high=None) for mean in curve.means)
            draw_curve(axis, attrs.evolve(curve, means=means), looks[name])
        axis.axhline(0, color=INK, linewidth=1)
        low = min(mean.mean for curve in curves.values() for mean in curve.means)
        axis.set_ylim(min(-0.2, low - 0.1), 1)
        axis.set_ylabel("Spearman's ρ with 1 − OKS (−1 to 1)")
        percent_scale(axis)
        legend_below(figure, looks)

    return plotted(draw, 7, 4.4)


def _csv(curves: dict[str, MeanCurve]) -> str:
    rows = [
        [name, percent, mean.mean, mean.count]
        for name, curve in curves.items()
        for percent, mean in zip(curve.percent, curve.means, strict=True)
    ]
    return csv_text(["criterion", "labelled_percent", "mean_rank_correlation", "runs"], rows)
