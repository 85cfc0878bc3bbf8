"""The command line, called in this process, and what it must say of a file that it does not take."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import Outcome
from vatl_core.cli import main


def called(*words: str | Path) -> Outcome:
    """What a command did; a warning is a line of its standard error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
        try:
            code = main(list(map(str, words)))
        except SystemExit as end:
            code = int(end.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def checked(name: str, *options: str) -> Outcome:
    """``vatl datasets check``, every picture decoded."""
    words = [word for option in options for word in ("-o", option)]
    return called("datasets", "check", name, *words, "--decode", "--json")


def told(outcome: Outcome) -> list[str]:
    """What a command that failed says was wrong: its last line, or what a check lists as missing."""
    if outcome.code == 1 and outcome.out.startswith("{"):
        return list(map(str, outcome.record["missing"]))
    return [line for line in outcome.err.splitlines() if line.startswith("vatl: ")]


def assert_refused_well(outcome: Outcome, names: Sequence[str]) -> None:
    """One line for the user, which names one of these files; nothing that nobody expected."""
    lines = told(outcome)
    assert outcome.code in (1, 2), outcome
    assert len(lines) >= 1, outcome
    for line in lines:
        assert "unexpected " not in line, line
        assert "Traceback" not in outcome.err, outcome.err
        assert any(name in line for name in names), f"{line!r} names none of {names}"
