"""The cycles of a run as a table to read and as a file to compute with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from vatl_formats import csv_text
from vatl_report.wording import UNKNOWN, accuracy, correlation, known, minutes, score

if TYPE_CHECKING:
    from vatl_core.records import CycleRecord, Evaluation

PHASES = ("estimate", "score", "select", "label", "retrain")
COUNTS = ("labelled correct", "labelled wrong", "unlabelled correct", "unlabelled wrong")
MEASURES = (
    "mean_oks", "mean_oks_unlabelled", "mean_oks_with_labels", "ap", "ap_with_labels", "ap_medium", "ap_large", "ar",
)  # fmt: skip


@attrs.frozen
class Column:
    """One column: its title and one cell a cycle."""

    title: str
    cells: tuple[str, ...]


@attrs.frozen
class Group:
    """Columns that share a heading."""

    title: str
    columns: tuple[Column, ...]


def names(records: Iterable[Mapping[str, float]], first: Sequence[str] = ()) -> list[str]:
    """Every key of these mappings once: those of ``first`` that occur, then the others as they appear."""
    seen = dict.fromkeys(name for record in records for name in record)
    return [*(name for name in first if name in seen), *(name for name in seen if name not in first)]


def cycle_table(cycles: Sequence[CycleRecord], given: bool = False) -> list[Group]:
    """The table of the page, in groups of columns; a column of which nothing is known is left out.

    ``given``: whether the first cycle's labels came with the data.
    """
    table = _Columns(cycles)
    groups = [
        Group("", (table.of("cycle", lambda r: str(r.cycle)),)),
        Group("labels", table.labels(given)),
        *_accuracies(table),
        Group("mean score", tuple(table.mean_score(name) for name in names(r.mean_scores for r in cycles))),
        Group("rank correlation with the error", tuple(table.ranked(name) for name in names(_ranks(cycles)))),
        Group("labelled", (table.counted("correct", COUNTS[0]), table.counted("wrong", COUNTS[1]))),
        Group("unlabelled", (table.counted("correct", COUNTS[2]), table.counted("wrong", COUNTS[3]))),
        Group("further passes", tuple(table.passes(name) for name in names(r.further_passes for r in cycles))),
        Group("annotating", (table.of("minutes", lambda r: minutes(r.annotation_seconds)),)),
        Group("seconds", tuple(table.spent(phase) for phase in names((r.seconds for r in cycles), PHASES))),
    ]
    told = [attrs.evolve(g, columns=tuple(c for c in g.columns if set(c.cells) != {UNKNOWN})) for g in groups]
    return [group for group in told if group.columns]


@attrs.frozen
class _Columns:
    """Columns of a table with a row for each of these cycles."""

    cycles: Sequence[CycleRecord]

    def of(self, title: str, cell: Callable[[CycleRecord], str]) -> Column:
        return Column(title, tuple(cell(record) for record in self.cycles))

    def judged(self, title: str, value: Callable[[Evaluation], float | None]) -> Column:
        return self.of(title, lambda r: accuracy(value(r.evaluation)) if r.evaluation else UNKNOWN)

    def counted(self, title: str, key: str) -> Column:
        return self.of(title, lambda r: str(r.evaluation.counts.get(key, UNKNOWN)) if r.evaluation else UNKNOWN)

    def mean_score(self, name: str) -> Column:
        return self.of(name, lambda r: score(r.mean_scores.get(name)))

    def ranked(self, name: str) -> Column:
        return self.of(name, lambda r: correlation(r.evaluation.rank_correlation.get(name) if r.evaluation else None))

    def passes(self, name: str) -> Column:
        return self.of(name, lambda r: str(r.further_passes.get(name, 0)))

    def spent(self, phase: str) -> Column:
        return self.of(phase, lambda r: f"{r.seconds[phase]:.1f}" if phase in r.seconds else UNKNOWN)

    def labels(self, given: bool) -> tuple[Column, ...]:
        corrected = any(r.corrected for r in self.cycles)
        return (
            self.of("before", lambda r: str(r.labelled)),
            *([self.of("given", lambda r: UNKNOWN if r.cycle else str(len(r.query)))] if given else []),
            self.of("queried", lambda r: UNKNOWN if given and not r.cycle else str(len(r.query))),
            *([self.of("corrected", lambda r: str(len(r.corrected)))] if corrected else []),
        )

    def measured(self) -> Column:
        """Of how many instances the figures are, where it is not of all."""
        part = any(r.evaluation and r.evaluation.measured < r.instances for r in self.cycles)
        return self.of("instances", lambda r: str(r.evaluation.measured) if r.evaluation and part else UNKNOWN)

    def further(self, name: str) -> tuple[Column, Column]:
        alone = self.judged("estimates", lambda e: e.further.get(name))
        return alone, self.judged("with labels", lambda e: e.further_with_labels.get(name))


def _accuracies(table: _Columns) -> list[Group]:
    """What the truth says, and of how many."""
    oks = (
        table.of("query", lambda r: accuracy(r.query_mean_oks)),
        table.judged("all", lambda e: e.mean_oks),
        table.judged("unlabelled", lambda e: e.mean_oks_unlabelled),
    )
    ap = table.judged("estimates", lambda e: e.ap), table.judged("with labels", lambda e: e.ap_with_labels)
    further = [Group(name, table.further(name)) for name in _further(table.cycles) if "@" not in name]
    return [Group("measured", (table.measured(),)), Group("mean OKS", oks), Group("AP", ap), *further]


def _further(cycles: Iterable[CycleRecord]) -> list[str]:
    """What plugins measured of whole poses."""
    return [name for name in names(r.evaluation.further for r in cycles if r.evaluation) if "." not in name]


def _at(cycles: Iterable[CycleRecord]) -> list[tuple[str, str]]:
    """The thresholds of AP that the records keep, each with the field it is in."""
    judged = [r.evaluation for r in cycles if r.evaluation]
    return [(field, t) for field in ("ap_at", "ap_at_with_labels") for t in names(getattr(e, field) for e in judged)]


def _ranks(cycles: Iterable[CycleRecord]) -> list[dict[str, float]]:
    """Each judged cycle's rank correlations."""
    return [r.evaluation.rank_correlation for r in cycles if r.evaluation]


def cycles_csv(cycles: Sequence[CycleRecord], given: bool = False) -> str:
    """Everything a cycle's record says except who was asked for, in full precision; unknown cells are empty.

    What takes truth has no columns where there is none, nor have labels that were ``given`` with the data, to be learnt
    in the first cycle.
    """
    truth = any(r.evaluation for r in cycles)
    scores = names(r.mean_scores for r in cycles)
    phases = names((r.seconds for r in cycles), PHASES)
    thresholds = _at(cycles)
    ranks = names(_ranks(cycles))
    passes, further = names(r.further_passes for r in cycles), [name.lower() for name in _further(cycles)]
    head = [
        "cycle", "instances", "labelled", "labelled_fraction", *(("given",) if given else ()), "queried", "corrected",
        "query_mean_oks",
        *(("measured", *MEASURES, *further, *(f"{name}_with_labels" for name in further),
           *(field.replace("at", t) for field, t in thresholds), "all_correct",
           *(c.replace(" ", "_") for c in COUNTS)) if truth else ()),
        *(f"mean_{name}" for name in scores), *(f"rank_correlation_{name}" for name in ranks),
        *(f"further_passes_{name}" for name in passes),
        "annotation_seconds", *(f"{p}_seconds" for p in phases), "fired",
    ]  # fmt: skip
    rows = [
        [
            r.cycle, r.instances, r.labelled, r.fraction, *((0 if r.cycle else len(r.query),) if given else ()),
            0 if given and not r.cycle else len(r.query), len(r.corrected), r.query_mean_oks,
            *(_judged(r, thresholds, _further(cycles)) if truth else ()),
            *(r.mean_scores.get(name) for name in scores),
            *(r.evaluation.rank_correlation.get(name) if r.evaluation else None for name in ranks),
            *(r.further_passes.get(name, 0) for name in passes),
            r.annotation_seconds, *(r.seconds.get(p) for p in phases), " ".join(r.fired),
        ]
        for r in cycles
    ]  # fmt: skip
    return csv_text(head, rows)


def _judged(record: CycleRecord, thresholds: Sequence[tuple[str, str]], further: Sequence[str]) -> list[object]:
    """The cells that need truth; empty ones where there is none."""
    evaluation = record.evaluation
    if evaluation is None:
        return [None] * (1 + len(MEASURES) + 2 * len(further) + len(thresholds) + 1 + len(COUNTS))
    measures = [known(getattr(evaluation, name)) for name in MEASURES]
    measures += [table.get(name) for table in (evaluation.further, evaluation.further_with_labels) for name in further]
    at = [known(getattr(evaluation, field).get(t)) for field, t in thresholds]
    return [evaluation.measured, *measures, *at, evaluation.all_correct, *(evaluation.counts.get(c) for c in COUNTS)]
