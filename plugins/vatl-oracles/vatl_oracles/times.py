"""How long labels took, as it was measured: from a run's answers, or from a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

import attrs

from vatl_core.errors import InputError
from vatl_core.files import reading
from vatl_core.store import Answers

COLUMNS: Final = ("instance", "seconds")


@attrs.frozen
class Times:
    """Seconds that labels took.

    Attributes:
        measured: ``{instance: seconds}``, the mean over its labels.
        mean: over all labels.
    """

    measured: dict[int, float]
    mean: float

    @classmethod
    def of_labels(cls, labels: Sequence[tuple[int, float]]) -> Times:
        """Those of labels, each with its instance and seconds; at least one."""
        each: dict[int, list[float]] = {}
        for instance, seconds in labels:
            each.setdefault(instance, []).append(seconds)
        return cls({i: fmean(values) for i, values in each.items()}, fmean(seconds for _, seconds in labels))

    def of(self, instance: int) -> float:
        """What a label of an instance takes; the mean where it was not measured."""
        return self.measured.get(instance, self.mean)


def read_times(path: Path) -> Times:
    """The times in a run's folder, its ``labels.sqlite``, or a CSV file with the columns :data:`COLUMNS`.

    Labels on which nobody spent any time were not measured, and do not count.

    Raises:
        InputError: there is no such file, it cannot be read, or no label in it took any time.
    """
    file = path / "labels.sqlite" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"oracle 'costly': times = {file}: there is no such file")
    with reading(file, f"a table with the columns {' and '.join(COLUMNS)} is expected, or a run's labels.sqlite"):
        labels = list(_given(file) if file.suffix == ".sqlite" else _table(file))
    if not (timed := [(instance, seconds) for instance, seconds in labels if seconds > 0]):
        raise InputError(f"{file}: no label in it took any time: give one in which times were measured")
    return Times.of_labels(timed)


def _given(file: Path) -> Iterable[tuple[int, float]]:
    return ((label.instance, label.seconds) for label in Answers(file).history())


def _table(file: Path) -> Iterable[tuple[int, float]]:
    with file.open(newline="", encoding="utf-8-sig") as opened:
        table = csv.DictReader(opened, strict=True)
        if lacking := [name for name in COLUMNS if name not in (table.fieldnames or ())]:
            raise InputError(f"{file}: its first line has no '{lacking[0]}': name the columns {' and '.join(COLUMNS)}")
        for row in table:
            where = f"{file}, line {table.line_num}"
            yield int(_number(row["instance"], f"{where}: instance", int)), _number(row["seconds"], f"{where}: seconds")


def _number(text: str | None, where: str, kind: Callable[[str], float] = float) -> float:
    """A number from 0 on, as it stands in a table."""
    try:
        value = kind(text or "")
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise InputError(f"{where} = {text!r} is to be a number, 0 or more")
    return value
