"""The network that is to be written, and whose keypoints its heatmaps are."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs

from vatl_core.config import RunConfig
from vatl_core.contracts import Estimator
from vatl_core.errors import InputError
from vatl_core.plugins import Registry, build
from vatl_core.run import PastRun
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import load_checkpoint
from vatl_formats import flip_pairs_from_names
from vatl_weights import find_weights, load_weights


@attrs.frozen
class Subject:
    """A network with its weights, on the CPU.

    Attributes:
        estimator: built, with its weights.
        name: of the estimator.
        skeleton: one heatmap a keypoint, in this order.
        weights: where they came from.
        notes: what the user should know.
    """

    estimator: Estimator
    name: str
    skeleton: Skeleton
    weights: str
    notes: tuple[str, ...] = ()


def of_run(path: Path) -> Subject:
    """The last network that a run trained, or that it began with.

    Raises:
        InputError: there is no run, its data or its weights are not there.
    """
    run = PastRun.open(path)
    cycle = _last_cycle(run)
    config, skeleton = run.config, run.video.skeleton
    estimator: Estimator = build(run.registry, "estimator", config.estimator, config.of("estimator", config.estimator))
    if not any(True for _ in estimator.parameters()):  # an object that was given may have its layers
        estimator.build(skeleton)
    load_checkpoint(estimator, skeleton, run.folder.weights(cycle))
    notes = () if cycle else (f"{path} has learnt nothing yet: this is the network that it began with",)
    return Subject(estimator, config.estimator, skeleton, f"cycle {cycle} of {path.resolve().name}", notes)


def _last_cycle(run: PastRun) -> int:
    """The cycle under way where it has weights, else the last that was finished, never an earlier one."""
    done, path = len(run.cycles), run.folder.path
    for cycle in (done, done - 1):
        if cycle >= 0 and run.folder.weights(cycle).is_file():
            return cycle
    if done:
        raise InputError(
            f"{run.folder.weights(done - 1)} is not there: the run's last network is lost, restore the file"
        )
    raise InputError(f"{path} has no weights yet: take it up with `vatl resume {shlex.quote(str(path))}`")


def of_weights(registry: Registry, config: RunConfig) -> Subject:
    """A network of the weights that the configuration names, for the keypoints that they are for.

    Raises:
        InputError: they cannot be had or used, or nobody says which keypoints they are for.
    """
    estimator: Estimator = build(registry, "estimator", config.estimator, config.of("estimator", config.estimator))
    found = find_weights(config.weights, estimator)
    told = config.weights_keypoints or found.keypoints
    names = PERSON_17.keypoints if told == (PERSON_17.name,) else told
    if found.backbone:
        raise InputError(f"--weights {config.weights} is a backbone alone, and the rest would be random: give others")
    if not names:
        raise InputError(f"weights {found.path} do not say which keypoints they are for: add --weights-keypoints")
    skeleton = _skeleton(found.path.stem, names)
    estimator.build(skeleton)
    notes = load_weights(estimator, found.checkpoint, skeleton, str(found.path), names)
    return Subject(estimator, config.estimator, skeleton, found.label, (*found.doubts, *notes))


def _skeleton(name: str, names: tuple[str, ...]) -> Skeleton:
    """The usual one of a person, or one of which nothing but names is known."""
    if names == PERSON_17.keypoints:
        return PERSON_17
    return Skeleton(name, names, flip_pairs=flip_pairs_from_names(names))
