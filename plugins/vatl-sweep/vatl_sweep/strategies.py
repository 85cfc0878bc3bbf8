"""The strategies that a benchmark compares: a file's, or every selector that is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vatl_core.config_files import tables_of
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Registry
from vatl_sweep.plan import Plan, grid_of, plan_of

REFERENCE: Final = "random"
"""The strategy that the others are compared with."""
TABLE: Final = "strategies"
LABELS: Final = ("0.02", "0.04", "0.07", "0.1", "0.15", "0.2", "0.3", "0.4", "0.6")
COMMON: Final[dict[str, Any]] = {"schedule": list(LABELS), "stop": ["none"]}
"""What all runs have in common unless the file says something else: nothing ends a curve early."""
GRID: Final[dict[str, Any]] = {"videos": "all", "seeds": [0, 1, 2, 3, 4]}


def strategies_plan(
    registry: Registry,
    file: Path | None,
    only: Sequence[str] = (),
    grid: Mapping[str, str] | None = None,
    schedule: str | None = None,
    folder: Path | None = None,
    options: Sequence[str] = (),
    jobs: int | None = None,
) -> Plan:
    """A benchmark's runs: strategies × videos × seeds.

    Args:
        registry: of components.
        file: as a sweep's, with ``[strategies.NAME]`` in place of ``[variant.NAME]``.
        only: the names of some strategies; all if empty. The reference is always one.
        grid: over ``[sweep]`` of the file.
        schedule: over that of the file.
        folder: of the runs.
        options: ``PART.OPTION=VALUE``.
        jobs: for executors with an option of that name.

    Raises:
        InputError: something does not exist or cannot be used.
    """
    path, said = file or Path("labels"), dict(grid or {})
    grid_of(said, Path("the command line"))
    tables = tables_of(file) if file else {}
    for name in ("sweep", "run", TABLE):
        if not isinstance(tables.get(name, {}), dict):
            raise InputError(f"{path}: '{name}' is to be a table: write [{name}{'.NAME.run' * (name == TABLE)}]")
    tables["sweep"] = GRID | tables.get("sweep", {}) | said
    tables["run"] = COMMON | tables.get("run", {}) | ({"schedule": schedule} if schedule else {})
    presets = grid_of(tables["sweep"], path).presets
    own = tables.get(TABLE) or ({} if presets else _installed(registry))
    own = {REFERENCE: {"run": {"select": REFERENCE}}} | own if REFERENCE not in presets else own
    kept = _chosen([*presets, *own], only)
    tables["sweep"]["presets"] = [name for name in presets if name in kept]
    tables[TABLE] = {name: table for name, table in own.items() if name in kept}
    return plan_of(registry, tables, path, folder, None, options, jobs, TABLE)


def _installed(registry: Registry) -> dict[str, Any]:
    """Every selector, with what else a run is made of by default."""
    return {name: {"run": {"select": name}} for name in registry.names("selector")}


def _chosen(names: Sequence[str], only: Sequence[str]) -> set[str]:
    """Those that were asked for, and the reference."""
    for name in only:
        if name not in names:
            raise unknown("strategy", name, names)
    return {REFERENCE, *(only or names)}
