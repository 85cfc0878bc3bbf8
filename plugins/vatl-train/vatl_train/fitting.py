"""Fitting a criterion to a data set's poses, once and before any run: ``vatl fit``."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Dataset, Poses
from vatl_core.errors import InputError, unknown
from vatl_core.files import write_whole
from vatl_core.plugins import Registry, build
from vatl_core.promises import checked_poses
from vatl_core.seeds import generator
from vatl_core.video import Skeleton
from vatl_train.pretrained import Learnt, PreTrainedFor

Epoch = tuple[int, float, float]
"""Its number, counted from 1, and the mean error on the training and on the validation poses."""
Told = Callable[[str], None]
SHARE = 10
"""One in how many poses validates where no split is meant for it."""


@attrs.frozen
class Found:
    """A split's poses of one skeleton.

    Attributes:
        skeleton: of all of them.
        poses: M of them, each with a keypoint that is annotated, on the CPU.
        track: (M,) who it is; unique within the split.
    """

    skeleton: Skeleton
    poses: Poses
    track: Tensor

    def __len__(self) -> int:
        return len(self.poses)

    def __getitem__(self, rows: Tensor) -> Found:
        columns = (self.poses.keypoints[rows], self.poses.visible[rows], self.poses.boxes[rows])
        return Found(self.skeleton, Poses(*columns), self.track[rows])


@attrs.frozen
class Fitted:
    """What a fitting came to.

    Attributes:
        learnt: to be kept.
        curve: one entry an epoch.
    """

    learnt: Learnt
    curve: list[Epoch]

    def save(self, path: Path) -> Path:
        """Write what was learnt to ``path`` and its record, curve included, beside it; return the record's place."""
        record = path.with_suffix(".json")
        columns = ("epoch", "training", "validation")
        curve = [dict(zip(columns, epoch, strict=True)) for epoch in self.curve]
        write_whole(path, self.learnt.kept.data)
        write_whole(record, json.dumps(self.learnt.about | {"curve": curve}, indent=2) + "\n")
        return record


def fit(
    registry: Registry,
    config: RunConfig,
    split: str,
    validation: str | None,
    skeleton: str | None = None,
    told: Told = lambda line: None,
    epoch: Callable[[int, float, float], None] = lambda number, training, validating: None,
) -> Fitted:
    """Fit the configured criterion to a split's poses.

    Args:
        registry: of components.
        config: its one criterion, the data set, seed and device count.
        split: to learn from.
        validation: the split to validate on; None for ``val`` where there is one, else a tenth of ``split``.
        skeleton: by name; that of the split's first poses if not given.
        told: what the user should know of the poses, a line each.
        epoch: called after each.

    Raises:
        InputError: a criterion that has nothing to learn, or a split without poses to learn from.
    """
    (name,) = config.criteria
    criterion: Criterion = build(registry, "criterion", name, config.of("query", name))
    if type(criterion).pretrain is Criterion.pretrain:
        raise InputError(f"criterion '{name}' has nothing to learn before a run: there is nothing to fit")
    dataset: Dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    compute = Compute.choose(config.device)
    training, validating, words = _divide(dataset, split, validation, skeleton, config.seed, told)
    curve: list[Epoch] = []

    def note(number: int, learning: float, held_out: float) -> None:
        curve.append((number, learning, held_out))
        epoch(number, learning, held_out)

    seen, unseen = (_there(found.poses, compute.device) for found in (training, validating))
    tensors = criterion.pretrain(training.skeleton, seen, unseen, generator(config.seed, "pretrain", name), note)
    learnt = Learnt(
        serves=PreTrainedFor.of(name, criterion, training.skeleton),
        tensors={key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()},
        dataset=config.dataset,
        dataset_options=json.loads(json.dumps(config.of("dataset", config.dataset), default=str)),
        split=split,
        validation=words,
        poses=(len(training), len(validating)),
        figures=_figures(curve),
        seed=config.seed,
        versions={"vatl-core": version("vatl-core"), "torch": torch.__version__, "python": platform.python_version()},
    )
    return Fitted(learnt, curve)


def poses_of(dataset: Dataset, split: str, skeleton: Skeleton | str | None, told: Told = lambda line: None) -> Found:
    """A split's poses of one skeleton; what is left out is told.

    Args:
        dataset: that has the split.
        split: its name.
        skeleton: or its name; the first that comes if not given.
        told: a line on each reason to leave poses out.

    Raises:
        InputError: no such split, no pose of the skeleton in it, or none that is annotated.
    """
    wanted = skeleton if isinstance(skeleton, Skeleton) else None
    others: dict[str, int] = {}
    parts: list[tuple[Tensor, ...]] = []
    blank, tracks = 0, 0
    for own, instances in checked_poses(dataset, split):
        if wanted is None and skeleton in (None, own.name):
            wanted = own
        if wanted is None or (own.keypoints, own.edges) != (wanted.keypoints, wanted.edges):
            others[own.name] = others.get(own.name, 0) + len(instances)
            continue
        if instances.keypoints is None or instances.visible is None:
            blank += len(instances)
            continue
        shown = instances.annotated
        blank += int((~shown).sum())
        columns = (instances.keypoints, instances.visible, instances.boxes, instances.track + tracks)
        tracks += int(instances.track.max()) + 1 if len(instances) else 0
        parts.append(tuple(column[shown] for column in columns))
    if wanted is None and isinstance(skeleton, str):
        raise unknown(f"skeleton in split '{split}'", skeleton, others)
    _tell(told, split, wanted, others, blank)
    columns_found = [torch.cat(column) for column in zip(*parts, strict=True)]
    if wanted is None or not columns_found or not len(columns_found[0]):
        raise InputError(f"split '{split}' has no annotated pose to learn from: give another --split or --dataset")
    keypoints, visible, boxes, track = columns_found
    return Found(wanted, Poses(keypoints, visible, boxes), track)


def _tell(told: Told, split: str, wanted: Skeleton | None, others: dict[str, int], blank: int) -> None:
    for name, count in others.items():
        chosen = wanted.name if wanted else "none"
        told(f"split '{split}': {count} poses of skeleton '{name}' left out: only those of '{chosen}' are learnt")
    if blank:
        told(f"split '{split}': {blank} instances without an annotated keypoint left out")


def _divide(
    dataset: Dataset, split: str, validation: str | None, skeleton: str | None, seed: int, told: Told
) -> tuple[Found, Found, str]:
    """Poses to learn from, others to validate on, and where the latter come from in words."""
    if validation == split:
        raise InputError(
            f"--val-split {validation} is what is learnt from: give another split, or none to hold some out"
        )
    found = poses_of(dataset, split, skeleton, told)
    held = validation or ("val" if split != "val" and "val" in dataset.splits() else None)
    if held:
        return found, poses_of(dataset, held, found.skeleton, told), held
    apart = _held_out(found.track, generator(seed, "pretrain", "held out"))
    if not bool(apart.any()):
        raise InputError(f"split '{split}' has {len(found)} annotated pose: two are needed, one of them to validate on")
    told(f"{int(apart.sum())} of {len(found)} poses are held out to validate on")
    return found[~apart], found[apart], f"{int(apart.sum())} poses of '{split}'"


def _held_out(track: Tensor, random: torch.Generator) -> Tensor:
    """(M,) bool, about a tenth: whole tracks, since neighbouring frames hardly differ; of a single one, any poses."""
    _, who = track.unique(return_inverse=True)
    if len(who) and int(who.max()) == 0:
        who = torch.arange(len(who))
    sizes = torch.bincount(who)
    order = torch.randperm(len(sizes), generator=random)
    before = torch.cumsum(sizes[order], 0) - sizes[order]
    taken = order[before * SHARE < len(who)][: len(sizes) - 1]
    return torch.isin(who, taken)


def _there(poses: Poses, device: torch.device) -> Poses:
    return Poses(poses.keypoints.to(device), poses.visible.to(device), poses.boxes.to(device))


def _figures(curve: list[Epoch]) -> dict[str, float]:
    """Of the epoch with the least validation error, whose state is kept."""
    if not curve:
        return {}
    number, training, validation = min(curve, key=lambda epoch: epoch[2])
    return {
        "epoch": float(number),
        "epochs": float(len(curve)),
        "training_error": training,
        "validation_error": validation,
    }


__all__ = ["Epoch", "Fitted", "Found", "fit", "poses_of"]
