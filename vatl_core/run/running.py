"""Beginning a run, taking it up again, and carrying it to its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs
import torch

from vatl_core.config import ROLES, RunConfig
from vatl_core.config_files import configure
from vatl_core.contracts import Labels
from vatl_core.cycle import Run
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.files import discard, reading, write_whole
from vatl_core.plugins import Registry, exposed
from vatl_core.records import RunRecord
from vatl_core.run.data import from_where_begun, keep_data, paths_of
from vatl_core.run.objects import recorded, with_objects
from vatl_core.run.preparation import learnt_file, prepare
from vatl_core.store import RunFolder
from vatl_core.weights import load_checkpoint, save_checkpoint

WAIT_FOR_LOCK: Final = 180.0
"""Seconds that a run given to a second process waits for the first one's lock: storage takes that long to notice that
a machine is gone."""

ABSENT_EARLIER: Final = frozenset({"decoder"})
"""Settings that runs of earlier versions do not name: they did as the default does."""


def execute(
    run: RunConfig | Path,
    registry: Registry | None = None,
    oracle: tuple[str, Mapping[str, Any]] | None = None,
    trust: bool = False,
) -> RunRecord:
    """Carry a run to its end: from its beginning, or from where it was left if its directory is there.

    That is work for an executor, which may do it more than once; the result is the same.

    Args:
        run: what it is made of, or the directory of one that was begun.
        registry: of components; everything that is installed if not given.
        oracle: who answers from now on, and options laid over those it has; the run's own if not given.
        trust: whether a directory may let others in, or have something fetched: who made it may be a stranger.

    Raises:
        InputError: something it is made of cannot be used, it needs ``trust``, or another process works on it (and,
            where it was given by what it is made of, does not end soon). Nothing is left of a run that could not begin.
    """
    registry = registry or discover()
    if isinstance(run, RunConfig) and not (run.path / "config.toml").is_file():
        return _from_its_beginning(run, registry)
    folder = RunFolder.open(run if isinstance(run, Path) else run.path)
    folder.lock(0.0 if isinstance(run, Path) else WAIT_FOR_LOCK)
    try:
        return folder.through() or take_up(folder, registry, oracle, trust or isinstance(run, RunConfig)).adapt()
    finally:
        folder.unlock()


def _from_its_beginning(config: RunConfig, registry: Registry) -> RunRecord:
    run = begin(config, registry)
    try:
        return run.adapt()
    except InputError:
        if not run.records and (run.folder.given or not (run.folder.path / "labels.sqlite").exists()):
            discard(run.folder.path, run.folder.unlock)
        raise
    finally:
        run.folder.unlock()


def begin(config: RunConfig, registry: Registry) -> Run:
    """A run as it begins: its parts made, its folder with all that it needs to be taken up again, and locked.

    Raises:
        InputError: something it is made of cannot be used; then nothing is left of it.
    """
    run = prepare(config, registry)
    made_with = {"vatl-core": version("vatl-core"), "decoder": run.crops.video.frames.decoder}
    made_with |= run.compute.describe() | paths_of(config, registry)
    tables = config.to_toml() | recorded(registry.objects) | {"made_with": made_with}
    run.folder = RunFolder.create(config.path, tables)
    run.folder.lock()
    try:
        _keep_beginning(run)
    except InputError:
        discard(run.folder.path, run.folder.unlock)
        raise
    return run


def take_up(
    folder: RunFolder, registry: Registry, oracle: tuple[str, Mapping[str, Any]] | None = None, trust: bool = False
) -> Run:
    """The run in a locked folder as it stands, ready to go on; ``oracle`` and ``trust`` as for :func:`execute`.

    Raises:
        InputError: something it is made of cannot be used, or needs ``trust``.
    """
    begun = folder.weights(0).exists()
    registry = with_objects(registry, folder)
    config, records = from_where_begun(config_of(folder, registry), folder), folder.cycles()
    if oracle:
        name, options = oracle
        tables = {name: {**config.of("oracle", name), **options}}
        config = attrs.evolve(config, oracle=name, options={**config.options, "oracle": tables})
    if not trust:
        refuse_exposed(folder, config, registry, begun, oracle[1] if oracle else ())
    run = prepare(config, registry, folder if begun else None, len(records))
    run.folder, run.records, run.closing = folder, records, folder.through()
    if not begun:
        _keep_beginning(run)
    load_checkpoint(run.estimator, run.video.skeleton, folder.weights(records[-1].cycle if run.ended else run.cycle))
    return run


def refuse_exposed(
    folder: RunFolder, config: RunConfig, registry: Registry, begun: bool, given: Collection[str]
) -> None:
    """Refuse what a stranger's folder must not bring about; the oracle's options in ``given`` are not the folder's."""
    asks = [f"fetch {config.weights}"] if "://" in config.weights and not begun else []
    for role, tables in config.options.items():
        for name, options in tables.items():
            theirs = {option: options[option] for option in options if role != "oracle" or option not in given}
            asks += exposed(registry, ROLES[role], name, theirs) if role != "executor" else []
    if asks:
        told = f"{folder.path / 'config.toml'} wants to {' and to '.join(asks)}"
        raise InputError(f"{told}: if you wrote it, or know who did, say so: --trust (trust=True)")


def config_of(folder: RunFolder, registry: Registry) -> RunConfig:
    """What a run is made of, wherever its folder has been moved to since and whatever its file calls it."""
    with reading(file := folder.path / "config.toml"):
        config, now = configure(registry, {"name": "moved"}, file=file), folder.config
        lacking = config.to_toml()["run"].keys() - now["run"].keys() - ABSENT_EARLIER
        if now.get("made_with") and lacking:
            raise InputError(f"[run] lacks {min(lacking)}, which every run has: put the file back")
    return attrs.evolve(config, runs=folder.path.parent, name=folder.path.name)


def _keep_beginning(run: Run) -> None:
    """Keep what the run begins with, the weights and what criteria learnt before it: elsewhere files may change."""
    keep_data(run.folder, run.video)
    for name, found in run.learnt.items():
        write_whole(learnt_file(run.folder, name), found.data)
    _keep_given(run)
    save_checkpoint(run.folder.weights(0), run.estimator, run.video.skeleton, run.weights, run.warnings)


def _keep_given(run: Run) -> None:
    """Have labels that came with the data be the first query and its answers, if they are to; else warn of them."""
    truth, by, wanted = run.video.instances, run.video.labelled_by, run.config.start_with_labels
    if by is None and wanted:
        by = dict.fromkeys(truth.annotated.nonzero().flatten().tolist(), run.config.dataset)
    if by is None or wanted is False:
        return
    told, by = len(by), {int(i): str(who) for i, who in sorted(by.items()) if truth.annotated[i]}
    if told > len(by):
        run.warnings.append(f"{told - len(by)} labels in the data show no keypoint: they are asked for like others")
    if wanted is None and len(by) == len(truth) and not run.oracle.asks_people:  # it is an experiment
        run.warnings.append("all instances are labelled already: --start-with-labels learns from these labels at once")
    elif by and truth.keypoints is not None and truth.visible is not None:
        done = run.folder.answers.labelled()  # it may have been killed just here
        for who in dict.fromkeys(by.values()):
            index = torch.tensor([i for i in by if by[i] == who and i not in done], dtype=torch.int64)
            columns = truth.keypoints[index].float(), truth.visible[index], who, torch.zeros(len(index))
            run.folder.answers.save(0, Labels(index, *columns))
        run.folder.save_query(0, list(by), given=True)
    else:
        run.warnings.append("no label in the data is by hand: the run starts without any")
