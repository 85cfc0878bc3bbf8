"""What a plugin adds to the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs


@attrs.frozen
class Section:
    """A picture or a table of a plugin's own, under a heading.

    Attributes:
        title: the heading, in plain text.
        text: a paragraph, in plain text.
        rows: a table; the first row is its head.
        picture: a PNG or SVG file, which the page takes in.
    """

    title: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    picture: Path | None = None
