"""Whether the criteria that a component watches are there to be computed for it."""

from __future__ import annotations

from typing import Any

from vatl_core.discovery import discover
from vatl_core.errors import unknown
from vatl_kit.broken import promise


def watches_what_is_there(called: str, watches: Any) -> None:
    """Hold a component to watching installed criteria.

    Args:
        called: the component in messages.
        watches: what it declares.

    Raises:
        BrokenContract: it is no tuple of their names.
    """
    __tracebackhide__ = True
    promise(
        isinstance(watches, tuple) and all(isinstance(name, str) for name in watches),
        f"{called} watches criteria by their names",
        'a tuple such as ("thc",)',
        repr(watches),
        "mind the comma behind a single name",
    )
    there = discover().names("criterion")
    for name in watches:
        promise(
            name in there,
            f"{called} watches criteria that are installed",
            f"names that `vatl plugins list --kind criterion` has, not '{name}'",
            unknown("criterion", name, there),
            "correct the name, or let the package depend on the one that brings the criterion",
        )
