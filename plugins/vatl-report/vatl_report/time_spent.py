"""What the runs spent their time on."""

from __future__ import annotations

from typing import Any, Final

from vatl_drawing import COLOURS, Plot, plotted
from vatl_report.experiment import Experiment, Trial, by_video
from vatl_report.layout import Cell, Part, Table, from_columns
from vatl_report.tables import PHASES, names
from vatl_report.wording import duration

PHASE_WORDS: Final = {
    "estimate": "estimating",
    "score": "scoring",
    "select": "selecting",
    "label": "labelling",
    "retrain": "retraining",
}
_HATCHES: Final = ("", "///", "...", "xx", "\\\\", "++")


def seconds_of(trial: Trial) -> dict[str, float]:
    """The seconds that a run spent on each phase, over all its cycles."""
    phases = names((r.seconds for r in trial.past.cycles), PHASES)
    return {phase: sum(r.seconds.get(phase, 0.0) for r in trial.past.cycles) for phase in phases}


def time_part(experiment: Experiment) -> Part | None:
    """Mean seconds of a run by method and phase."""
    spent = {t.name: seconds_of(t) for t in experiment.trials}
    phases = names(spent.values(), PHASES)
    if not phases:
        return None
    methods = experiment.methods
    mean = {
        phase: [_mean([t for t in experiment.trials if t.method == m], spent, phase) for m in methods]
        for phase in phases
    }
    table = _table(methods, mean)
    caption = (
        "Mean of a run, over videos and seeds; how long it takes depends on the machine and on what else ran there."
    )
    notes = []
    if len({tuple(sorted({t.video for t in experiment.trials if t.method == m})) for m in methods}) > 1:
        notes.append("The methods were not all run on the same videos: their times are not comparable.")
    people = sum(r.annotation_seconds for t in experiment.trials for r in t.past.cycles)
    if people:
        notes.append(f"Annotating took {duration(people)}, in all runs together.")
    return Part(
        "Time",
        "Wall-clock of a whole run; scoring includes what criteria learn in each cycle.",
        {"time": (_plot(methods, mean), caption)},
        tables=(table,),
        notes=tuple(notes),
    )


def _mean(trials: list[Trial], spent: dict[str, dict[str, float]], phase: str) -> float:
    found = by_video(trials, lambda t: spent[t.name].get(phase, 0.0))
    return found.mean if found else 0.0


def _table(methods: list[str], mean: dict[str, list[float]]) -> Table:
    sums = [sum(values) for values in zip(*mean.values(), strict=True)]
    cells = [[Cell(f"{value:.1f}", value) for value in values] for values in [*mean.values(), sums]]
    head = ("method", *(f"{PHASE_WORDS.get(phase, phase)} (s)" for phase in mean), "together (s)")
    return Table("time", "Seconds of a run", head, from_columns(methods, cells))


def _plot(methods: list[str], mean: dict[str, list[float]]) -> Plot:
    def draw(figure: Any) -> None:
        axis = figure.subplots()
        left = [0.0] * len(methods)
        for number, (phase, values) in enumerate(mean.items()):
            axis.barh(
                range(len(methods)), values, left=left, color=COLOURS[number % len(COLOURS)], edgecolor="white",
                hatch=_HATCHES[number % len(_HATCHES)], height=0.7, label=PHASE_WORDS.get(phase, phase), linewidth=0.5,
            )  # fmt: skip
            left = [a + b for a, b in zip(left, values, strict=True)]
        axis.set_yticks(range(len(methods)), methods, parse_math=False)
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("wall-clock of a run (s)")
        figure.legend(loc="outside lower center", ncols=len(mean))

    return plotted(draw, 7, 1.7 + 0.36 * len(methods))
