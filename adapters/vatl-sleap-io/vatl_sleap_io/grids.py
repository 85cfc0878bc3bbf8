"""Tables of numbers under several lines of headings, as DeepLabCut and Lightning Pose write them: comma-separated."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

LEVELS: Final = ("scorer", "bodyparts", "coords")
"""What the lines of headings are about; ``individuals`` may stand second."""
MISSING: Final = frozenset({"", "n/a", "na", "nan", "none", "null"})
"""What stands in a cell, in small letters, that has no number."""


@attrs.frozen(eq=False)
class Grid:
    """A table of R rows and C columns.

    Attributes:
        levels: what each line of headings is about: ``scorer``, ``individuals`` where there are several, ``bodyparts``
            and ``coords``.
        columns: C headings, one text a level.
        index: R names of what each row is about: a picture's path, in one part or several, or a frame's number.
        values: (R, C); NaN where nothing is.
    """

    levels: Sequence[str]
    columns: Sequence[tuple[str, ...]]
    index: Sequence[tuple[str, ...]]
    values: NDArray[np.float64]

    def __attrs_post_init__(self) -> None:
        if tuple(self.levels) not in (LEVELS, (LEVELS[0], "individuals", *LEVELS[1:])):
            raise ValueError(f"its headings are {', '.join(self.levels)}, not {', '.join(LEVELS)}")
        seen: set[tuple[str, ...]] = set()
        for scorer, *told in self.columns:
            if tuple(told) in seen:  # by another scorer, perhaps
                raise ValueError(f"column {' '.join((scorer, *told))} is there twice")
            seen.add(tuple(told))


def read_csv(path: Path) -> Grid | None:
    """The table in a file of comma-separated values; None where it has other headings.

    Raises:
        ValueError: a row has more or fewer cells than the headings, or one that is no number.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [(number, line) for number, line in enumerate(csv.reader(file), 1) if any(line)]
    coords = next((i for i, (_, line) in enumerate(lines[:5]) if line[0] == "coords"), None)
    if coords is None:
        return None
    if (first := lines[0][1][0]) != "scorer":
        raise ValueError(f"its first line begins with '{first}', not scorer")
    heads, rows = [line for _, line in lines[: coords + 1]], lines[coords + 1 :]
    width = next((i for i, cell in enumerate(heads[-1]) if i and cell), 1)  # a path may be in several cells
    for number, row in lines:
        if len(row) != len(heads[-1]):
            raise ValueError(f"line {number} has {len(row)} cells, not {len(heads[-1])}: is the file complete?")
    used = [i for i in range(width, len(heads[-1])) if any(head[i] for head in heads)]
    columns = [tuple(head[i] for head in heads) for i in used]
    index = [tuple(cell for cell in row[:width] if cell) for _, row in rows]
    values = [[_number(row[i], number) for i in used] for number, row in rows]
    return Grid([head[0] for head in heads], columns, index, np.array(values).reshape(len(rows), len(columns)))


def _number(cell: str, line: int) -> float:
    if cell.strip().lower() in MISSING:
        return np.nan
    try:
        return float(cell)
    except ValueError as error:
        raise ValueError(f"line {line}: '{cell}' is no number") from error
