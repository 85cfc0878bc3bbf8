"""Bars for what a data set does before a run begins, which has displays of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from vatl_core.progress import Progress


@contextmanager
def bars() -> Iterator[Progress]:
    """Shows a bar on standard error for each stage that is told, how much of it is done and the time left."""
    shown: dict[str, Any] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in shown:
            shown[stage] = click.progressbar(length=total, label=stage, file=sys.stderr)
            shown[stage].__enter__()
        shown[stage].update(done - shown[stage].pos)

    try:
        yield progress
    finally:
        for bar in shown.values():
            bar.__exit__(None, None, None)
