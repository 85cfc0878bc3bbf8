"""Several runs side by side: their learning curves in one picture, their figures in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from vatl_core.files import write_whole
from vatl_report.curves import Curve, accuracy_curves, query_curve
from vatl_report.page import write_page
from vatl_report.plots import comparison_plot
from vatl_report.tables import csv_text
from vatl_report.wording import accuracy, duration, known, listed, percent

if TYPE_CHECKING:
    from vatl_core.records import RunRecord
    from vatl_core.runs import PastRun

CHOSEN = {
    "dataset": "data set", "video": "video", "estimator": "estimator", "query": "query", "select": "selector",
    "retrain": "retraining", "seed": "seed",
}  # fmt: skip
MEASURES = (
    "mean_oks", "mean_oks_unlabelled", "mean_oks_with_labels", "ap", "ap_with_labels", "alc", "alc_with_labels",
)  # fmt: skip


@attrs.frozen
class Line:
    """One run's line of the table, ready to read.

    Attributes:
        chosen: what sets the run apart, in the order of the page's ``apart``.
        figures: those of :data:`MEASURES`.
    """

    name: str
    chosen: tuple[str, ...]
    labelled: str
    figures: tuple[str, ...]
    seconds: str
    stopped_by: str


def write_comparison(past: Sequence[PastRun], folder: Path) -> Path:
    """Write ``index.html``, ``learning_curves.png``, ``learning_curves.svg`` and ``runs.csv`` into ``folder``.

    Returns:
        The page.

    Raises:
        OSError: ``folder`` cannot be written to.
    """
    runs = dict(zip(run_names([run.folder.path for run in past]), past, strict=True))
    panels = _panels(runs)
    plot = comparison_plot(panels) if panels else None
    if plot:
        plot.write(folder, "learning_curves")
    write_whole(folder / "runs.csv", runs_csv(runs))
    drawn = {name for panel in panels.values() for name in panel}
    apart = [key for key in CHOSEN if len({listed(_chosen(run, key)) for run in past}) > 1]
    return write_page(
        folder / "index.html",
        "comparison.html",
        plot=plot.inline if plot else None,
        panels=list(panels),
        alike=[(title, listed(_chosen(past[0], key))) for key, title in CHOSEN.items() if key not in apart],
        apart=[CHOSEN[key] for key in apart],
        lines=[_line(name, run, apart) for name, run in runs.items()],
        missing=[name for name in runs if name not in drawn],
        ends=len({run.cycles[-1].labelled_after / run.cycles[-1].instances for run in past if run.cycles}) > 1,
        warnings=_warnings(runs),
        open=[name for name, run in runs.items() if run.closing is None],
    )


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


def _panels(runs: dict[str, PastRun]) -> dict[str, dict[str, Curve]]:
    """What to draw: AP where any run has it, else mean OKS, else the queries' agreement with their labels."""
    curves = {name: accuracy_curves(run.cycles, run.closing) for name, run in runs.items()}
    for pair in (
        {"AP, estimates alone (0–1)": "ap", "AP, labels counted in (0–1)": "ap_with_labels"},
        {
            "mean OKS, unlabelled (0–1)": "mean_oks_unlabelled",
            "mean OKS, labels counted in (0–1)": "mean_oks_with_labels",
        },
    ):
        panels = {label: {n: c[key] for n, c in curves.items() if c[key]} for label, key in pair.items()}
        if any(panels.values()):
            return panels
    asked = {name: curve for name, run in runs.items() if (curve := query_curve(run.cycles))}
    return {"mean OKS of the query against its labels (0–1)": asked} if asked else {}


def _line(name: str, run: PastRun, apart: Sequence[str]) -> Line:
    closing = run.closing
    chosen = tuple(listed(_chosen(run, key)) for key in apart)
    if closing is None:
        return Line(name, chosen, listed(None), (listed(None),) * len(MEASURES), listed(None), "not finished")
    labelled = f"{closing.labelled} of {closing.instances} ({percent(closing.labelled, closing.instances)})"
    figures = tuple(accuracy(getattr(closing, key)) for key in MEASURES)
    return Line(name, chosen, labelled, figures, duration(closing.seconds), closing.stopped_by)


def _chosen(run: PastRun, key: str) -> object:
    """What was chosen, as the closing record has it where it says so."""
    return getattr(run.closing, key, None) or getattr(run.config, key)


def runs_csv(runs: dict[str, PastRun]) -> str:
    """One row a run, in full precision; unknown cells are empty."""
    head = ["run", *CHOSEN, "instances", "labelled", "cycles", *MEASURES, "seconds", "stopped_by", "reason"]
    return csv_text(
        head, [[name, *(_chosen(run, k) for k in CHOSEN), *_closed(run.closing)] for name, run in runs.items()]
    )


def _closed(closing: RunRecord | None) -> list[object]:
    if closing is None:
        return [None] * (3 + len(MEASURES) + 3)
    measures = [known(getattr(closing, key)) for key in MEASURES]
    counts = [closing.instances, closing.labelled, closing.cycles]
    return [*counts, *measures, closing.seconds, closing.stopped_by, closing.reason]
