"""How far long work is: what stages tell, and bars that show it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """A progress display that shows nothing."""


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[], None]]:
    """Shows ``label``, how much of ``length`` steps is done and the time left; what it yields counts one step."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield lambda: shown.update(1)


@contextmanager
def bars(label: str = "") -> Iterator[Progress]:
    """Shows a bar for each stage that is told, with how much of it is done and the time left."""
    shown: dict[str, Any] = {}
    with ExitStack() as stack:

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in shown:
                name = f"{label}: {stage}" if label else stage
                shown[stage] = stack.enter_context(click.progressbar(length=total, label=name, file=sys.stderr))
            shown[stage].update(done - shown[stage].pos)

        yield progress
