"""Pictures of a search: its history, its trials' curves, what each value came to, and which options matter."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

from optuna.distributions import CategoricalDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from vatl_drawing import COLOURS, INK, Plot, plotted
from vatl_tune.setup import Setup
from vatl_tune.space import Parameter

ACROSS: Final = 3
"""Panels beside each other."""


def _with_value(study: Study, *states: TrialState) -> list[FrozenTrial]:
    found = study.get_trials(deepcopy=False, states=states or (TrialState.COMPLETE, TrialState.PRUNED))
    return [trial for trial in found if trial.value is not None]


def history_plot(study: Study, objective: str) -> Plot | None:
    """What each trial came to, and the best so far; None where none did."""
    ended = _with_value(study, TrialState.COMPLETE)
    if not ended:
        return None
    better = max if study.direction == StudyDirection.MAXIMIZE else min

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        numbers, values = [trial.number for trial in ended], [trial.value for trial in ended]
        axis.plot(numbers, values, "o", color=COLOURS[0], label="trial")
        axis.step(numbers, list(accumulate(values, better)), where="post", color=COLOURS[1], label="best so far")
        axis.set_xlabel("trial")
        axis.set_ylabel(objective)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend()

    return plotted(draw, 7, 3.6)


def curves_plot(study: Study, objective: str) -> Plot | None:
    """Each trial after each of its cycles, the best one's thick, and where trials were given up; None without any."""
    shown = [trial for trial in _with_value(study) if trial.intermediate_values]
    if not shown or not (ended := _with_value(study, TrialState.COMPLETE)):
        return None
    best = study.best_trial.number

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        for trial in shown:
            steps, values = zip(*sorted(trial.intermediate_values.items()), strict=True)
            look = {"color": COLOURS[1], "linewidth": 2.4, "zorder": 3} if trial.number == best else _quiet()
            axis.plot(steps, values, **look)
            if trial.state == TrialState.PRUNED:
                axis.plot(steps[-1], values[-1], "x", color=INK)
        axis.set_xlabel("cycle (×: given up)")
        axis.set_ylabel(objective)
        axis.xaxis.get_major_locator().set_params(integer=True)

    return plotted(draw, 7, 3.6) if ended else None


def _quiet() -> dict[str, Any]:
    return {"color": COLOURS[0], "linewidth": 1.0, "alpha": 0.6}


def slices_plot(setup: Setup, study: Study) -> Plot | None:
    """A panel for each option: what trials with each of its values came to; None without any."""
    ended, options = _with_value(study, TrialState.COMPLETE), setup.parameters
    if not ended:
        return None
    rows, across = -(-len(options) // ACROSS), min(len(options), ACROSS)

    def draw(figure: Any) -> None:
        axes = figure.subplots(rows, across, sharey=True, squeeze=False).flatten()
        for axis, parameter in zip(axes, options, strict=False):
            _slice(axis, parameter, ended)
        for axis in axes[len(options) :]:
            axis.set_visible(False)
        figure.supylabel(str(setup.objective), fontsize=10)

    return plotted(draw, max(3.4 * across, 5), 3.2 * rows)


def _slice(axis: Any, parameter: Parameter, trials: list[FrozenTrial]) -> None:
    values: list[Any] = [trial.params[parameter.name] for trial in trials]
    if isinstance(drawn := parameter.distribution, CategoricalDistribution):
        values = [drawn.choices.index(value) for value in values]
        axis.set_xticks(range(len(drawn.choices)), labels=drawn.choices, parse_math=False)
        axis.set_xlim(-0.5, len(drawn.choices) - 0.5)
    elif parameter.said.endswith(":log"):
        axis.set_xscale("log")
    axis.scatter(values, [trial.value for trial in trials], c=[trial.number for trial in trials], cmap="cividis", s=28)
    axis.set_title(parameter.name, fontsize=10, parse_math=False)


def importances_plot(found: Mapping[str, Mapping[str, float]]) -> Plot | None:
    """A group of bars for each option, a bar for each evaluator; None where nothing is known."""
    if not found:
        return None
    options: list[str] = list(next(iter(found.values())))[::-1]
    height = 0.8 / len(found)

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        for number, (evaluator, shares) in enumerate(found.items()):
            places = [place - height * number for place in range(len(options))]
            widths = [shares.get(option, 0.0) for option in options]
            axis.barh(places, widths, height, color=COLOURS[number], label=evaluator)
        middle = height * (len(found) - 1) / 2
        axis.set_yticks([place - middle for place in range(len(options))], labels=options, parse_math=False)
        axis.set_xlabel("share of what varies in the objective")
        axis.legend()

    return plotted(draw, 7, 1.4 + 0.5 * len(options))
