"""The accuracy to be expected, cycle by cycle, in the report of a run."""

from __future__ import annotations

from pathlib import Path

from vatl_core.plugins import Section
from vatl_core.store import RunFolder
from vatl_criteria.accuracy.outlook import LEVEL, NAME, Outlook, Seen, outlook, seen
from vatl_criteria.accuracy.reliability import bins_of, plot

TITLE = "Expected accuracy"
TEXT = (
    "What the heatmaps, and the labels given by then, lead to expect of the mean OKS of each cycle's estimates; the "
    "truth is not looked at. Labelled instances count with the OKS that their estimates have, each of the others with "
    f"what was true of those like it when they were asked for. Within the interval it should lie {LEVEL:.0%} of the "
    "time, as far as what was asked for is like the rest. The query's two figures were found apart: what was expected "
    "of it before its labels were known, and its OKS against them before anything was learnt from them. In the picture "
    "to the right, all queries after the first, a point for as many of like expectation: on the line, instances called "
    ".8 have a mean OKS of .8. What was expected in the cycle after the first rests on labels of the source estimator "
    "alone, and is often far off."
)


def section(run: Path, folder: Path) -> Section | None:
    """Of the run in this directory; None where the expected OKS was not computed, or nothing was labelled."""
    store = RunFolder.open(run)
    records = store.cycles()
    if not any(NAME in record.mean_scores for record in records):
        return None
    cycles = seen(store, records)
    found = [outlook(cycles[: n + 1], records[: c.record.cycle + 1], store) for n, c in enumerate(cycles)]
    told = [(cycle, out) for cycle, out in zip(cycles, found, strict=True) if out]
    if not told:
        return None
    bins = bins_of([cycle.asked for cycle in cycles if cycle.record.labelled])
    plot(told, bins).write(folder, "expected_accuracy")
    return Section(TITLE, TEXT, _table(told), folder / "expected_accuracy.png")


def _table(told: list[tuple[Seen, Outlook]]) -> list[list[str]]:
    """A row a cycle; the truth where it is known."""
    head = ["cycle", "labelled", "expected mean OKS", f"{LEVEL:.0%} interval", "query, expected", "query, measured"]
    truth = any(cycle.record.evaluation for cycle, _ in told)
    rows = [[*_row(cycle, out), *([_measured(cycle)] if truth else [])] for cycle, out in told]
    return [[*head, *(["mean OKS"] if truth else [])], *rows]


def _row(cycle: Seen, out: Outlook) -> list[str]:
    record, (expected, measured) = cycle.record, cycle.asked[cycle.asked.isfinite().all(1)].mean(0).tolist()
    query = [f"{expected:.3f}", f"{measured:.3f}"] if expected == expected else ["—", "—"]
    return [str(record.cycle), str(record.labelled), f"{out.mean:.3f}", f"{out.low:.3f} to {out.high:.3f}", *query]


def _measured(cycle: Seen) -> str:
    return f"{cycle.record.evaluation.mean_oks:.3f}" if cycle.record.evaluation else "—"
