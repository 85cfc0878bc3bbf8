"""Tables that a page shows, a spreadsheet computes with and LaTeX prints; and the parts that a page is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.files import write_whole
from vatl_drawing import Plot
from vatl_formats import csv_text
from vatl_report.wording import UNKNOWN, accuracy

_LATEX: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "−": "$-$",
    "τ": r"$\tau$", "—": "---", "–": "--", "·": r"$\cdot$", "<": r"$<$", ">": r"$>$",
}  # fmt: skip
_COLUMNS: Final = ("", " (deviation)")


@attrs.frozen
class Cell:
    """One cell.

    Attributes:
        text: for readers.
        value: for computing, in full precision; None where it is not known.
        best: whether it is set in bold.
        deviation: the standard deviation that stands behind a mean.
    """

    text: str
    value: object = None
    best: bool = False
    deviation: float | None = None

    @classmethod
    def of(cls, text: str) -> Cell:
        """A cell that says the same to both."""
        return cls(text, text)


@attrs.frozen
class Table:
    """Rows under a head.

    Attributes:
        name: of its files.
        title: what it shows.
        head: a title a column.
        rows: as wide as the head.
        words: how many columns, from the left, hold words rather than figures.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1

    def csv(self) -> str:
        """Comma-separated values; deviations in columns of their own, behind those of their means."""
        spread = [any(row[n].deviation is not None for row in self.rows) for n in range(len(self.head))]
        head = [
            f"{title}{what}" for title, more in zip(self.head, spread, strict=True) for what in _COLUMNS[: 1 + more]
        ]
        rows = [
            [v for cell, more in zip(row, spread, strict=True) for v in (cell.value, cell.deviation)[: 1 + more]]
            for row in self.rows
        ]
        return csv_text(head, rows)

    def latex(self) -> str:
        r"""A ``tabular`` for the package booktabs, to be taken in by ``\input``."""
        columns = "l" * self.words + "r" * (len(self.head) - self.words)
        lines = [" & ".join(map(latex, row)) + r" \\" for row in ([Cell.of(title) for title in self.head], *self.rows)]
        head, body = lines[0], "\n".join(lines[1:])
        begin, end = rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}", r"\end{tabular}"
        about = f"% {self.title}; \\usepackage{{booktabs}}".replace("\n", " ")
        return "\n".join([about, begin, r"\toprule", head, r"\midrule", body, r"\bottomrule", end, ""])


def latex(cell: Cell) -> str:
    """A cell's text with LaTeX's own characters escaped."""
    text = "".join(_LATEX.get(letter, letter) for letter in cell.text)
    return rf"\textbf{{{text}}}" if cell.best else text


def accuracies(
    values: Sequence[float | None], deviations: Sequence[float | None] = (), lower: bool = False
) -> list[Cell]:
    """A column of accuracies, the best of them bold unless all are alike.

    Args:
        values: 0 to 1, None where not known.
        deviations: standard deviations to stand behind them.
        lower: whether lower is better.
    """
    shown = [accuracy(value) for value in values]
    known = [text for text in shown if text != UNKNOWN]
    best = (min if lower else max)(known) if len(set(known)) > 1 else None
    spread = [None if v is None else d for v, d in zip(values, list(deviations) or [None] * len(values), strict=True)]
    texts = [t if d is None or t == UNKNOWN else f"{t} ± {d:.3f}" for t, d in zip(shown, spread, strict=True)]
    return [
        Cell(text, value, best is not None and short == best, deviation)
        for text, value, short, deviation in zip(texts, values, shown, spread, strict=True)
    ]


def from_columns(first: Iterable[str], columns: Iterable[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows from a column of names and columns of cells."""
    return tuple(zip([Cell.of(name) for name in first], *columns, strict=True))


@attrs.frozen
class Part:
    """One subject of a page.

    Attributes:
        title: its heading.
        about: what to know to read it.
        figures: ``{file name: (plot, caption)}``.
        data: ``{file name: CSV}`` behind the figures.
        tables: in order.
        notes: what is missing, or to be kept in mind.
    """

    title: str
    about: str
    figures: dict[str, tuple[Plot, str]] = attrs.field(factory=dict)
    data: dict[str, str] = attrs.field(factory=dict)
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    def write(self, folder: Path) -> list[str]:
        """Write its figures, their data and its tables into ``folder``; return the files' names."""
        written = []
        for name, (plot, _) in self.figures.items():
            plot.write(folder, name)
            written += [f"{name}.png", f"{name}.svg"]
        files: dict[str, Any] = {f"{name}.csv": text for name, text in self.data.items()}
        for table in self.tables:
            files |= {f"{table.name}.csv": table.csv(), f"{table.name}.tex": table.latex()}
        for name, text in files.items():
            write_whole(folder / name, text)
        return [*written, *files]


def file_name(text: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("_.") or "unnamed"
