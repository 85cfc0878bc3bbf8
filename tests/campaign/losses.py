"""What a run that was interrupted lost, against one of the same seed that was not."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from tests.campaign.answering import Answering


@attrs.frozen
class Losses:
    """What went wrong, counted; all of it is to be 0.

    Attributes:
        lost: labels that are not there, or are others.
        twice: labels that were asked for, or written, twice.
        changed: cycles that asked for others, or measured something else.
        weights: files of weights that differ.
        report: reports that are missing, or parts of them.
        left: parts of files and temporary folders that nobody needs any more.
        failed: processes that ended otherwise than they were told to.
    """

    lost: int = 0
    twice: int = 0
    changed: int = 0
    weights: int = 0
    report: int = 0
    left: int = 0
    failed: int = 0

    def __add__(self, other: Losses) -> Losses:
        return Losses(*(a + b for a, b in zip(attrs.astuple(self), attrs.astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(attrs.astuple(self))


def labels_of(run: Path) -> list[tuple[int, str]]:
    """Instance and keypoints of every label on disk, in order."""
    if not (run / "labels.sqlite").exists():
        return []
    with closing(sqlite3.connect(run / "labels.sqlite")) as connection:
        try:
            return connection.execute("select instance, keypoints from labels order by id").fetchall()
        except sqlite3.OperationalError:  # killed before there was a table
            return []


def compared(run: Path, whole: Path, answering: Answering | None = None) -> Losses:
    """What a run lost against a whole one, and against what was acknowledged to whoever answered."""
    labels, expected = labels_of(run), dict(labels_of(whole))
    found, times = dict(labels), Counter(instance for instance, _ in labels)
    kept = answering.kept if answering else set()
    again = len(answering.repeated) if answering else 0
    return Losses(
        lost=sum(found.get(i) != keypoints for i, keypoints in expected.items()) + len(kept - found.keys()),
        twice=sum(times.values()) - len(times) + again + len(list(run.glob("cycles/*/tasks-*"))),
        changed=_differing(records_of(run), records_of(whole)),
        weights=_differing(_weights(run), _weights(whole)),
        report=_differing(_report(run), _report(whole)),
        left=sum(".part" in path.name or path.name == ".untold" for path in run.rglob(".*")),
        failed=len(answering.refused) if answering else 0,
    )


def records_of(run: Path) -> list[dict[str, Any]]:
    """A run's cycles without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "cycles.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def _weights(run: Path) -> list[tuple[str, str]]:
    files = sorted(run.glob("cycles/*/weights.safetensors"))
    return [(file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


def _report(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "report").glob("[!.]*"))


def _differing(found: Iterable[Any], expected: Iterable[Any]) -> int:
    """How many of two lists' entries differ."""
    one, other = list(found), list(expected)
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
