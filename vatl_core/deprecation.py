"""Names that go on working for a release after something better took their place, with a word on what to use."""

from __future__ import annotations

import sys
import warnings
from typing import Final, TextIO

GONE_WITH: Final = "2.0"
"""The version of the contract from which what is deprecated now is not there any more."""


class DeprecatedWarning(FutureWarning):
    """Something goes on working for now; shown to users too, since it is they who must tell a plugin's author."""


def deprecated(what: str, instead: str, stacklevel: int = 2) -> None:
    """Say that ``what`` will go, and what to use instead.

    Args:
        what: the earlier name, in words.
        instead: what the user or the plugin's author is to do.
        stacklevel: as for :func:`warnings.warn`, counted from the caller.
    """
    message = f"{what} is deprecated and goes with plugin contract {GONE_WITH}: {instead}"
    warnings.warn(message, DeprecatedWarning, stacklevel=stacklevel + 1)


def show_in_a_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """How the command line shows a warning: ours in a line, others as Python does; in :mod:`warnings`' own words."""
    if issubclass(category, DeprecatedWarning):
        text = f"vatl: {' '.join(str(message).split())}\n"
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
    (file or sys.stderr).write(text)
