"""What a search found, in its folder: a table of its trials, the best one's settings, and a page with pictures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import tomli_w
from optuna.importance import (
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from vatl_core.files import write_whole
from vatl_formats import csv_text
from vatl_tune.plots import curves_plot, history_plot, importances_plot, slices_plot
from vatl_tune.setup import Setup
from vatl_tune.tuning import CAUSE, SAME, outcome_text, value_text, values_text

OWN: Final = ("name", "runs", "video", "seed", "executor")
"""Settings of ``[run]`` that are of one run alone."""
LEAST: Final = 4
"""Complete trials from which importances are told."""


def complete(study: Study) -> list[FrozenTrial]:
    """The trials that came to their end, in order."""
    found: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return found


def write_results(setup: Setup, study: Study) -> Path:
    """Write ``trials.csv``, ``best.toml``, the pictures and the page, whose path is returned."""
    trials = [trial for trial in study.trials if trial.state.is_finished()]
    write_whole(setup.folder / "trials.csv", trials_csv(setup, trials))
    found = importances(study)
    if complete(study):
        write_whole(setup.folder / "best.toml", best_toml(setup, study.best_trial))
    plots = {
        "history": history_plot(study, str(setup.objective)),
        "slices": slices_plot(setup, study),
        "curves": curves_plot(study, str(setup.objective)),
        "importances": importances_plot(found),
    }
    drawn = {name: plot for name, plot in plots.items() if plot}
    for name, plot in drawn.items():
        plot.write(setup.folder, name)
    page = setup.folder / "index.html"
    write_whole(page, _page(setup, study, trials, {name: plot.inline for name, plot in drawn.items()}, found))
    return page


def trials_csv(setup: Setup, trials: list[FrozenTrial]) -> str:
    """A row a trial: its values, its state, what it came to, and after how many cycles."""
    names = [parameter.name for parameter in setup.parameters]
    head = ["trial", *names, "state", "value", "cycles", "same_as", "cause"]
    return csv_text(
        head,
        [
            [
                trial.number,
                *(trial.params.get(name) for name in names),
                trial.state.name.lower(),
                trial.value,
                trial.last_step,
                trial.user_attrs.get(SAME),
                trial.user_attrs.get(CAUSE),
            ]
            for trial in trials
        ],
    )


def best_toml(setup: Setup, best: FrozenTrial) -> str:
    """What runs of the best trial are made of, for ``vatl run --config``."""
    tables: dict[str, Any] = setup.plan("trial", best.params).runs[0].config.to_toml()
    tables["run"] = {name: value for name, value in tables["run"].items() if name not in OWN}
    tables.pop("executor", None)
    return tomli_w.dumps(tables)


def importances(study: Study) -> dict[str, dict[str, float]]:
    """``{evaluator: {option: share}}`` by Optuna's evaluators; none of a single option, or of few or like trials."""
    import sklearn  # noqa: F401 - Optuna's fANOVA is a forest of it

    ended = complete(study)
    if len(ended) < LEAST or len({trial.value for trial in ended}) < 2 or len(ended[0].params) < 2:
        return {}
    evaluators = {"fANOVA": FanovaImportanceEvaluator(seed=0), "PED-ANOVA": PedAnovaImportanceEvaluator()}
    with warnings.catch_warnings(action="ignore"):
        return {name: get_param_importances(study, evaluator=evaluator) for name, evaluator in evaluators.items()}


def _page(
    setup: Setup, study: Study, trials: list[FrozenTrial], plots: dict[str, str], found: dict[str, dict[str, float]]
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(loader=PackageLoader("vatl_tune"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return pages.get_template("search.html").render(
        setup=setup, trials=trials, plots=plots, importances=found, best=study.best_trial if complete(study) else None,
        outcome=outcome_text, values=values_text, value=value_text,
        pruned=sum(trial.state == TrialState.PRUNED for trial in trials),
    )  # fmt: skip
