"""Python, vatl, its plugins, and the libraries that they ask for: by metadata, so that nothing broken is imported."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions, entry_points, version

from packaging.requirements import Requirement

from vatl_core.plugins import GROUP, Registry
from vatl_doctor.findings import Finding, fine, wrong

_CORE = "vatl-core"
_SHOWN = 4
"""Unmet requirements that get a line; more say the same."""


def python() -> list[Finding]:
    """Which Python this is."""
    bits = 64 if sys.maxsize > 2**32 else 32
    found = f"{platform.python_version()}, {bits} bit, {platform.platform(terse=True)} on {platform.machine()}: "
    found += sys.executable
    return [fine(found) if bits == 64 else wrong(found, "torch needs 64 bit: install a Python of 64 bit")]


def versions() -> list[Finding]:
    """Which vatl this is, and the plugins of other versions."""
    ours = version(_CORE)
    brought = {point.dist.name: point.dist.version for point in entry_points(group=GROUP) if point.dist}
    same = [name for name, theirs in brought.items() if theirs == ours and name.startswith("vatl-")]
    others = [f"{name} {theirs}" for name, theirs in sorted(brought.items()) if name not in same]
    besides = f"; besides: {', '.join(others)}" if others else ""
    return [fine(f"{ours}, with {len(same)} plugins of its own{besides}")]


def plugins(registry: Registry) -> list[Finding]:
    """What of the plugins cannot be used, and why."""
    left_out = [
        wrong(f"{origin} is left out: {cause}", f"update it, or do without it: pip uninstall {origin.split()[0]}")
        for origin, cause in registry.failures().items()
    ]
    clashing = [
        wrong(f"{kind} '{name}' is claimed by {' and by '.join(claimants)}", "uninstall one of them")
        for (kind, name), claimants in registry.clashes().items()
    ]
    return left_out + clashing or [fine("none is left out")]


def libraries() -> list[Finding]:
    """Whether what vatl's distributions ask for is installed, in a version that will do."""
    unmet = list(dict.fromkeys(text for made in distributions() if _is_ours(made) for text in _unmet(made)))
    said = [wrong(found, f"pip install '{need}'") for found, need in unmet[:_SHOWN]]
    if more := len(unmet) - len(said):
        said.append(wrong(f"{more} more do not fit", "pip install --upgrade vatl"))
    return said or [fine("all that is asked for is installed")]


def _is_ours(made: Distribution) -> bool:
    return made.name in ("vatl", _CORE) or bool(made.entry_points.select(group=GROUP))


def _unmet(made: Distribution) -> Iterator[tuple[str, str]]:
    """What is wrong with a requirement, and the requirement."""
    for need in map(Requirement, made.requires or ()):
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        bare = f"{need.name}{need.specifier}"
        try:
            there = version(need.name)
        except PackageNotFoundError:
            yield f"{made.name} needs {bare}, which is not installed", bare
        else:
            if not need.specifier.contains(there, prereleases=True):
                yield f"{made.name} needs {bare}, and {need.name} {there} is installed", bare
