"""How far long work is: what stages tell, and a bar that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """A progress display that shows nothing."""


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[], None]]:
    """Shows ``label``, how much of ``length`` steps is done and the time left; what it yields counts one step."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield lambda: shown.update(1)
