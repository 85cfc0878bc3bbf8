"""From what is labelled to the estimator of the next cycle."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import attrs
import torch

from vatl_core.estimation import checked_estimator
from vatl_core.learning import Labelled, Trainer
from vatl_core.records import CycleRecord
from vatl_core.seeds import seed_of
from vatl_core.weights import save_checkpoint

if TYPE_CHECKING:
    from vatl_core.cycle.cycle import Run


def retrain(run: Run, record: CycleRecord) -> CycleRecord:
    """The estimator of the next cycle, its weights on disk; a run that stops here may keep its present one.

    Returns:
        The record with the seconds that it took.

    Raises:
        PluginError: the retraining policy breaks its contract.
    """
    ending = run.stopping.get(record.stopped_by or "")
    if ending and not ending.retrains:
        _keep(run)
        return record
    started = time.perf_counter()
    seed = seed_of(run.config.seed, run.cycle, "retrain")
    trainer = Trainer(run.compute, torch.Generator().manual_seed(seed), run.progress)
    given = run.retraining.retrain(run.estimator, run.source, _labelled(run, record), run.history(record), trainer)
    run.estimator = checked_estimator(run.config.retrain, run.retraining, given, run.source)
    save_checkpoint(run.folder.weights(run.cycle + 1), run.estimator, run.video.skeleton)
    run.hook.vatl_retrained(run=run, cycle=run.cycle)
    return attrs.evolve(record, seconds=record.seconds | {"retrain": time.perf_counter() - started})


def _keep(run: Run) -> None:
    """The next cycle has the weights, and the estimates, of the present one."""
    following = run.folder.weights(run.cycle + 1)
    following.parent.mkdir(parents=True, exist_ok=True)
    run.folder.save_estimates(run.cycle + 1, run.present)
    shutil.copy(run.folder.weights(run.cycle), following)


def _labelled(run: Run, record: CycleRecord) -> Labelled:
    """Everything labelled, as a retraining policy may see it."""
    device = run.compute.device
    labels = run.labels([*run.asked, *record.query])
    queried = torch.isin(labels.index, torch.tensor([*record.query, *record.corrected])).to(device)
    return Labelled(
        index=labels.index.to(device),
        keypoints=labels.keypoints.to(device),
        visible=labels.visible.to(device),
        oks=torch.tensor(record.labelled_oks, device=device),
        queried=queried,
        pictures=run.pictures,
    )
