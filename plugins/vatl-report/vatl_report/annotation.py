"""Who labelled, how long it took, and what the time bought."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from itertools import accumulate, compress
from typing import TYPE_CHECKING, Any

import attrs

from vatl_drawing import COLOURS, DASHES, Plot, plotted
from vatl_formats import csv_text
from vatl_report.curves import Curve
from vatl_report.plots import MARKERS, line, unit_scale
from vatl_report.tables import Column
from vatl_report.wording import UNKNOWN, duration, percent

if TYPE_CHECKING:
    from vatl_core.records import CycleRecord
    from vatl_core.run import PastRun
    from vatl_core.store import Answers, GivenLabel

_CURVES = {"query_mean_oks": "mean OKS of the query against its labels", "mean_oks": "mean OKS of all instances"}


@attrs.frozen
class Annotator:
    """What one person did.

    Attributes:
        name: who.
        labels: given, replaced ones included.
        corrections: of these, labels of an instance that had one already.
        seconds: spent on each.
        moved, annotated: keypoints that differ from the proposal, of how many; of the labels with a known proposal.
        unclear: instances that cannot be told.
        absent: instances at which nobody is.
        boxes: instances whose box was redrawn.
    """

    name: str
    labels: int
    corrections: int
    seconds: tuple[float, ...]
    moved: int
    annotated: int
    unclear: int
    absent: int
    boxes: int


@attrs.frozen
class Annotation:
    """The section of the page.

    Attributes:
        annotators: as the columns of a table; one of which nothing is known is left out.
        rows: how many annotators.
        plot: accuracy against minutes; None where times make no curve.
    """

    annotators: list[Column]
    rows: int
    plot: Plot | None


def annotation(past: PastRun) -> Annotation | None:
    """What people did; None where nobody spent time, refused or redrew anything."""
    people = annotators(past.folder.answers, past.folder.given)
    if not any(sum(p.seconds) or p.unclear or p.absent or p.boxes for p in people):
        return None
    curves = time_curves(past.cycles)
    return Annotation(_columns(people), len(people), _plot(curves) if curves else None)


def annotators(answers: Answers, given: Collection[int] = ()) -> list[Annotator]:
    """Everybody who answered, those who labelled most to the front; ``given`` were labelled in the data already."""
    every, refusals, redrawn = answers.history(), answers.refusals().values(), answers.redrawn().values()
    asked = [label.cycle > 0 or label.instance not in given for label in every]
    history, again = list(compress(every, asked)), list(compress(_corrections(every), asked))
    names = dict.fromkeys([*(g.annotator for g in history), *(r.annotator for r in refusals)])
    names |= dict.fromkeys(r.annotator for r in redrawn)
    found = []
    for name in names:
        own = [(given, corrects) for given, corrects in zip(history, again, strict=True) if given.annotator == name]
        proposed = [given for given, _ in own if given.proposal]
        refused = [r.absent for r in refusals if r.annotator == name]
        found.append(
            Annotator(
                name=name or "nameless",
                labels=len(own),
                corrections=sum(corrects for _, corrects in own),
                seconds=tuple(given.seconds for given, _ in own),
                moved=sum(given.moved for given in proposed),
                annotated=sum(value > 0 for given in proposed for value in given.values),
                unclear=refused.count(False),
                absent=refused.count(True),
                boxes=sum(r.annotator == name for r in redrawn),
            )
        )
    return sorted(found, key=lambda person: -person.labels)


def _corrections(history: Sequence[GivenLabel]) -> list[bool]:
    """Whether each label is of an instance that had one already."""
    first: dict[int, int] = {}
    return [first.setdefault(given.instance, place) != place for place, given in enumerate(history)]


def _columns(people: Sequence[Annotator]) -> list[Column]:
    def counted(title: str, name: str) -> Column:
        return Column(title, tuple(str(getattr(p, name) or UNKNOWN) for p in people))

    def timed(title: str, values: Sequence[float]) -> Column:
        return Column(title, tuple(duration(value) if value else UNKNOWN for value in values))

    columns = [
        Column("annotator", tuple(p.name for p in people)),
        counted("labels given", "labels"),
        timed("median a label", [statistics.median(p.seconds) if p.seconds else 0 for p in people]),
        timed("together", [sum(p.seconds) for p in people]),
        Column("keypoints moved", tuple(percent(p.moved, p.annotated) if p.annotated else UNKNOWN for p in people)),
        counted("corrections", "corrections"),
        counted("cannot be told", "unclear"),
        counted("nobody there", "absent"),
        counted("boxes redrawn", "boxes"),
    ]
    return [column for column in columns if set(column.cells) != {UNKNOWN}]


def time_curves(cycles: Sequence[CycleRecord]) -> dict[str, tuple[tuple[float, float], ...]]:
    """``{measure: (minutes spent by then, OKS)}`` of each cycle's estimates; only curves of two points and more."""
    spent = [0.0, *accumulate(record.annotation_seconds / 60 for record in cycles)]
    values: dict[str, list[float | None]] = {
        "query_mean_oks": [record.query_mean_oks for record in cycles],
        "mean_oks": [record.evaluation.mean_oks if record.evaluation else None for record in cycles],
    }
    curves = {
        name: tuple((minutes, value) for minutes, value in zip(spent, column, strict=False) if value is not None)
        for name, column in values.items()
    }
    return {name: curve for name, curve in curves.items() if len(curve) > 1 and curve[-1][0] > 0}


def _plot(curves: dict[str, tuple[tuple[float, float], ...]]) -> Plot:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, (name, curve) in enumerate(curves.items()):
            drawn = Curve(tuple(minutes for minutes, _ in curve), tuple(value for _, value in curve))
            line(axes, drawn, _CURVES[name], COLOURS[number], DASHES[number], MARKERS[number])
        unit_scale(axes, "mean OKS (0–1)")
        axes.set_xlabel("minutes spent annotating by then")
        axes.set_xlim(0, max(curve[-1][0] for curve in curves.values()) * 1.02)
        figure.legend(loc="outside lower center", ncols=len(curves))

    return plotted(draw, 8, 3.8)


def annotation_csv(past: PastRun) -> str:
    """One row a label as it was given."""
    instances = past.folder.answers.history()
    rows = [
        [g.instance, g.cycle, g.annotator, g.seconds, g.moved if g.proposal else None, corrects, *_counts(g.values)]
        for g, corrects in zip(instances, _corrections(instances), strict=True)
    ]
    head = [
        "instance",
        "cycle",
        "annotator",
        "seconds",
        "keypoints_moved",
        "correction",
        "visible",
        "hidden",
        "missing",
    ]
    return csv_text(head, rows)


def _counts(values: Sequence[int]) -> tuple[int, int, int]:
    return values.count(2), values.count(1), values.count(0)
