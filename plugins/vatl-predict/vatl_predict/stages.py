"""Bars for what takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from vatl_core.progress import Progress


@contextmanager
def bars(label: str) -> Iterator[Progress]:
    """Shows a bar on standard error for each stage that is told, with how much of it is done and the time left."""
    shown: dict[str, Any] = {}
    with ExitStack() as stack:

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in shown:
                bar = click.progressbar(length=total, label=f"{label}: {stage}", file=sys.stderr)
                shown[stage] = stack.enter_context(bar)
            shown[stage].update(done - shown[stage].pos)

        yield progress
