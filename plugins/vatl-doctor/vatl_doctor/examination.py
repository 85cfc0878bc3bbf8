"""Every check in turn, whatever one of them raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from vatl_core.plugins import Registry
from vatl_doctor import installed, machine, media
from vatl_doctor.aside import CHECKS, aside
from vatl_doctor.findings import Check, Finding, findings


def examine(registry: Registry, runs: Path) -> Iterator[tuple[str, Finding]]:
    """What each check finds, by its name, as it is found.

    Args:
        registry: the plugins; those that work may bring checks of their own.
        runs: where runs are to be kept.
    """
    first: Mapping[str, Check] = {
        "python": installed.python,
        "vatl": installed.versions,
        "plugins": partial(installed.plugins, registry),
        "libraries": installed.libraries,
    }
    then: Mapping[str, Check] = {
        "browser": media.browser,
        "caches": machine.caches,
        "runs": partial(machine.runs, runs),
        "memory": machine.memory,
    }
    brought = (
        _of_plugin(origin.partition(" ")[0], plugin.vatl_checks)
        for origin, plugin in registry.manager.list_name_plugin()
        if hasattr(plugin, "vatl_checks")
    )
    return chain(_each(first), aside(list(CHECKS)), _each(then), *brought)


def _each(checks: Mapping[str, Check], plugin: str = "") -> Iterator[tuple[str, Finding]]:
    for name, check in checks.items():
        yield from ((f"{plugin}{name}", finding) for finding in findings(check))


def _of_plugin(plugin: str, brings: Any) -> Iterator[tuple[str, Finding]]:
    """What the checks of a plugin find, which returns them by name."""
    checks: dict[str, Check] = {}
    failed = findings(lambda: checks.update(brings()) or [])
    yield from ((plugin, finding) for finding in failed)
    yield from _each(checks, f"{plugin}: ")
