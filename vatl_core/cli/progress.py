"""A progress bar on standard error, for commands that work long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[], None]]:
    """Shows ``label``, how much of ``length`` steps is done and the time left; what it yields counts one step."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield lambda: shown.update(1)
