"""What a check found: a line, and the remedy where there is something to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from vatl_core.plugins import describe

State = Literal["ok", "advice", "wrong"]


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


@attrs.frozen
class Finding:
    """What a check found.

    Attributes:
        state: ``ok``; ``advice`` where vatl works and something would be better; ``wrong`` where it does not work.
        found: what there is, in a line.
        remedy: what to do.
    """

    state: State
    found: str = attrs.field(converter=_one_line)
    remedy: str = attrs.field(default="", converter=_one_line)


Check = Callable[[], list[Finding]]


def fine(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def advice(found: str, remedy: str) -> Finding:
    """It works, and could do better."""
    return Finding("advice", found, remedy)


def wrong(found: str, remedy: str) -> Finding:
    """It cannot work like that."""
    return Finding("wrong", found, remedy)


def findings(check: Check) -> list[Finding]:
    """What a check finds, or why it could not."""
    try:
        return [_held(finding) for finding in check()]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what it looks at may be broken in any way, or be a stranger's
        return [wrong(f"could not be checked: {describe(error)}", "reinstall what it is about, or report it")]


def _held(finding: object) -> Finding:
    if not isinstance(finding, Finding):
        raise TypeError(f"a check is to return a list of Findings; it has a {type(finding).__name__}")
    return finding
