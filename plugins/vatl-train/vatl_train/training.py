"""Training a source estimator: resumable, the best on validation kept, by one process or by several."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Dataset, Estimator, Normalisation, Recipe
from vatl_core.errors import InputError, VatlError
from vatl_core.learning import GradientDescent, steps_of
from vatl_core.plugins import Registry, build
from vatl_core.progress import Progress, silent
from vatl_core.seeds import generator, seeded
from vatl_core.weights import save_checkpoint
from vatl_train.folder import TrainingFolder
from vatl_train.instances import Validation, prepare
from vatl_train.shared_training import SharedTraining
from vatl_train.team import Team, joined
from vatl_train.videos import source_videos
from vatl_weights import begin_with

Say = Callable[[str], None]
Log = list[dict[str, Any]]
"""One line an epoch: ``epoch``, ``loss``, ``validation_oks`` (or None), ``lr``, ``seconds``, ``kept``."""


@attrs.frozen
class SourceTraining:
    """What is trained, on what and how.

    Attributes:
        config: data set, estimator, weights to begin with, seed, device, precision and memory.
        recipe: optimiser, learning rates, epochs, batch, augmentation.
        split: the data set's split to train on.
        validation: the split to validate on; ``none``; or empty for ``val`` or else a held-out share.
        held_out: that share.
    """

    config: RunConfig
    recipe: Recipe
    split: str = "train"
    validation: str = ""
    held_out: float = attrs.field(default=0.1, validator=[attrs.validators.gt(0), attrs.validators.lt(1)])

    def settings(self, compute: Compute) -> dict[str, Any]:
        """Everything that the result depends on, but for the machine."""
        config = self.config
        return {
            "dataset": config.dataset,
            "dataset_options": config.of("dataset", config.dataset),
            "split": self.split,
            "validation": self.validation,
            "held_out": self.held_out,
            "estimator": config.estimator,
            "estimator_options": config.of("estimator", config.estimator),
            "weights": config.weights,
            "weights_keypoints": config.weights_keypoints,
            "seed": config.seed,
            "precision": "bfloat16" if compute.bfloat16 else "float32",
            "recipe": attrs.asdict(self.recipe),
        }


def train(
    registry: Registry,
    task: SourceTraining,
    out: Path,
    progress: Progress = silent,
    say: Say = lambda line: None,
) -> Log:
    """Train, or go on with what an interrupted call left beside ``out``; leave the weights there.

    The weights are those of the epoch with the highest mean OKS on the validation videos, or the last epoch's where
    there are none. Processes that ``torchrun`` started together share each batch.

    Args:
        registry: of components.
        task: what is trained.
        out: the weights file.
        progress: told before the first epoch and after each, in the first process.
        say: told in a line what the user should know, in the first process.

    Returns:
        The log of all epochs.

    Raises:
        InputError: something that the training is made of cannot be used, or other settings left their state there.
        VatlError: the loss is no number any more.
    """
    with joined(task.config.device) as (team, device):
        compute = Compute.choose(device, task.config.precision, task.config.channels_last)
        folder = TrainingFolder(out, task.settings(compute))
        folder.check()
        if (log := folder.finished()) is not None:
            say(f"{out} is done already: delete {folder.path} to repeat it")
            return log
        return _train(registry, task, folder, compute, team, *((progress, say) if team.leads else (silent, _mute)))


def _mute(line: str) -> None:
    """Says nothing."""


def _train(
    registry: Registry,
    task: SourceTraining,
    folder: TrainingFolder,
    compute: Compute,
    team: Team,
    progress: Progress,
    say: Say,
) -> Log:
    config = task.config
    dataset: Dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    estimator: Estimator = build(registry, "estimator", config.estimator, config.of("estimator", config.estimator))
    videos = source_videos(dataset, task.split, task.validation, task.held_out, config.seed)
    skeleton = videos.training[0].skeleton
    with seeded(config.seed, "weights"):
        estimator.build(skeleton)
    state = folder.state()
    notes: list[str] = []
    if state is None:
        beginning = (config.weights, config.estimator, estimator, dataset, skeleton, config.weights_keypoints)
        notes = begin_with(*beginning)[1]
    compute.place(estimator)
    labelled, validation = prepare(videos, estimator.input_size, compute.device, config.cache_mb * 2**20)
    _enough(len(labelled), task.recipe, team)
    say(f"training on {len(labelled)} instances of {len(videos.training)} videos; validation: {videos.how}")
    for note in notes + skeleton.warnings:
        say(note)
    trainer = GradientDescent(compute, generator(config.seed, "train"))
    training = SharedTraining(trainer, estimator, labelled, task.recipe, team=team)
    if state is not None:
        training.restore(state)
        estimator.normalisation = Normalisation(**state["normalisation"])
    with folder.begun() if team.leads else nullcontext():
        return _epochs(folder, training, validation, state["log"] if state else [], progress)


def _epochs(
    folder: TrainingFolder, training: SharedTraining, validation: Validation, log: Log, progress: Progress
) -> Log:
    """The epochs that are left; after each of them everything is on disk."""
    epochs, leads = training.recipe.epochs, training.team.leads
    progress("train", 0, epochs)
    for line in log:
        progress("train", line["epoch"], epochs)
    while training.done < epochs:
        log.append(_epoch(training, validation, log))
        if leads and log[-1]["kept"]:
            save_checkpoint(folder.out, training.estimator, training.labelled.skeleton)
        if leads:
            folder.save(training.state() | {"normalisation": attrs.asdict(training.estimator.normalisation)}, log)
        progress("train", training.done, epochs)
    if leads:
        folder.finish()
    return log


def _epoch(training: SharedTraining, validation: Validation, log: Log) -> dict[str, Any]:
    """One epoch and its line of the log."""
    started = time.perf_counter()
    loss = float(training.epoch())
    if not math.isfinite(loss):
        raise VatlError(f"the training diverged in epoch {training.done}: its loss is {loss}: choose a lower --lr")
    value = validation.mean_oks(training.estimator, training.trainer.compute, training.team)
    best = max((line["validation_oks"] for line in log if value is not None), default=-math.inf)
    return {
        "epoch": training.done,
        "loss": loss,
        "validation_oks": value,
        "lr": training.optimiser.param_groups[0]["lr"],
        "seconds": round(time.perf_counter() - started, 3),
        "kept": value > best if value is not None else training.done == training.recipe.epochs,
    }


def _enough(count: int, recipe: Recipe, team: Team) -> None:
    """Refuse batches that leave a process without an instance."""
    smallest = count // steps_of(recipe, count)
    if smallest < team.size:
        raise InputError(
            f"{count} instances in batches of {recipe.batch} leave {smallest} to some step, which {team.size} "
            "processes cannot share: choose a larger --batch or fewer processes"
        )
