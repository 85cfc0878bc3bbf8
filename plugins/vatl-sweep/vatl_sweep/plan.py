"""What a sweep is made of: videos × variants × seeds, each combination a run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.config import ROLES, RunConfig, chosen, path_component
from vatl_core.config_files import configure, split, tables_of
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Options, Registry, build, laid_over, option_fields, structure
from vatl_core.promises import checked_names

ALL: Final = ("all",)
OWN: Final = ("name", "runs")
"""Settings of ``[run]`` that are the sweep's own affair."""
COMMON: Final = ("video", "seed", "executor")
"""Settings that variants cannot differ in."""


@attrs.frozen
class Grid:
    """The table ``[sweep]``.

    Attributes:
        videos: names, a split's name for its videos, or ``all`` of the data set; the run's own video if empty.
        seeds: each with every video and variant; the run's own seed if empty.
        presets: each a variant of that name, beside those with tables of their own.
        folder: of the sweep; ``sweeps/`` and the name of its file if not given.
    """

    videos: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    presets: tuple[str, ...] = ()
    folder: Path | None = None


@attrs.frozen
class SweepRun:
    """One run of a sweep.

    Attributes:
        variant: which of those compared.
        config: what it is made of; its name and folder are the sweep's.
    """

    variant: str
    config: RunConfig

    @property
    def name(self) -> str:
        """Unique in the sweep."""
        return self.config.run_name

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.config.path


@attrs.frozen
class Plan:
    """A sweep, with every part of it checked.

    Attributes:
        folder: where it is kept.
        runs: all of them, those of a variant together.
    """

    folder: Path
    runs: tuple[SweepRun, ...]


def read_plan(
    registry: Registry,
    path: Path,
    folder: Path | None = None,
    executor: str | None = None,
    options: Sequence[str] = (),
    jobs: int | None = None,
) -> Plan:
    """A sweep from its file and the command line; every part of every variant is made once to try it.

    Args:
        registry: of components.
        path: the TOML file.
        folder, executor: from the command line, over the file's.
        options: ``PART.OPTION=VALUE`` from the command line.
        jobs: for executors with an option of that name.

    Raises:
        InputError: something in it does not exist or cannot be used.
    """
    return plan_of(registry, tables_of(path), path, folder, executor, options, jobs)


def plan_of(
    registry: Registry,
    tables: Mapping[str, Any],
    path: Path,
    folder: Path | None = None,
    executor: str | None = None,
    options: Sequence[str] = (),
    jobs: int | None = None,
    compared: str = "variant",
) -> Plan:
    """As :func:`read_plan`, of what stands in the file; ``compared`` is the table with those that are compared."""
    tables = {name: table for name, table in tables.items() if name != "tune"}  # `vatl tune` reads that one
    grid = grid_of(tables.pop("sweep", {}), path)
    variants = _variants(tables.pop(compared, {}), grid, path, compared)
    settings, below = split(tables, str(path))
    _refuse(settings, OWN, f"[run] of {path}")
    settings |= {"executor": executor} if executor else {}
    folder = folder or grid.folder or Path("sweeps") / path.stem
    runs = []
    for name, (own, above) in variants.items():
        made = configure(registry, settings | own, laid_over(above, below), options)
        made = _with_jobs(registry, made, jobs)
        _try_parts(registry, made)
        videos = _videos(registry, made, grid.videos)
        for video, seed in itertools.product(videos, grid.seeds or (made.seed,)):
            run = path_component(f"{name}-{video}-seed{seed}")
            runs.append(SweepRun(name, attrs.evolve(made, video=video, seed=seed, name=run, runs=folder / "runs")))
    _check_names(runs)
    return Plan(folder, tuple(runs))


def grid_of(values: Any, path: Path) -> Grid:
    """What stands in the table ``[sweep]`` of the file.

    Raises:
        InputError: something in it does not exist or cannot be used.
    """
    known = option_fields(Grid)
    if not isinstance(values, dict):
        raise InputError(f"{path}: 'sweep' is to be a table: write [sweep]")
    for name in values:
        if name not in known:
            raise unknown(f"setting of [sweep] in {path}", name, known)
    made: Grid = structure(values, Grid, f"[sweep] of {path}")
    for name in ("videos", "seeds", "presets"):
        entries = getattr(made, name)
        if twice := [entry for entry in entries if entries.count(entry) > 1]:
            raise InputError(f"[sweep] of {path}: {name} has {twice[0]!r} twice: name each once")
    if any(seed < 0 for seed in made.seeds):
        raise InputError(f"[sweep] of {path}: seeds = {list(made.seeds)}: a seed is 0 or more")
    return made


def _variants(tables: Any, grid: Grid, path: Path, kind: str) -> dict[str, tuple[dict[str, Any], Options]]:
    """Settings and options of what is compared: the presets, those with tables of their own, else the run as it is."""
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise InputError(f"{path}: '{kind}' is to hold tables: write [{kind}.NAME.run]")
    found: dict[str, tuple[dict[str, Any], Options]] = {name: ({"preset": name}, {}) for name in grid.presets}
    for name, table in tables.items():
        where = f"[{kind}.{name}] of {path}"
        if name in found:
            raise InputError(f"{where} has the name of a preset of the sweep: choose another")
        found[name] = split(table, where)
        _refuse(found[name][0], (*OWN, *COMMON), f"[{kind}.{name}.run] of {path}")
        _refuse(found[name][1], COMMON, where)
    return found or {"run": ({}, {})}


def _refuse(settings: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in names:
        if name in settings:
            raise InputError(f"{where} sets '{name}', which the sweep decides: leave it out")


def _with_jobs(registry: Registry, config: RunConfig, jobs: int | None) -> RunConfig:
    """The executor with its number of jobs: one if it has the option and nobody sets it, so that runs are apart."""
    own = config.of("executor", config.executor)
    if jobs is None and (
        "jobs" in own or "jobs" not in option_fields(registry.find("executor", config.executor).load())
    ):
        return config
    return attrs.evolve(config, options=laid_over({"executor": {config.executor: {"jobs": jobs or 1}}}, config.options))


def _try_parts(registry: Registry, config: RunConfig) -> None:
    """Make every part once, so that a bad option is told before anything begins."""
    for role, kind in ROLES.items():
        for name in chosen(config, role):
            build(registry, kind, name, config.of(role, name))


def _videos(registry: Registry, config: RunConfig, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the videos that a variant is run on."""
    dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    names = list(checked_names(dataset))
    if not names:
        raise InputError(f"data set '{config.dataset}' has no video")
    if wanted == ALL:
        return tuple(names)
    splits: dict[str, list[str]] = dataset.splits()
    every = {video for videos in splits.values() for video in videos}.union(names, dataset.sources())
    found = [[name] if name in every else splits.get(name, []) for name in wanted]
    if [] in found:
        raise unknown("video", wanted[found.index([])], [*names, *splits])
    return tuple(dict.fromkeys(itertools.chain(*found))) or (config.video or names[0],)


def _check_names(runs: Sequence[SweepRun]) -> None:
    seen: dict[str, SweepRun] = {}
    for run in runs:
        first = seen.setdefault(run.name.lower(), run)
        if first is not run:
            raise InputError(
                f"two runs of the sweep would be called {run.name} (videos '{first.config.video}' and "
                f"'{run.config.video}'): rename a variant"
            )
