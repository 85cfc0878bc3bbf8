"""The rows of the papers' tables: methods under their estimators, with means and tests over the videos."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from vatl_report.experiment import Trial, by_video
from vatl_report.layout import Cell
from vatl_report.statistics import Comparison, compare
from vatl_report.wording import UNKNOWN

Rows = Mapping[tuple[str, ...], Sequence[Trial]]
"""``{(estimator, what the row is of): its runs}``"""
Value = Callable[[Trial], float | None]


def rows_of(trials: Sequence[Trial], name: Callable[[Trial], str]) -> Rows:
    """A row for each estimator and name, those of an estimator together, in the order of the runs."""
    estimators = dict.fromkeys(t.estimator for t in trials)
    keys = dict.fromkeys((e, name(t)) for e in estimators for t in trials if t.estimator == e)
    return {key: [t for t in trials if (t.estimator, name(t)) == key] for key in keys}


def heads(rows: Rows, *titles: str) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """The titles of the rows' names and these as cells; the estimator is left out where all have the same."""
    several = len({estimator for estimator, *_ in rows}) > 1
    names = [tuple(Cell.of(name) for name in key[not several :]) for key in rows]
    return ("estimator", *titles)[not several :], names


def mean_cells(rows: Rows, value: Value, digits: int = 3, lower: bool | None = None) -> list[Cell]:
    """One column: mean ± standard deviation over the videos, or over the seeds of a single one.

    Where some runs of a row have no value there is no mean, and the cell says how many have.

    Args:
        rows: of the table.
        value: of a run.
        digits: behind the point.
        lower: whether the lowest of an estimator is bold, or the highest; None for neither.
    """
    cells = {key: _mean_cell(trials, value, digits) for key, trials in rows.items()}
    if lower is None:
        return list(cells.values())
    known = {key: round(cell.value, digits) for key, cell in cells.items() if isinstance(cell.value, float)}
    found = []
    for key, cell in cells.items():
        rivals = {mean for other, mean in known.items() if other[0] == key[0]}
        best = len(rivals) > 1 and known.get(key) == (min if lower else max)(rivals)
        found.append(Cell(cell.text, cell.value, best, cell.deviation))
    return found


def _mean_cell(trials: Sequence[Trial], value: Value, digits: int) -> Cell:
    found = [value(t) for t in trials]
    there = sum(each is not None for each in found)
    mean = by_video(trials, value) if there == len(found) else None
    if mean is None:
        return Cell(f"{there} of {len(found)} runs" if there else UNKNOWN)
    behind = "" if mean.deviation is None else f" ± {mean.deviation:.{digits}f}"
    return Cell(f"{mean.mean:.{digits}f}{behind}".replace("-", "−"), mean.mean, deviation=mean.deviation)


def tested(rows: Rows, value: Value, pairs: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]) -> dict[str, Comparison]:
    """Wilcoxon's test between these pairs of rows over their videos, ``{row: comparison}`` of the second of each.

    A row's value on a video is the mean over its seeds there. Rows are named by :func:`named`.
    """
    values = {named(key): _on_videos(trials, value) for key, trials in rows.items()}
    return {c.second: c for c in compare(values, [(named(a), named(b)) for a, b in pairs])}


def named(key: tuple[str, ...]) -> str:
    """A row's name in a line."""
    return " ".join(key)


def _on_videos(trials: Sequence[Trial], value: Value) -> dict[Hashable, float]:
    means = {video: by_video([t for t in trials if t.video == video], value) for video in {t.video for t in trials}}
    return {video: mean.mean for video, mean in means.items() if mean}


def p_cell(comparison: Comparison | None) -> Cell:
    """The corrected p of a test; how many videos differ where they are too few to test."""
    if comparison is None:
        return Cell(UNKNOWN)
    if comparison.adjusted is None:
        return Cell(f"n = {comparison.differing}")
    return Cell(f"{comparison.adjusted:.4f}", comparison.adjusted, comparison.adjusted < 0.05)
