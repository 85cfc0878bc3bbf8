"""Making the parts of a run from its configuration; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from vatl_core.compute import Compute
from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.contracts import Criterion, Dataset, Estimator, Poses, Selector, Stopping
from vatl_core.cycle import Run
from vatl_core.errors import InputError, VatlError
from vatl_core.estimation import Crops
from vatl_core.learning import MARGIN
from vatl_core.plugins import Registry, build, culprit, describe
from vatl_core.promises import checked_answerable, checked_decoded, checked_names, checked_poses, checked_video
from vatl_core.run.data import check_data
from vatl_core.seeds import generator, seeded
from vatl_core.store import EVER, RunFolder
from vatl_core.video import Skeleton, Video
from vatl_core.weights import GIVEN, RANDOM, PreTrained, load_checkpoint, read_pretrained


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
    made = {role: _built(registry, config, role, chosen(config, role)) for role in ROLES if role != "executor"}
    dataset, estimator, selector, refinement, retraining, oracle = (
        next(iter(made[role].values())) for role in ("dataset", "estimator", "select", "refine", "retrain", "oracle")
    )
    advising = _built(registry, config, "stop", config.advise)
    criteria = made["query"] if selector.uses_scores else {}
    criteria |= _watched(registry, config, criteria, [selector, *made["stop"].values(), *advising.values()])
    video = load_video(dataset, config.video, begun, cycle)
    answerable = checked_answerable(config.oracle, oracle, video)
    weights, warnings = _weights(config, estimator, dataset, video, registry, begun)
    compute.place(estimator)
    learnt = _learnt(criteria, video, registry, begun)
    cautions, notes = _given_beginning(criteria, learnt, video, dataset, config.seed, compute.device)
    advisers, broken = _advice(registry, config, criteria)
    dropped = [f"{count} annotations dropped: {reason}" for reason, count in video.dropped.items()]
    warnings += cautions + broken + dropped + video.skeleton.warnings
    hidden = decoded(video.without_truth(), config.decoder, registry, compute.device)
    crops, pictures = _crops(config.cache_mb * 2**20, estimator.input_size, hidden, compute.device)
    return Run(
        config=config, folder=RunFolder(config.path), video=video, estimator=estimator, criteria=criteria,
        selector=selector, refinement=refinement, retraining=retraining, oracle=oracle, answerable=answerable,
        stopping=made["stop"], advising=advising | advisers, compute=compute, crops=crops, pictures=pictures,
        hook=registry.manager.hook, weights=weights, notes=notes, learnt=learnt,
        warnings=list(dict.fromkeys(warnings)),  # a run taken up again has said some before
        source={name: tensor.detach().clone() for name, tensor in estimator.state_dict().items()},
    )  # fmt: skip


def _built(registry: Registry, config: RunConfig, role: str, names: Iterable[str]) -> dict[str, Any]:
    """Components of a role, by name."""
    return {name: build(registry, ROLES[role], name, config.of(role, name)) for name in names}


def _watched(
    registry: Registry, config: RunConfig, query: Mapping[str, Criterion], watching: Iterable[Selector | Stopping]
) -> dict[str, Criterion]:
    """The criteria that other parts watch and that are not among the query's."""
    wanted = {name for part in watching for name in part.watches} | {c.share for c in query.values() if c.share}
    return _built(registry, config, "query", sorted(wanted - set(query)))


def _advice(registry: Registry, config: RunConfig, computed: Collection[str]) -> tuple[dict[str, Stopping], list[str]]:
    """The stopping criteria that nobody asked for and that cost nothing to ask where they would have stopped.

    They need no option, and watch only criteria that are ``computed`` anyway. Also a warning for each that is broken.
    """
    found, warnings = dict[str, Stopping](), list[str]()
    for name in sorted(set(registry.names("stopping")) - {*config.stop, *config.advise}):
        try:
            adviser = build(registry, "stopping", name, config.of("stop", name))
            if set(adviser.watches) <= set(computed):
                found[name] = adviser
        except VatlError:  # it needs options that nobody set
            continue
        except Exception as error:  # a stranger's, which nobody asked for, costs the run nothing but its advice
            broken = describe(error) + culprit(error)
            warnings.append(f"advice of the stopping criterion '{name}' is left out: {broken}")
    return found, warnings


def load_video(dataset: Dataset, name: str, begun: RunFolder | None = None, cycle: int = EVER) -> Video:
    """The video of this name, or the data set's first; that of a run with the boxes redrawn before ``cycle``.

    Raises:
        ChangedDataError: it is not the video that the run in the folder ``begun`` began with.
        InputError: there is none.
        PluginError: what the data set gives breaks its contract.
    """
    names = [name] if name else checked_names(dataset)
    if not names:
        raise InputError("the data set has no video to adapt to: its options say where one is (-o dataset.…)")
    video = checked_video(dataset, names[0])
    if not begun:
        return video
    check_data(begun, video)
    redrawn = begun.answers.boxes(before=cycle)
    if strange := redrawn.keys() - range(len(video.instances)):
        raise InputError(f"labels.sqlite has boxes of instances that video '{names[0]}' has not: {sorted(strange)[:3]}")
    return attrs.evolve(video, instances=video.instances.with_boxes(redrawn))


def _crops(cache: int, size: tuple[int, int], video: Video, device: torch.device) -> tuple[Crops, Crops]:
    """Those that are estimated, and those with a margin that are trained on."""
    plain = min(len(video.instances) * 3 * size[0] * size[1], cache * 3 // 4)
    return Crops(video, size, device, plain), Crops(video, size, device, cache - plain, margin=MARGIN)


def decoded(video: Video, decoder: str, registry: Registry, device: torch.device) -> Video:
    """The video with its frames as the decoder of this name reads them.

    Raises:
        InputError: no plugin knows it, or it cannot read them.
        PluginError: it gives something else.
    """
    if decoder == "exact":
        return video
    frames = registry.manager.hook.vatl_decoded(decoder=decoder, frames=video.frames, device=device)
    if frames is None:
        what = f"no plugin knows decoder '{decoder}' of {type(video.frames).__name__}"
        raise InputError(f"{what}: take --decoder exact, or torchcodec for picture files and video files")
    return attrs.evolve(video, frames=checked_decoded(decoder, video.frames, frames))


def _weights(
    config: RunConfig, estimator: Estimator, dataset: Dataset, video: Video, registry: Registry, begun: RunFolder | None
) -> tuple[str, list[str]]:
    """Build the estimator and give it its weights; a run that was begun has those it began with in its folder."""
    ready = any(True for _ in estimator.parameters())  # an object that was given may have its layers, and weights
    if not ready or config.weights == "none":
        with seeded(config.seed, "weights"):
            estimator.build(video.skeleton)
    else:
        _check_head(estimator, video.skeleton)
    if begun:
        kept = load_checkpoint(estimator, video.skeleton, begun.weights(0))
        return kept.begun_with or "", list(kept.notes)
    if ready and config.weights == "auto":
        return GIVEN, []
    tell = registry.manager.hook.vatl_progress
    weights: tuple[str, list[str]] | None = registry.manager.hook.vatl_source_weights(
        choice=config.weights, name=config.estimator, estimator=estimator, dataset=dataset, skeleton=video.skeleton,
        keypoints=config.weights_keypoints,
        progress=lambda stage, done, total: tell(run=config.path, stage=stage, done=done, total=total),
    )  # fmt: skip
    if weights is None and config.weights not in ("auto", "none"):
        raise InputError(f"no plugin knows weights '{config.weights}': install one that does, such as vatl-weights")
    return weights or (RANDOM, ["the estimator begins with random weights: no plugin that finds any is installed"])


def _check_head(estimator: Estimator, skeleton: Skeleton) -> None:
    """Make sure that the layers an estimator came with are for this skeleton."""
    channels = len(estimator.get_parameter(f"{estimator.head}.weight"))
    if channels != len(skeleton):
        flaw = f"made for {channels} keypoints, and '{skeleton.name}' has {len(skeleton)}"
        raise InputError(f"the estimator's layers are {flaw}: give one whose layers are not made yet")


def _learnt(
    criteria: Mapping[str, Criterion], video: Video, registry: Registry, begun: RunFolder | None
) -> dict[str, PreTrained]:
    """What criteria learnt before the run; once it is begun nothing but what was there at first, kept with it."""
    if begun:
        files = {name: learnt_file(begun, name) for name in criteria}
        return {name: read_pretrained(file) for name, file in files.items() if file.exists()}
    asking = {name: criterion for name, criterion in criteria.items() if criterion.pretrained != "none"}
    found: dict[str, PreTrained | None] = {
        name: registry.manager.hook.vatl_pretrained(name=name, criterion=criterion, skeleton=video.skeleton)
        for name, criterion in asking.items()
    }
    for name, file in found.items():
        if file is None and asking[name].pretrained != "auto":
            raise InputError(f"no plugin knows {name}.pretrained = {asking[name].pretrained}: install vatl-train")
    return {name: file for name, file in found.items() if file}


def learnt_file(folder: RunFolder, name: str) -> Path:
    """Where a run keeps what a criterion had learnt before it."""
    return folder.path / "criteria" / f"{name}.safetensors"


def _given_beginning(
    criteria: Mapping[str, Criterion],
    learnt: Mapping[str, PreTrained],
    video: Video,
    dataset: Dataset,
    seed: int,
    device: torch.device,
) -> tuple[list[str], list[str]]:
    """Prepare criteria by what they learnt earlier, or the source's poses; what they warn of, and begin with."""
    wanting = [name for name, c in criteria.items() if c.wants_source and name not in learnt]
    source = source_poses(dataset, video.skeleton, device) if wanting else None
    said = []
    for name, criterion in criteria.items():
        if name in learnt:
            try:
                criterion.begin_with(video.skeleton, learnt[name].tensors)
            except Exception as error:  # what it is given came from a file, and a stranger reads it
                about = learnt[name].description
                raise InputError(f"'{name}' cannot begin with {about}: {error}: make it again") from error
        shown = None if name in learnt else source
        said.append(criterion.prepare(video.skeleton, shown, generator(seed, "prepare", name), device))
    notes = [f"{name} begins with {file.description}" for name, file in learnt.items()]
    notes += [f"{name} begins with the {len(source)} source poses" for name in wanting if source is not None]
    return [warning for warning in said if warning], notes


def source_poses(dataset: Dataset, skeleton: Skeleton, device: torch.device) -> Poses | None:
    """The poses of the data set's source videos, without their pictures; None where none are of this skeleton."""
    if not dataset.sources():
        return None
    found = [own for theirs, own in checked_poses(dataset, "train") if theirs == skeleton]
    columns = [
        (i.keypoints[i.annotated], i.visible[i.annotated], i.boxes[i.annotated])
        for i in found
        if i.keypoints is not None and i.visible is not None and i.annotated.any()
    ]
    return Poses(*(torch.cat(column).to(device) for column in zip(*columns, strict=True))) if columns else None
