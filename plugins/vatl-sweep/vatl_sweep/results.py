"""What came of a sweep: a row a run, and their means and deviations over the seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

from vatl_core.files import write_whole
from vatl_formats import csv_text
from vatl_sweep.folder import SweepFolder
from vatl_sweep.plan import SweepRun

FIGURES: Final = ("labelled", "mean_oks", "ap", "alc", "mean_oks_with_labels", "ap_with_labels", "alc_with_labels")
"""Of a closing record, what is written for each run."""
_OF_TRUTH: Final = (*FIGURES[1:], "alc_std", "mean_oks_std")
"""Columns that are empty where there is no truth."""


@attrs.frozen
class Summary:
    """A variant on a video, over the seeds.

    Attributes:
        variant, video: which.
        runs, failed: how many were planned, and how many of them failed.
        finished: how many the figures are of.
        alc, mean_oks: mean over the finished runs; None where there is none, or no truth.
        alc_std, mean_oks_std: sample standard deviation (n − 1); None for fewer than two runs.
    """

    variant: str
    video: str
    runs: int
    finished: int
    failed: int
    alc: float | None
    alc_std: float | None
    mean_oks: float | None
    mean_oks_std: float | None


def rows_of(folder: SweepFolder, runs: Iterable[SweepRun]) -> list[dict[str, Any]]:
    """A row for each run: what it is, how far it is, why it failed, and the figures of its closing record."""
    rows = []
    for run in runs:
        record, failure = folder.record(run), folder.failure(run)
        row = {"run": run.name, "variant": run.variant, "video": run.config.video, "seed": run.config.seed}
        row |= {"state": folder.state(run), "cause": failure.cause if failure else None}
        row |= {name: getattr(record, name, None) for name in (*FIGURES, "stopped_by", "seconds")}
        rows.append(row | {"device": folder.device(run)})
    return rows


def summaries(rows: Sequence[dict[str, Any]]) -> list[Summary]:
    """One for each variant and video, in the order of the rows."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["variant"], row["video"]), []).append(row)
    return [_summary(*which, group) for which, group in groups.items()]


def _summary(variant: str, video: str, rows: Sequence[dict[str, Any]]) -> Summary:
    finished = [row for row in rows if row["state"] == "finished"]
    failed = sum(row["state"] == "failed" for row in rows)
    alc, oks = (_mean_and_deviation([row[name] for row in finished]) for name in ("alc", "mean_oks"))
    return Summary(variant, video, len(rows), len(finished), failed, *alc, *oks)


def _mean_and_deviation(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    mean = statistics.fmean(known) if known else None
    return mean, statistics.stdev(known) if len(known) > 1 else None


def write_results(folder: SweepFolder, runs: Iterable[SweepRun]) -> None:
    """Write ``runs.csv``, ``results.csv`` and, with both in it, ``sweep.json``."""
    rows = rows_of(folder, runs)
    table = [attrs.asdict(summary) for summary in summaries(rows)]
    write_whole(folder.path / "runs.csv", _csv(rows))
    write_whole(folder.path / "results.csv", _csv(table))
    write_whole(folder.path / "sweep.json", json.dumps({"results": table, "runs": rows}, indent=2) + "\n")


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows under a head; what takes truth has no columns where no finished run has any."""
    head = _told(rows)
    return csv_text(head, [[row[name] for name in head] for row in rows])


def _told(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The columns that say something, or may yet."""
    finished = any(row.get("finished") or row.get("state") == "finished" for row in rows)
    names = list(rows[0]) if rows else []
    return [n for n in names if not finished or n not in _OF_TRUTH or any(row[n] is not None for row in rows)]


def table(rows: Sequence[Summary]) -> str:
    """The summaries as text: mean ± standard deviation over the seeds, where there is truth."""
    told = _told([attrs.asdict(row) for row in rows])
    titles = {name: title for name, title in (("alc", "ALC"), ("mean_oks", "final mean OKS")) if name in told}
    cells = [("variant", "video", "runs", *titles.values())]
    for row in rows:
        runs = str(row.runs) if row.finished == row.runs else f"{row.finished} of {row.runs}"
        figures = (_figure(getattr(row, name), getattr(row, f"{name}_std")) for name in titles)
        cells.append((row.variant, row.video, runs, *figures))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _figure(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "—"
    return f"{mean:.3f} ± {deviation:.3f}" if deviation is not None else f"{mean:.3f}"
