"""Tables for spreadsheets, which run what they take for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\n]")
"""How text begins that a spreadsheet may take for a formula, which can run programs and send what stands beside it."""


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values, none of them a formula; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_harmless(value) for value in row] for row in (head, *rows))
    return text.getvalue()


def _harmless(value: object) -> object:
    """A cell that a spreadsheet does not run: text that would be a formula has an apostrophe before it.

    Numbers stay numbers, as text too: a negative one begins like a formula and is none.
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # which the writer quotes, where a bare CR would begin a row
    try:
        float(text)
    except ValueError:
        return f"'{text}" if _FORMULA.match(text) else text
    return text
