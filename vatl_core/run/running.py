"""Beginning a run, taking it up again, and looking back at one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.config import RunConfig
from vatl_core.cycle import Run, amounts
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_core.records import RunRecord
from vatl_core.run.objects import OBJECTS, with_absent
from vatl_core.run.past import config_of
from vatl_core.run.preparation import learnt_file, prepare
from vatl_core.store import RunFolder
from vatl_core.weights import load_checkpoint, read_checkpoint, save_checkpoint

PATIENCE: Final = 180.0
"""Seconds that a run given to a second process waits for the first one's lock: storage takes that long to notice that
a machine is gone."""


def execute(config: RunConfig, registry: Registry | None = None) -> RunRecord:
    """Carry a run out from its beginning.

    Args:
        config: what it is made of.
        registry: of components; everything that is installed if not given.

    Raises:
        InputError: something it is made of cannot be used; then nothing is left of it.
    """
    run = begin(config, registry or discover())
    try:
        return run.adapt()
    except InputError:
        if not run.records and not (run.folder.path / "labels.sqlite").exists():
            shutil.rmtree(run.folder.path)
        raise
    finally:
        run.folder.unlock()


def begin(config: RunConfig, registry: Registry, objects: Mapping[str, Any] | None = None) -> Run:
    """A run as it begins: its parts made, its folder with all that it needs to be taken up again, and locked.

    Args:
        config: what it is made of.
        registry: of components.
        objects: the table that says which of its parts were objects.

    Raises:
        InputError: something it is made of cannot be used; then nothing is left of it.
    """
    run = prepare(config, registry)
    amounts(config.schedule, len(run.video.instances))
    run.folder = RunFolder.create(config.path, config.to_toml() | dict(objects or {}) | {"made_with": _versions(run)})
    run.folder.lock()
    try:
        _keep(run)
        _save_beginning(run)
    except InputError:
        shutil.rmtree(run.folder.path)
        run.folder.unlock()
        raise
    return run


def carry_out(config: RunConfig, registry: Registry | None = None) -> RunRecord:
    """Begin a run, or take it up if its directory is there: work for an executor, which may do it more than once.

    Args:
        config: what it is made of.
        registry: of components; everything that is installed if not given.

    Raises:
        InputError: something it is made of cannot be used, or another process works on it and does not end.
    """
    if (config.path / "config.toml").is_file():
        return finish(config.path, registry, PATIENCE)
    return execute(config, registry)


def finish(
    path: Path,
    registry: Registry | None = None,
    patience: float = 0.0,
    oracle: tuple[str, Mapping[str, Any]] | None = None,
) -> RunRecord:
    """Take a run up where it was left, to the result it would have had without the interruption.

    Args:
        path: the run directory.
        registry: of components; everything that is installed if not given.
        patience: seconds to wait for another process that works on it.
        oracle: who answers from now on, and options laid over those it has; the run's own if not given.

    Raises:
        InputError: it is no run, or another process works on it.
    """
    folder = RunFolder.open(path)
    folder.lock(patience)
    try:
        return folder.closing() or take_up(folder, registry or discover(), oracle).adapt()
    finally:
        folder.unlock()


def take_up(folder: RunFolder, registry: Registry, oracle: tuple[str, Mapping[str, Any]] | None = None) -> Run:
    """A run as it stands, ready to go on.

    Args:
        folder: of the run, locked.
        registry: of components.
        oracle: as for :func:`finish`.

    Raises:
        InputError: something it is made of cannot be used.
    """
    begun = folder.weights(0).exists()
    registry = with_absent(registry, folder.config.get(OBJECTS, {}), folder.path)
    config, records = config_of(folder.path, folder, registry), folder.cycles()
    config = _answered_by(config, *oracle) if oracle else config
    run = prepare(config, registry, folder if begun else None, len(records))
    run.folder, run.records, run.closing = folder, records, folder.closing()
    if not begun:
        _keep(run)
        _save_beginning(run)
    present = folder.weights(records[-1].cycle if run.ended else run.cycle)
    load_checkpoint(run.estimator, read_checkpoint(present), run.video.skeleton, str(present))
    return run


def _answered_by(config: RunConfig, oracle: str, options: Mapping[str, Any]) -> RunConfig:
    """The configuration with another oracle, or other options of its own."""
    tables = dict(config.options.get("oracle", {}))
    tables[oracle] = {**tables.get(oracle, {}), **options}
    return attrs.evolve(config, oracle=oracle, options={**config.options, "oracle": tables})


def _save_beginning(run: Run) -> None:
    """Keep the weights that the run begins with, and what was said of them: elsewhere they may change or vanish."""
    save_checkpoint(run.folder.weights(0), run.estimator, run.video.skeleton, run.weights, run.warnings)


def _keep(run: Run) -> None:
    """Copy what criteria learnt before the run into its folder: files elsewhere may change."""
    for name, found in run.learnt.items():
        found.save(learnt_file(run.folder, name))


def _versions(run: Run) -> dict[str, str]:
    return {"vatl-core": version("vatl-core")} | run.compute.describe()
