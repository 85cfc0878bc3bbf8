"""Mutations of tables in text: rows and columns dropped, twice, exchanged; cells with other values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

Cells = list[list[str]]

STRANGE: Final = (
    "", " ", "x", "nan", "inf", "-1", "-7.5", "1e30", "0", "1", "2", "3", "2.5", "99999", "1,5", '"', "#", "/", "..",
    "9" * 400, "\x00", "½",
)  # fmt: skip


@st.composite
def mutated_tables(draw: st.DrawFn, rows: Cells, most: int = 2) -> str:
    """The text of a table whose cells were mutated once or twice."""
    cells = [list(row) for row in rows]
    for _ in range(draw(st.integers(1, most))):
        if len(cells) > 1:
            draw(st.sampled_from(MUTATIONS))(draw, cells)
    return "".join(",".join(row) + "\n" for row in cells)


def _row(draw: st.DrawFn, cells: Cells) -> int:
    return draw(st.integers(0, len(cells) - 1))


def _cell(draw: st.DrawFn, cells: Cells) -> tuple[int, int]:
    i = _row(draw, cells)
    return i, draw(st.integers(0, max(0, len(cells[i]) - 1)))


def drop_row(draw: st.DrawFn, cells: Cells) -> None:
    del cells[_row(draw, cells)]


def repeat_row(draw: st.DrawFn, cells: Cells) -> None:
    cells.insert(_row(draw, cells), list(cells[_row(draw, cells)]))


def exchange_rows(draw: st.DrawFn, cells: Cells) -> None:
    i, j = _row(draw, cells), _row(draw, cells)
    cells[i], cells[j] = cells[j], cells[i]


def drop_column(draw: st.DrawFn, cells: Cells) -> None:
    _, column = _cell(draw, cells)
    for row in cells:
        del row[column : column + 1]


def repeat_column(draw: st.DrawFn, cells: Cells) -> None:
    _, column = _cell(draw, cells)
    for row in cells:
        row[column:column] = row[column : column + 1]


def exchange_columns(draw: st.DrawFn, cells: Cells) -> None:
    (_, one), (_, two) = _cell(draw, cells), _cell(draw, cells)
    for row in cells:
        if max(one, two) < len(row):
            row[one], row[two] = row[two], row[one]


def drop_cell(draw: st.DrawFn, cells: Cells) -> None:
    i, column = _cell(draw, cells)
    del cells[i][column : column + 1]


def add_cell(draw: st.DrawFn, cells: Cells) -> None:
    i, column = _cell(draw, cells)
    cells[i].insert(column, draw(st.sampled_from(STRANGE)))


def change_cell(draw: st.DrawFn, cells: Cells) -> None:
    i, column = _cell(draw, cells)
    if cells[i]:
        cells[i][column] = draw(st.sampled_from([*STRANGE, cells[_row(draw, cells)][0], f"{cells[i][column]}0"]))


def exchange_cells(draw: st.DrawFn, cells: Cells) -> None:
    (i, one), (j, two) = _cell(draw, cells), _cell(draw, cells)
    if cells[i] and cells[j]:
        cells[i][one], cells[j][two] = cells[j][two], cells[i][one]


MUTATIONS: Final[tuple[Callable[[st.DrawFn, Cells], None], ...]] = (
    drop_row, repeat_row, exchange_rows, drop_column, repeat_column, exchange_columns, drop_cell, add_cell,
    change_cell, change_cell, change_cell, exchange_cells,
)  # fmt: skip
