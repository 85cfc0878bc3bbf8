"""The report of one run: a page that is readable alone, its curve and its table beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from vatl_core.errors import ChangedDataError, VatlError
from vatl_core.files import write_whole
from vatl_drawing import Plot
from vatl_report.annotation import annotation, annotation_csv
from vatl_report.before_after import before_after
from vatl_report.curves import accuracy_curves, query_curve, score_curves
from vatl_report.measure import Measure
from vatl_report.page import write_page
from vatl_report.plots import accuracy_plot, unlabelled_plot
from vatl_report.queries import query_rows
from vatl_report.remaining import worst
from vatl_report.same_video import check_video
from vatl_report.sections import sections_of
from vatl_report.stops import Stop, actual_finish, judged_by, stops
from vatl_report.tables import cycle_table, cycles_csv
from vatl_report.wording import accuracy, duration, listed, percent, verdict

if TYPE_CHECKING:
    from vatl_core.records import CycleRecord, RunRecord
    from vatl_core.run import PastRun

T = TypeVar("T")
USUAL: Final = (Measure("ap"), Measure("ap", True), Measure("mean_oks"), Measure("mean_oks", True))
"""What the curve is of unless something else was asked for."""


@attrs.frozen
class Section:
    """Pictures, or why there are none.

    Attributes:
        content: what to show; None where there is nothing.
        problem: why the pictures could not be made; None where they could.
    """

    content: Any
    problem: str | None = None

    @classmethod
    def of(cls, past: PastRun, making: Callable[[], T]) -> Section:
        """The pictures that ``making`` makes; a report must appear even where they cannot be made any more."""
        try:
            check_video(past)
            return cls(making())
        except ChangedDataError:  # its figures and another's pictures do not belong on one page
            raise
        except (VatlError, OSError) as error:
            return cls(None, str(error))


def write_run_page(past: PastRun, folder: Path, measures: Sequence[Measure] = ()) -> Path:
    """Write ``index.html``, ``cycles.csv`` and the figures as PNG and SVG into ``folder``.

    Where people annotated, ``labels.csv`` has what they gave. ``measures`` are those of the curve, if not the usual.

    Returns:
        The page.

    Raises:
        OSError: ``folder`` cannot be written to.
    """
    cycles, closing = past.cycles, past.closing
    marks = stops(cycles, judged_by(past))
    plot = _plot(past, marks, measures or USUAL) if cycles else None
    if plot:
        plot.write(folder, "learning_curve")
    people = annotation(past)
    if people and people.plot:
        people.plot.write(folder, "annotation")
    files = {"cycles.csv": cycles_csv(cycles, bool(past.folder.given))} | (
        {"labels.csv": annotation_csv(past)} if people else {}
    )
    for name, text in files.items():
        write_whole(folder / name, text)
    plots = {"learning_curve": plot, "annotation": people.plot if people else None}
    return write_page(
        folder / "index.html",
        "run.html",
        name=past.folder.path.name,
        verdict=verdict(cycles, closing, len(past.folder.given)),
        ending=f"Stopped by {closing.stopped_by}: {closing.reason}" if closing else None,
        warnings=_warnings(past),
        facts=_facts(past),
        figures=[*_figures(past), *_areas(past, measures)],
        plot=plot.inline if plot else None,
        truth=any(record.evaluation for record in cycles),
        instances=cycles[-1].instances if cycles else 0,
        table=cycle_table(cycles, bool(past.folder.given)) if cycles else [],
        rows=len(cycles),
        stops=marks,
        finish=actual_finish(cycles),
        annotation=people,
        files=[*files, *(f"{name}.{kind}" for name, made in plots.items() if made for kind in ("png", "svg"))],
        threshold=past.config.threshold,
        asked=sum(bool(record.query) for record in cycles),
        queries=Section.of(past, lambda: query_rows(past)),
        remaining=Section.of(past, lambda: worst(past)),
        comparison=Section.of(past, lambda: before_after(past, folder)),
        added=sections_of(past, folder),
    )


def _plot(past: PastRun, marks: list[Stop], measures: Sequence[Measure]) -> Plot:
    instances = past.cycles[-1].instances
    if curves := accuracy_curves(past.cycles, past.closing, measures):
        return accuracy_plot({m.title: curves[m.key] for m in measures if m.key in curves}, marks, instances)
    return unlabelled_plot(query_curve(past.cycles), score_curves(past.cycles), marks, instances)


def _areas(past: PastRun, measures: Sequence[Measure]) -> list[tuple[str, str, str]]:
    """The area under the curve of each measure that was asked for, as key figures."""
    curves = accuracy_curves(past.cycles, past.closing, measures)
    return [
        (f"Area under {m.title}", accuracy(c.mean(c.percent[0], c.percent[-1])), f"up to {c.percent[-1]:.3g} %")
        for m in measures
        for c in [curves[m.key]]
    ]


def _warnings(past: PastRun) -> list[str]:
    """What to know before believing the figures; dropped instances are in the closing record's warnings."""
    return list(past.closing.warnings) if past.closing else []


def _facts(past: PastRun) -> list[tuple[str, str]]:
    """What ran."""
    config, closing = past.config, past.closing
    given = [
        (f"Option {component}.{name}", str(value))
        for components in config.options.values()
        for component, options in components.items()
        for name, value in options.items()
    ]
    return [
        ("Estimator", config.estimator),
        ("Query", listed(config.query)),
        ("Selector", config.select),
        ("Retraining", config.retrain),
        ("Stopping", listed(config.stop)),
        ("Oracle", config.oracle),
        ("Data set", config.dataset),
        ("Video", closing.video if closing else listed(config.video)),
        ("Weights", closing.weights if closing else config.weights),
        ("Seed", str(config.seed)),
        ("Correct from OKS (τ)", str(config.threshold)),
        *given,
    ]


def _figures(past: PastRun) -> list[tuple[str, str, str]]:
    """The key figures: what, the figure, what it is out of."""
    closing = past.closing
    if closing is None:
        return []
    people = sum(record.annotation_seconds for record in past.cycles)
    return [
        ("Labelled", f"{closing.labelled}", f"of {closing.instances} ({percent(closing.labelled, closing.instances)})"),
        *(
            [("Of these given with the data", f"{closing.given}", f"asked for {closing.asked}")]
            if closing.given
            else []
        ),
        *_accuracies(closing, past.cycles),
        ("Time", duration(closing.seconds), f"annotating {duration(people)}" if people else "of the whole run"),
    ]


def _accuracies(closing: RunRecord, cycles: Sequence[CycleRecord]) -> list[tuple[str, str, str]]:
    """The closing accuracy, or how the last query went where there is no truth to know it."""
    if closing.mean_oks is None:
        asked = [record.query_mean_oks for record in cycles if record.query]
        return [("Mean OKS, last query", accuracy(asked[-1]), f"first query {accuracy(asked[0])}")] if asked else []
    reached = percent(closing.labelled, closing.instances)
    part = f"of {closing.instances} instances: of the others no truth is known, or nothing is visible"
    return [
        *([("Measured", f"{closing.measured}", part)] if closing.measured < closing.instances else []),
        ("Mean OKS", accuracy(closing.mean_oks), f"unlabelled {accuracy(closing.mean_oks_unlabelled)}"),
        ("AP", accuracy(closing.ap), f"with labels {accuracy(closing.ap_with_labels)}"),
        ("Area under AP", accuracy(closing.alc), f"with labels {accuracy(closing.alc_with_labels)}, up to {reached}"),
    ]
