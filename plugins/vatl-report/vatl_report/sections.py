"""Sections that other plugins add to the report of a run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.errors import PluginError
from vatl_core.plugins import Section, whose

if TYPE_CHECKING:
    from vatl_core.run import PastRun

KINDS: Final = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Pictures that a page can take in."""


@attrs.frozen
class Added:
    """A section as the page shows it.

    Attributes:
        title, text: in plain text; the text may be empty.
        head, rows: of a table; empty where there is none.
        picture: as a data address; None where there is none.
    """

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    picture: str | None


def sections_of(past: PastRun, folder: Path) -> list[Added]:
    """What plugins add to the report in ``folder``.

    Raises:
        PluginError: one gives something else than a section, or a picture that cannot be shown.
        OSError: a picture cannot be read.
    """
    given = past.registry.manager.hook.vatl_report_section(run=past.folder.path, folder=folder)
    return [_added(section) for section in given]


def _added(section: object) -> Added:
    if not isinstance(section, Section):
        raise PluginError(f"vatl_report_section gave a {type(section).__name__}: a Section is expected{whose(section)}")
    head, *rows = [list(map(str, row)) for row in section.rows] or [[]]
    return Added(section.title, section.text, head, rows, _inline(section.picture) if section.picture else None)


def _inline(picture: Path) -> str:
    kind = KINDS.get(picture.suffix.lower())
    if kind is None:
        raise PluginError(f"vatl_report_section gave the picture {picture}: it is to be one of {', '.join(KINDS)}")
    return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"
