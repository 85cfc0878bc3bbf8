"""Several runs as an experiment: what their methods differ in, and each run's figures in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.files import write_whole
from vatl_formats import csv_text
from vatl_report.areas import areas_part
from vatl_report.costs import costs_part
from vatl_report.experiment import Experiment
from vatl_report.keypoint_errors import keypoints_part
from vatl_report.layout import Part
from vatl_report.learning import learning_part
from vatl_report.measure import Measure
from vatl_report.page import write_page
from vatl_report.rank_correlations import correlations_part
from vatl_report.retrainings import retrainings_part
from vatl_report.stopping_points import stopping_part
from vatl_report.stopping_thresholds import thresholds_part
from vatl_report.targets import targets_part
from vatl_report.time_spent import time_part
from vatl_report.uncertainty import uncertainty_part
from vatl_report.wording import accuracy, duration, known, listed, percent, plural

if TYPE_CHECKING:
    from vatl_core.records import CycleRecord, RunRecord
    from vatl_core.run import PastRun

CHOSEN = {
    "dataset": "data set", "video": "video", "estimator": "estimator", "query": "query", "select": "selector",
    "retrain": "retraining", "seed": "seed",
}  # fmt: skip
MEASURES = {
    "mean_oks": ("mean OKS", "all"), "mean_oks_unlabelled": ("mean OKS", "unlabelled"),
    "mean_oks_with_labels": ("mean OKS", "with labels"), "ap": ("AP", "estimates"),
    "ap_with_labels": ("AP", "with labels"), "alc": ("ALC", "estimates"), "alc_with_labels": ("ALC", "with labels"),
}  # fmt: skip
"""Of a closing record: heading and sub-heading."""

PARTS: Final[tuple[Callable[[Experiment], Part | None], ...]] = (
    learning_part, areas_part, targets_part, retrainings_part, stopping_part, thresholds_part, uncertainty_part,
    correlations_part, keypoints_part, costs_part, time_part,
)  # fmt: skip
"""The subjects of the page, in order; each says None where nothing is known of it."""


@attrs.frozen
class Line:
    """One run's line of the table, ready to read.

    Attributes:
        chosen: what sets the run apart, in the order of the page's ``apart``.
        figures: those of the :data:`MEASURES` that any run has.
    """

    name: str
    chosen: tuple[str, ...]
    labelled: str
    figures: tuple[str, ...]
    seconds: str
    stopped_by: str


def write_comparison(
    past: Sequence[PastRun],
    folder: Path,
    unreadable: Mapping[str, str] | None = None,
    measures: Sequence[Measure] = (),
) -> Path:
    """Write ``index.html``, ``runs.csv`` and the files of every :class:`Part` into ``folder``.

    Args:
        past: the runs.
        folder: where to.
        unreadable: ``{run directory: why}``, those that could not be opened.
        measures: by what to compare them; by the usual if empty.

    Returns:
        The page.

    Raises:
        OSError: ``folder`` cannot be written to.
    """
    runs = dict(zip(run_names([run.folder.path for run in past]), past, strict=True))
    experiment = Experiment.of(runs, measures)
    parts = [part for make in PARTS if experiment.trials and (part := make(experiment))]
    files = ["runs.csv", *(name for part in parts for name in part.write(folder))]
    shown = measured(past)
    write_whole(folder / "runs.csv", runs_csv(runs))
    apart = [key for key in CHOSEN if len({listed(_chosen(run, key)) for run in past}) > 1]
    return write_page(
        folder / "index.html",
        "comparison.html",
        parts=parts,
        verdict=_verdict(experiment),
        alike=[(title, listed(_chosen(past[0], key))) for key, title in CHOSEN.items() if key not in apart],
        apart=[CHOSEN[key] for key in apart],
        measures=[(title, [MEASURES[m][1] for m in of_title]) for title, of_title in groupby(shown, _title)],
        begins=[n for n, m in enumerate(shown) if n == 0 or _title(m) != _title(shown[n - 1])],
        lines=[_line(name, run, apart, shown) for name, run in runs.items()],
        ends="alc" in shown and len({_reached(run.cycles[-1]) for run in past if run.cycles}) > 1,
        warnings=_warnings(runs),
        left_out=[*experiment.left_out.items(), *(unreadable or {}).items()],
        files=files,
    )


def measured(past: Iterable[PastRun]) -> list[str]:
    """Those of :data:`MEASURES` that any run has: without truth there are none."""
    return [m for m in MEASURES if any(run.closing and known(getattr(run.closing, m)) is not None for run in past)]


def _title(measure: str) -> str:
    return MEASURES[measure][0]


def _reached(record: CycleRecord) -> float:
    """The labelled fraction at the end."""
    return record.labelled_after / max(record.instances, 1)


def _verdict(experiment: Experiment) -> str:
    """What is compared, in a sentence."""
    if not experiment.trials:
        return "No run has finished a cycle yet, so there is nothing to compare."
    seeds = len({trial.seed for trial in experiment.trials})
    counts = [(len(experiment.methods), "method"), (len(experiment.videos), "video"), (seeds, "seed")]
    parts = ", ".join(plural(*count) for count in counts)
    return f"{plural(len(experiment.trials), 'run')}: {parts}. Methods: {'; '.join(experiment.methods)}."


def _warnings(runs: dict[str, PastRun]) -> list[tuple[str, list[str]]]:
    """Each warning once, with the runs that it is about."""
    about: dict[str, list[str]] = {}
    for name, run in runs.items():
        for text in run.closing.warnings if run.closing else ():
            about.setdefault(text, []).append(name)
    return list(about.items())


def run_names(paths: Sequence[Path]) -> list[str]:
    """What each run is called: its directory, with as many parents as it takes to tell it from the others."""
    whole = [path.resolve().parts for path in paths]
    names = []
    for number, parts in enumerate(whole):
        others = [other for n, other in enumerate(whole) if n != number]
        depth = 1
        while depth < len(parts) and any(other[-depth:] == parts[-depth:] for other in others):
            depth += 1
        names.append("/".join(parts[-depth:]))
    return [name if names.count(name) == 1 else f"{name} ({n})" for n, name in enumerate(names, start=1)]


def _line(name: str, run: PastRun, apart: Sequence[str], shown: Sequence[str]) -> Line:
    closing = run.closing
    chosen = tuple(listed(_chosen(run, key)) for key in apart)
    if closing is None:
        return Line(name, chosen, listed(None), (listed(None),) * len(shown), listed(None), "not finished")
    labelled = f"{closing.labelled} of {closing.instances} ({percent(closing.labelled, closing.instances)})"
    labelled += f", {closing.given} given with the data" if closing.given else ""
    figures = tuple(accuracy(getattr(closing, key)) for key in shown)
    return Line(name, chosen, labelled, figures, duration(closing.seconds), closing.stopped_by)


def _chosen(run: PastRun, key: str) -> object:
    """What was chosen, as the closing record has it where it says so."""
    return getattr(run.closing, key, None) or getattr(run.config, key)


def runs_csv(runs: dict[str, PastRun]) -> str:
    """One row a run, in full precision; unknown cells are empty, and what no run has has no column."""
    shown = measured(runs.values())
    head = ["run", *CHOSEN, "instances", "labelled", "cycles", "measured", *shown, "seconds", "stopped_by", "reason"]
    rows = [[name, *(_chosen(run, k) for k in CHOSEN), *_closed(run.closing, shown)] for name, run in runs.items()]
    return csv_text(head, rows)


def _closed(closing: RunRecord | None, shown: Sequence[str]) -> list[object]:
    if closing is None:
        return [None] * (4 + len(shown) + 3)
    measures = [known(getattr(closing, key)) for key in shown]
    counts = [closing.instances, closing.labelled, closing.cycles, closing.measured]
    return [*counts, *measures, closing.seconds, closing.stopped_by, closing.reason]
