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
from vatl_core.config import Options, RunConfig, assemble
from vatl_core.contracts import Labels
from vatl_core.cycle import Run
from vatl_core.errors import InputError
from vatl_core.estimate import Estimates
from vatl_core.given import Absent
from vatl_core.objects import OBJECTS, with_absent
from vatl_core.options import build
from vatl_core.plugins import Registry, discover
from vatl_core.preparation import learnt_file, load_video, prepare
from vatl_core.records import CycleRecord, RunRecord
from vatl_core.schedule import amounts
from vatl_core.standing import Standing
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
        oracle: as for :func:`resume`.

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
    checkpoints.load(run.estimator, checkpoints.read(present), run.video.skeleton, str(present))
    return run


def _answered_by(config: RunConfig, oracle: str, options: Mapping[str, Any]) -> RunConfig:
    """The configuration with another oracle, or other options of its own."""
    tables = dict(config.options.get("oracle", {}))
    tables[oracle] = {**tables.get(oracle, {}), **options}
    return attrs.evolve(config, oracle=oracle, options={**config.options, "oracle": tables})


def config_of(path: Path, folder: RunFolder, registry: Registry) -> RunConfig:
    """The configuration of the run in ``path``, wherever the folder has been moved to since."""
    tables = dict(folder.config)
    settings: dict[str, Any] = tables.pop("run", {})
    tables.pop("made_with", None)
    tables.pop(OBJECTS, None)
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
        folder = RunFolder.open(path)
        registry = with_absent(registry or discover(), folder.config.get(OBJECTS, {}), path)
        return cls(folder, config_of(path, folder, registry), folder.cycles(), folder.closing(), registry)

    @cached_property
    def video(self) -> Video:
        """The video it adapted to, with its truth where there is any; boxes as they were redrawn last."""
        name = self.config.dataset
        video = load_video(build(self.registry, "dataset", name, self.config.of("dataset", name)), self.config.video)
        return attrs.evolve(video, instances=video.instances.with_boxes(self.folder.answers.boxes()))

    @property
    def standing(self) -> Standing:
        """Where each instance of the video stands."""
        return Standing.of(len(self.video.instances), self.cycles, self.folder.answers)

    @property
    def shares(self) -> dict[str, str | None]:
        """For each criterion of the query the one whose mean is its share of the sum, or None."""
        parts = {name: self.registry.find("criterion", name) for name in self.config.criteria}
        return {name: part.share if isinstance(part, Absent) else part.load().share for name, part in parts.items()}

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
        run = prepare(self.config, self.registry, self.folder, cycle)
        run.folder, run.records = self.folder, self.cycles[:cycle]
        checkpoints.load(run.estimator, checkpoints.read(file), run.video.skeleton, str(file))
        return run

    def labels(self) -> Labels:
        """Everything labelled, in the order of asking."""
        return self.folder.labels(self.standing.asked, len(self.video.skeleton))
