"""Beginning a run, taking it up again, and looking back at one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core import checkpoints
from vatl_core.closing import closing_record
from vatl_core.config import Options, RunConfig, assemble
from vatl_core.contracts import Labels
from vatl_core.cycle import Run
from vatl_core.errors import InputError
from vatl_core.estimate import Estimates
from vatl_core.options import build
from vatl_core.plugins import Registry, discover
from vatl_core.preparation import learnt_file, load_video, prepare
from vatl_core.records import CycleRecord, RunRecord
from vatl_core.schedule import amounts
from vatl_core.store import RunFolder
from vatl_core.video import Video

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
    run = prepare(config, registry or discover())
    amounts(config.schedule, len(run.video.instances))
    run.folder = RunFolder.create(config.path, config.to_toml() | {"made_with": _versions(run)})
    run.folder.lock()
    try:
        _keep(run)
        _save_beginning(run)
        return run.adapt()
    except InputError:
        if not run.records and not (run.folder.path / "labels.sqlite").exists():
            shutil.rmtree(run.folder.path)
        raise
    finally:
        run.folder.unlock()


def carry_out(config: RunConfig, registry: Registry | None = None) -> RunRecord:
    """Begin a run, or take it up if its directory is there: work for an executor, which may do it more than once.

    Args:
        config: what it is made of.
        registry: of components; everything that is installed if not given.

    Raises:
        InputError: something it is made of cannot be used, or another process works on it and does not end.
    """
    if (config.path / "config.toml").is_file():
        return resume(config.path, registry, PATIENCE)
    return execute(config, registry)


def resume(
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
    registry = registry or discover()
    folder.lock(patience)
    try:
        if closing := folder.closing():
            return closing
        begun = folder.weights(0).exists()
        config = config_of(path, folder, registry)
        run = prepare(_answered_by(config, *oracle) if oracle else config, registry, folder if begun else None)
        run.folder, run.records = folder, folder.cycles()
        if run.records and not run.records[-1].query:
            return _close(run)
        if not begun:
            _keep(run)
            _save_beginning(run)
        weights = checkpoints.read(folder.weights(run.cycle))
        checkpoints.load(run.estimator, weights, run.video.skeleton, str(folder.weights(run.cycle)))
        return run.adapt()
    finally:
        folder.unlock()


def _answered_by(config: RunConfig, oracle: str, options: Mapping[str, Any]) -> RunConfig:
    """The configuration with another oracle, or other options of its own."""
    tables = dict(config.options.get("oracle", {}))
    tables[oracle] = {**tables.get(oracle, {}), **options}
    return attrs.evolve(config, oracle=oracle, options={**config.options, "oracle": tables})


def _close(run: Run) -> RunRecord:
    """What was left to do when the last cycle's record was already on disk."""
    closing = closing_record(run)
    run.folder.close(closing)
    run.hook.vatl_run_finished(run=run, record=closing)
    return closing


def config_of(path: Path, folder: RunFolder, registry: Registry) -> RunConfig:
    """The configuration of the run in ``path``, wherever the folder has been moved to since."""
    tables = dict(folder.config)
    settings: dict[str, Any] = tables.pop("run", {})
    tables.pop("made_with", None)
    options: Options = tables
    config = assemble(registry, settings, options)
    return attrs.evolve(config, runs=path.parent, name=path.name)


def _save_beginning(run: Run) -> None:
    """Keep the weights that the run begins with, and what was said of them: elsewhere they may change or vanish."""
    checkpoints.save(run.folder.weights(0), run.estimator, run.video.skeleton, run.weights, run.warnings)


def _keep(run: Run) -> None:
    """Copy what criteria learnt before the run into its folder: files elsewhere may change."""
    for name, found in run.learnt.items():
        found.save(learnt_file(run.folder, name))


def _versions(run: Run) -> dict[str, str]:
    return {"vatl-core": version("vatl-core")} | run.compute.describe()


@attrs.frozen(slots=False)
class PastRun:
    """A run to look back at, finished or not.

    Attributes:
        folder: where it is kept.
        config: what it was made of.
        cycles: records of the finished cycles; the last is the closing pass (``query == ()``) once it has ended.
        closing: None while it has not ended.
    """

    folder: RunFolder
    config: RunConfig
    cycles: list[CycleRecord]
    closing: RunRecord | None
    registry: Registry = attrs.field(repr=False)

    @classmethod
    def open(cls, path: Path, registry: Registry | None = None) -> PastRun:
        """The run in the directory ``path``, made of everything that is installed or of ``registry``.

        Raises:
            InputError: there is none.
        """
        folder, registry = RunFolder.open(path), registry or discover()
        return cls(folder, config_of(path, folder, registry), folder.cycles(), folder.closing(), registry)

    @cached_property
    def video(self) -> Video:
        """The video it adapted to, with its truth where there is any."""
        name = self.config.dataset
        video = load_video(build(self.registry, "dataset", name, self.config.of("dataset", name)), self.config.video)
        return attrs.evolve(video, instances=video.instances.with_boxes(self.folder.answers.boxes()))

    @property
    def shares(self) -> dict[str, str | None]:
        """For each criterion of the query the one whose mean is its share of the sum, or None."""
        return {name: self.registry.find("criterion", name).load().share for name in self.config.criteria}

    def estimates(self, cycle: int) -> Estimates | None:
        """What is kept of a cycle's pass, on the CPU and without features."""
        return self.folder.estimates(cycle)

    def at(self, cycle: int) -> Run:
        """The run as it stood when it estimated in ``cycle``, to look at; nothing is written.

        Raises:
            InputError: the weights of that cycle are not there, or something it is made of cannot be used here.
        """
        file = self.folder.weights(cycle)
        if not file.is_file():
            raise InputError(f"{file} is not there: without the weights of cycle {cycle} nothing can be estimated")
        run = prepare(self.config, self.registry, self.folder)
        run.folder, run.records = self.folder, self.cycles[:cycle]
        checkpoints.load(run.estimator, checkpoints.read(file), run.video.skeleton, str(file))
        return run

    def labels(self) -> Labels:
        """Everything labelled, in the order of asking."""
        refused = self.folder.answers.refused()
        asked = [index for record in self.cycles for index in record.query if index not in refused]
        return self.folder.labels(asked, len(self.video.skeleton))
