"""Making the parts of a run from its configuration; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from vatl_core.compute import Compute
from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.contracts import Criterion, Dataset, Estimator, Poses, Selector, Stopping
from vatl_core.cycle import Run, advisers, answerable_by
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, checked_names, checked_video
from vatl_core.learning import MARGIN
from vatl_core.plugins import Registry, build
from vatl_core.seeds import generator, seeded
from vatl_core.store import RunFolder
from vatl_core.video import Skeleton, Video
from vatl_core.weights import (
    GIVEN,
    PreTrained,
    begin_pretrained,
    begin_with,
    find_pretrained,
    load_checkpoint,
    read_checkpoint,
    read_pretrained,
)


def prepare(config: RunConfig, registry: Registry, begun: RunFolder | None = None, cycle: int = 0) -> Run:
    """Make every part of a run; nothing is written.

    Args:
        config: what it is made of.
        registry: of components.
        begun: the folder of a run that was begun before: what it began with is taken from there.
        cycle: of that run, in which it goes on; boxes redrawn in earlier ones are its instances'.

    Raises:
        InputError: something that it is made of cannot be used.
    """
    compute = Compute.choose(config.device, config.precision, config.channels_last)
    made = {role: _built(registry, config, role) for role in ROLES if role != "executor"}
    dataset, estimator, selector = (_sole(made[role]) for role in ("dataset", "estimator", "select"))
    advice = {name: build(registry, "stopping", name, config.of("stop", name)) for name in config.advise}
    criteria = _criteria(registry, config, made["query"], selector, made["stop"] | advice)
    video = _video(dataset, config, begun, cycle)
    answerable = answerable_by(_sole(made["oracle"]), config.oracle, video)
    weights, warnings = _weights(config, estimator, dataset, video, registry, begun)
    compute.place(estimator)
    beginning = _Beginning(config, dataset, video, compute, _learnt(criteria, video, begun))
    cautions, notes = beginning.given_to(criteria)
    warnings += cautions + [f"{count} annotations dropped: {reason}" for reason, count in video.dropped.items()]
    crops, pictures = _crops(config, estimator, video, compute)
    return Run(
        config=config,
        folder=RunFolder(config.path),
        video=video,
        estimator=estimator,
        criteria=criteria,
        selector=selector,
        refinement=_sole(made["refine"]),
        retraining=_sole(made["retrain"]),
        stopping=made["stop"],
        advising=advice | advisers(registry, config, criteria),
        oracle=_sole(made["oracle"]),
        answerable=answerable,
        compute=compute,
        crops=crops,
        pictures=pictures,
        hook=registry.hook,
        weights=weights,
        warnings=list(dict.fromkeys(warnings)),  # a run taken up again has said some before
        notes=notes,
        learnt=beginning.learnt,
        source={name: tensor.detach().clone() for name, tensor in estimator.state_dict().items()},
    )


# ---------------------------------------------------------------------------------------------------------- components
def _built(registry: Registry, config: RunConfig, role: str) -> dict[str, Any]:
    """What fills a role, by name."""
    return {name: build(registry, ROLES[role], name, config.of(role, name)) for name in chosen(config, role)}


def _sole(made: Mapping[str, Any]) -> Any:
    (component,) = made.values()
    return component


def _criteria(
    registry: Registry,
    config: RunConfig,
    query: Mapping[str, Criterion],
    selector: Selector,
    stopping: Mapping[str, Stopping],
) -> dict[str, Criterion]:
    """The query's criteria, if the selector needs any, and those that other parts watch."""
    criteria = dict(query) if selector.uses_scores else {}
    wanted = {c for s in stopping.values() for c in s.watches} | set(selector.watches)
    wanted |= {c.share for c in criteria.values() if c.share}
    watched = sorted(wanted - set(criteria))
    return criteria | {c: build(registry, "criterion", c, config.of("query", c)) for c in watched}


# --------------------------------------------------------------------------------------------------- video and crops
def _video(dataset: Dataset, config: RunConfig, begun: RunFolder | None, cycle: int) -> Video:
    """The video, with the boxes that were redrawn before this cycle."""
    video = load_video(dataset, config.video)
    redrawn = begun.answers.boxes(before=cycle) if begun else {}
    return attrs.evolve(video, instances=video.instances.with_boxes(redrawn))


def load_video(dataset: Dataset, name: str) -> Video:
    """The video of this name, or the data set's first.

    Raises:
        InputError: there is none.
        PluginError: what the data set gives breaks its contract.
    """
    if name:
        return checked_video(dataset, name)
    names = checked_names(dataset)
    if not names:
        raise InputError("the data set has no video to adapt to: its options say where one is (-o dataset.…)")
    return checked_video(dataset, names[0])


def _crops(config: RunConfig, estimator: Estimator, video: Video, compute: Compute) -> tuple[Crops, Crops]:
    """Those that are estimated, and those with a margin that are trained on; neither leads to the truth."""
    hidden, size, device = video.without_truth(), estimator.input_size, compute.device
    plain_bytes = _crops_share(config, estimator, len(video.instances))
    rest = config.cache_mb * 2**20 - plain_bytes
    return Crops(hidden, size, device, plain_bytes), Crops(hidden, size, device, rest, margin=MARGIN)


def _crops_share(config: RunConfig, estimator: Estimator, instances: int) -> int:
    """Bytes of the cache for the crops that are estimated; the rest is for the pictures that are trained on."""
    wanted = instances * 3 * estimator.input_size[0] * estimator.input_size[1]
    return min(wanted, config.cache_mb * 2**20 * 3 // 4)


# -------------------------------------------------------------------------------------------------------------- weights
def _weights(
    config: RunConfig,
    estimator: Estimator,
    dataset: Dataset,
    video: Video,
    registry: Registry,
    begun: RunFolder | None,
) -> tuple[str, list[str]]:
    """Build the estimator and give it its weights; a run that was begun has those it began with in its folder."""
    ready = any(True for _ in estimator.parameters())  # an object that was given may have its layers, and weights
    if not ready or config.weights == "none":
        with seeded(config.seed, "weights"):
            estimator.build(video.skeleton)
    else:
        _check_head(estimator, video.skeleton)
    kept = read_checkpoint(begun.weights(0)) if begun else None
    if begun and kept and kept.begun_with is not None:
        load_checkpoint(estimator, kept, video.skeleton, str(begun.weights(0)))
        return kept.begun_with, list(kept.notes)
    if ready and config.weights == "auto":
        return GIVEN, []

    def progress(stage: str, done: int, total: int) -> None:
        registry.hook.vatl_progress(run=config.path, stage=stage, done=done, total=total)

    return begin_with(
        config.weights, config.estimator, estimator, dataset, video.skeleton, config.weights_keypoints, progress
    )


def _check_head(estimator: Estimator, skeleton: Skeleton) -> None:
    """Make sure that the layers an estimator came with are for this skeleton.

    Raises:
        InputError: its head has another number of channels.
    """
    channels = len(estimator.get_parameter(f"{estimator.head}.weight"))
    if channels != len(skeleton):
        raise InputError(
            f"the estimator's layers are made for {channels} keypoints, and '{skeleton.name}' has {len(skeleton)}: "
            "give one whose layers are not made yet"
        )


# ------------------------------------------------------------------------------------------- what criteria begin with
def _learnt(criteria: Mapping[str, Criterion], video: Video, begun: RunFolder | None) -> dict[str, PreTrained]:
    """What criteria learnt before the run; once it is begun nothing but what was there at first, kept with it."""
    if begun is None:
        found = {name: find_pretrained(name, criterion, video.skeleton) for name, criterion in criteria.items()}
    else:
        files = {name: learnt_file(begun, name) for name in criteria}
        found = {name: read_pretrained(file) for name, file in files.items() if file.exists()}
    return {name: file for name, file in found.items() if file}


def learnt_file(folder: RunFolder, name: str) -> Path:
    """Where a run keeps what a criterion had learnt before it."""
    return folder.path / "criteria" / f"{name}.safetensors"


@attrs.frozen
class _Beginning:
    """What criteria may know before the first cycle: what they learnt earlier, or the source domain's poses."""

    config: RunConfig
    dataset: Dataset
    video: Video
    compute: Compute
    learnt: Mapping[str, PreTrained]

    def given_to(self, criteria: Mapping[str, Criterion]) -> tuple[list[str], list[str]]:
        """Prepare criteria; what they warn of, and what they begin with."""
        wanting = [name for name, c in criteria.items() if c.wants_source and name not in self.learnt]
        source = self._source() if wanting else None
        skeleton, said = self.video.skeleton, []
        for name, criterion in criteria.items():
            if name in self.learnt:
                begin_pretrained(name, criterion, skeleton, self.learnt[name])
            shown = None if name in self.learnt else source
            random = generator(self.config.seed, "prepare", name)
            said.append(criterion.prepare(skeleton, shown, random, self.compute.device))
        notes = [f"{name} begins with {self.learnt[name].description}" for name in self.learnt]
        notes += [f"{name} begins with the {len(source)} source poses" for name in wanting if source is not None]
        return [warning for warning in said if warning], notes

    def _source(self) -> Poses | None:
        """The poses of the data set's source videos, without their pictures; None where none are of this skeleton."""
        if not self.dataset.sources():
            return None
        found = [own for skeleton, own in self.dataset.split_poses("train") if skeleton == self.video.skeleton]
        columns = [
            (i.keypoints, i.visible, i.boxes) for i in found if i.keypoints is not None and i.visible is not None
        ]
        device = self.compute.device
        return Poses(*(torch.cat(column).to(device) for column in zip(*columns, strict=True))) if columns else None
