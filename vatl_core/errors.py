"""What can go wrong, told in one line: what, where, what to do."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable
from pathlib import Path


class VatlError(Exception):
    """A failure whose message is written for the user; the command line shows it without a traceback."""

    exit_code = 1


class InputError(VatlError):
    """The user's input (a file, a name, an option) cannot be used; exit code 2, nothing was written."""

    exit_code = 2


class ChangedDataError(InputError):
    """The data of a run is not what it was when the run began."""


class PluginError(VatlError):
    """A plugin cannot be used: it clashes with another, does not import, or breaks its contract."""


def unknown(what: str, name: str, choices: Iterable[str]) -> InputError:
    """The error for a misspelt name: the nearest match first, then everything there is."""
    known = sorted(choices)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    if os.path.isfile(name) or (what == "command" and (Path(name).suffix or os.path.isdir(name))):  # noqa: PTH112, PTH113
        hint = f"did you mean `vatl run {shlex.quote(name)}`? "
    return InputError(f"no {what} is called '{name}': {hint}there are: {', '.join(known) or 'none'}")
