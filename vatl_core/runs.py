"""Beginning a run, taking it up again, and looking back at one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs
import torch

from vatl_core import checkpoints, learnt
from vatl_core.closing import closing_record
from vatl_core.compute import Compute
from vatl_core.config import ROLES, Options, RunConfig, assemble, chosen
from vatl_core.contracts import Criterion, Dataset, Estimator, Labels, Poses, Selector, Stopping
from vatl_core.crops import Crops
from vatl_core.cycle import Run
from vatl_core.errors import InputError, VatlError
from vatl_core.estimate import Estimates
from vatl_core.options import build
from vatl_core.plugins import Registry, discover
from vatl_core.records import CycleRecord, RunRecord
from vatl_core.schedule import amounts
from vatl_core.seeds import generator, seeded
from vatl_core.store import RunFolder
from vatl_core.training import MARGIN
from vatl_core.video import Video
from vatl_core.weights import begin_with

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
    run = _prepare(config, registry or discover())
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


def resume(path: Path, registry: Registry | None = None, patience: float = 0.0) -> RunRecord:
    """Take a run up where it was left, to the result it would have had without the interruption.

    Args:
        path: the run directory.
        registry: of components; everything that is installed if not given.
        patience: seconds to wait for another process that works on it.

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
        run = _prepare(config_of(path, folder, registry), registry, folder if begun else None)
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


def _versions(run: Run) -> dict[str, str]:
    return {"vatl-core": version("vatl-core")} | run.compute.describe()


def _prepare(config: RunConfig, registry: Registry, begun: RunFolder | None = None) -> Run:
    """Make every part of a run; nothing is written. One that was begun has its criteria's beginnings in its folder."""
    compute = Compute.choose(config.device, config.precision, config.channels_last)
    parts = {role: _build_all(registry, config, role) for role in ("query", "stop")}
    dataset, estimator, selector, retraining, oracle = (
        build(registry, ROLES[role], name, config.of(role, name))
        for role in ("dataset", "estimator", "select", "retrain", "oracle")
        for name in chosen(config, role)
    )
    advising = _advising(registry, config)
    criteria = parts["query"] if selector.uses_scores else {}
    criteria |= _watched(registry, config, criteria, selector, parts["stop"], advising)
    video = load_video(dataset, config.video)
    weights, warnings = _weights(config, estimator, dataset, video, registry, begun)
    compute.place(estimator)
    known = _learnt(criteria, video, begun)
    cautions, notes = _prepare_criteria(criteria, known, dataset, video, config, compute)
    warnings += cautions
    warnings += [f"{count} annotations dropped: {reason}" for reason, count in video.dropped.items()]
    hidden = video.without_truth()
    plain_bytes = _crops_share(config, estimator, len(video.instances))
    return Run(
        config=config,
        folder=RunFolder(config.path),
        video=video,
        estimator=estimator,
        criteria=criteria,
        selector=selector,
        retraining=retraining,
        stopping=parts["stop"],
        advising=advising,
        oracle=oracle,
        compute=compute,
        crops=Crops(hidden, estimator.input_size, compute.device, plain_bytes),
        pictures=Crops(
            hidden, estimator.input_size, compute.device, config.cache_mb * 2**20 - plain_bytes, margin=MARGIN
        ),
        hook=registry.hook,
        weights=weights,
        warnings=list(dict.fromkeys(warnings)),  # a run taken up again has said some before
        notes=notes,
        learnt=known,
        source={name: tensor.detach().clone() for name, tensor in estimator.state_dict().items()},
    )


def load_video(dataset: Dataset, name: str) -> Video:
    """The video of this name, or the data set's first.

    Raises:
        InputError: there is none.
    """
    if name:
        return dataset.load(name)
    names = dataset.videos()
    if not names:
        raise InputError("the data set has no video to adapt to: its options say where one is (-o dataset.…)")
    return dataset.load(names[0])


def _crops_share(config: RunConfig, estimator: Estimator, instances: int) -> int:
    """Bytes of the cache for the crops that are estimated; the rest is for the pictures that are trained on."""
    wanted = instances * 3 * estimator.input_size[0] * estimator.input_size[1]
    return min(wanted, config.cache_mb * 2**20 * 3 // 4)


def _weights(
    config: RunConfig,
    estimator: Estimator,
    dataset: Dataset,
    video: Video,
    registry: Registry,
    begun: RunFolder | None,
) -> tuple[str, list[str]]:
    """Build the estimator and give it its weights; a run that was begun has those it began with in its folder."""
    with seeded(config.seed, "weights"):
        estimator.build(video.skeleton)
    kept = checkpoints.read(begun.weights(0)) if begun else None
    if begun and kept and kept.begun_with is not None:
        checkpoints.load(estimator, kept, video.skeleton, str(begun.weights(0)))
        return kept.begun_with, list(kept.notes)

    def progress(stage: str, done: int, total: int) -> None:
        registry.hook.vatl_progress(run=config.path, stage=stage, done=done, total=total)

    return begin_with(
        config.weights, config.estimator, estimator, dataset, video.skeleton, config.weights_keypoints, progress
    )


def _save_beginning(run: Run) -> None:
    """Keep the weights that the run begins with, and what was said of them: elsewhere they may change or vanish."""
    checkpoints.save(run.folder.weights(0), run.estimator, run.video.skeleton, run.weights, run.warnings)


def _build_all(registry: Registry, config: RunConfig, role: str) -> dict[str, Any]:
    return {name: build(registry, ROLES[role], name, config.of(role, name)) for name in chosen(config, role)}


def _advising(registry: Registry, config: RunConfig) -> dict[str, Stopping]:
    """Every other stopping criterion that is installed and needs no option, to say where it would have stopped."""
    advising = {}
    for name in registry.names("stopping"):
        if name not in config.stop:
            try:
                advising[name] = build(registry, "stopping", name, config.of("stop", name))
            except VatlError:  # it is not this run's concern if a criterion nobody asked for cannot be used
                continue
    return advising


def _watched(
    registry: Registry,
    config: RunConfig,
    criteria: Mapping[str, Criterion],
    selector: Selector,
    stopping: Mapping[str, Stopping],
    advising: Mapping[str, Stopping],
) -> dict[str, Criterion]:
    """The criteria that other parts of the run watch, beyond the query's own."""
    installed = registry.names("criterion")
    wanted = {c for s in stopping.values() for c in s.watches} | set(selector.watches)
    wanted |= {c.share for c in criteria.values() if c.share}
    wanted |= {c for s in advising.values() for c in s.watches if c in installed}
    return {c: build(registry, "criterion", c, config.of("query", c)) for c in sorted(wanted) if c not in criteria}


def _learnt(criteria: Mapping[str, Criterion], video: Video, begun: RunFolder | None) -> dict[str, learnt.Learnt]:
    """What criteria learnt before the run; once it is begun nothing but what was there at first, kept with it."""

    def beginning(name: str, criterion: Criterion) -> learnt.Learnt | None:
        if begun is None:
            return learnt.found(name, criterion, video.skeleton)
        file = _learnt_file(begun, name)
        return learnt.read(file) if file.exists() else None

    found = {name: beginning(name, criterion) for name, criterion in criteria.items()}
    return {name: file for name, file in found.items() if file}


def _learnt_file(folder: RunFolder, name: str) -> Path:
    return folder.path / "criteria" / f"{name}.safetensors"


def _keep(run: Run) -> None:
    """Copy what criteria learnt before the run into its folder: files elsewhere may change."""
    for name, found in run.learnt.items():
        found.save(_learnt_file(run.folder, name))


def _prepare_criteria(
    criteria: Mapping[str, Criterion],
    known: Mapping[str, learnt.Learnt],
    dataset: Dataset,
    video: Video,
    config: RunConfig,
    compute: Compute,
) -> tuple[list[str], list[str]]:
    """Let the criteria begin with what they learnt, or show them the source domain's poses.

    Returns:
        What they warn of, and what they begin with.
    """
    wanting = [name for name, c in criteria.items() if c.wants_source and name not in known]
    source = source_poses(dataset, video) if wanting else None
    if source is not None:
        source = Poses(*(t.to(compute.device) for t in (source.keypoints, source.visible, source.boxes)))
    said = []
    for name, criterion in criteria.items():
        if name in known:
            learnt.give(name, criterion, video.skeleton, known[name])
        shown = None if name in known else source
        said.append(criterion.prepare(video.skeleton, shown, generator(config.seed, "prepare", name), compute.device))
    notes = [f"{name} begins with {found.description}" for name, found in known.items()]
    notes += [f"{name} begins with the {len(source)} source poses" for name in wanting if source is not None]
    return [warning for warning in said if warning], notes


def source_poses(dataset: Dataset, video: Video) -> Poses | None:
    """The poses of the data set's source videos, without their pictures; None where there are none of this skeleton."""
    if not dataset.sources():
        return None
    found = [instances for skeleton, instances in dataset.split_poses("train") if skeleton == video.skeleton]
    columns = [(i.keypoints, i.visible, i.boxes) for i in found if i.keypoints is not None and i.visible is not None]
    return Poses(*(torch.cat(column) for column in zip(*columns, strict=True))) if columns else None


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
        return load_video(build(self.registry, "dataset", name, self.config.of("dataset", name)), self.config.video)

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
        run = _prepare(self.config, self.registry, self.folder)
        run.folder, run.records = self.folder, self.cycles[:cycle]
        checkpoints.load(run.estimator, checkpoints.read(file), run.video.skeleton, str(file))
        return run

    def labels(self) -> Labels:
        """Everything labelled, in the order of asking."""
        asked = [index for record in self.cycles for index in record.query]
        return self.folder.labels(asked, len(self.video.skeleton))
