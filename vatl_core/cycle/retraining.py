"""From what is labelled to the estimator of the next cycle."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from vatl_core.contracts import Labelled, Unlabelled
from vatl_core.cycle.querying import left_to_ask
from vatl_core.cycle.state import RunState
from vatl_core.files import reading, whole, write_whole
from vatl_core.learning import GradientDescent
from vatl_core.promises import checked_estimator
from vatl_core.records import CycleRecord
from vatl_core.seeds import generator
from vatl_core.weights import save_checkpoint


def retrain(run: RunState, record: CycleRecord) -> CycleRecord:
    """Make the next cycle's estimator, its weights on disk, or keep the present; the record has the seconds it took.

    Raises:
        InputError: the optimiser that it goes on with is damaged.
        PluginError: the retraining policy breaks its contract.
    """
    ending = run.stopping.get(record.stopped_by or "")
    if ending and not ending.retrains:
        run.folder.save_estimates(run.cycle + 1, run.present)  # the next cycle has the weights of this one
        write_whole(run.folder.weights(run.cycle + 1), run.folder.weights(run.cycle).read_bytes())
        _keep_optimiser(run, _kept(run))  # somebody may correct labels and have the run go on
        return record
    started = time.perf_counter()
    trainer = GradientDescent(run.compute, generator(run.config.seed, run.cycle, "retrain"), run.progress, _kept(run))
    history = attrs.evolve(run.history(record), ends=_ends(run, record))
    seen = _labelled(run, record), _unlabelled(run, record), history
    given = run.retraining.retrain(run.estimator, run.source, *seen, trainer)
    run.estimator = checked_estimator(run.config.retrain, run.retraining, given, run.source)
    save_checkpoint(run.folder.weights(run.cycle + 1), run.estimator, run.video.skeleton)
    divided = "a step of retraining does not fit into the device's memory: it is taken in pieces, normalised one by one"
    run.warnings += [divided] if trainer.pieces > 1 and divided not in run.warnings else []
    _keep_optimiser(run, trainer.kept)
    run.hook.vatl_retrained(run=run, cycle=run.cycle)
    return attrs.evolve(record, seconds=record.seconds | {"retrain": time.perf_counter() - started})


def _ends(run: RunState, record: CycleRecord) -> bool:
    """Whether nobody is asked for anything after this cycle."""
    return bool(record.stopped_by or run.stopped_by) or not left_to_ask(run, record)


def _optimiser(run: RunState, cycle: int) -> Path:
    """What a retraining that keeps its optimiser leaves for the one of this cycle; the file need not exist."""
    return run.folder.cycle_folder(cycle) / "optimiser.pt"


def _kept(run: RunState) -> dict[str, Any] | None:
    """What the last retraining left."""
    with reading(file := _optimiser(run, run.cycle), "delete it to retrain with a new optimiser"):
        kept = torch.load(file, "cpu", weights_only=True) if file.exists() else None
        return kept and {"epochs": int(kept["epochs"]), "optimiser": kept["optimiser"], "file": str(file)}


def _keep_optimiser(run: RunState, kept: Mapping[str, Any] | None) -> None:
    """Leave this for the next retraining; what is older than the present cycle's, nobody goes on from."""
    if kept is not None:
        with whole(_optimiser(run, run.cycle + 1)) as beside:
            torch.save(kept, beside)
        _optimiser(run, run.cycle - 1).unlink(missing_ok=True)


def _labelled(run: RunState, record: CycleRecord) -> Labelled:
    """Everything labelled, as a retraining policy may see it."""
    device = run.compute.device
    labels = run.labels([*run.asked, *record.query])
    index, keypoints, visible = (column.to(device) for column in (labels.index, labels.keypoints, labels.visible))
    oks = torch.tensor([math.nan if oks is None else oks for oks in record.labelled_oks], device=device)
    queried = torch.isin(index, torch.tensor([*record.query, *record.corrected], device=device))
    return Labelled(index=index, keypoints=keypoints, visible=visible, oks=oks, queried=queried, pictures=run.pictures)


def _unlabelled(run: RunState, record: CycleRecord) -> Unlabelled:
    """Everything else, without those at whom nobody is."""
    there = run.standing().there(torch.device("cpu"))
    there[[*run.asked, *record.query]] = False
    index, instances, device = torch.nonzero(there).flatten(), run.video.instances, run.compute.device
    columns = {n: getattr(instances, n)[index].to(device) for n in ("frame", "track", "previous", "next", "boxes")}
    rows, present = index.to(device), run.present
    return Unlabelled(rows, present.keypoints[rows], present.scores[rows], **columns, pictures=run.pictures)
