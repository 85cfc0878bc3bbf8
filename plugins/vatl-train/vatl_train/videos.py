"""Which videos a source estimator is trained on, and which tell how well it has learnt."""

from __future__ import annotations

from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError
from vatl_core.promises import checked_names, checked_video
from vatl_core.seeds import generator
from vatl_core.video import Instances, Video

NO_VALIDATION: Final = "none"
"""The name of the validation split that asks for no validation."""


@attrs.frozen
class SourceVideos:
    """Videos with truth, all of one skeleton.

    Attributes:
        training: to learn from; at least one.
        validation: to measure on; may be empty.
        how: where the validation comes from, in words.
    """

    training: list[Video]
    validation: list[Video]
    how: str

    def __attrs_post_init__(self) -> None:
        for video in [*self.training, *self.validation]:
            if not video.instances.annotated.any():
                raise InputError(f"source video '{video.name}' has no annotated keypoints")
            if video.skeleton != self.training[0].skeleton:
                raise InputError(
                    f"source videos '{self.training[0].name}' and '{video.name}' have different skeletons: "
                    "train on one at a time"
                )


def source_videos(dataset: Dataset, split: str, validation: str, held_out: float, seed: int) -> SourceVideos:
    """Load what to train on and what to validate on.

    Args:
        dataset: whose videos.
        split: to train on.
        validation: a split, ``none``, or empty for ``val`` where the data set has it and it is not what is adapted
            to, else a held-out share.
        held_out: that share, 0 to 1: of the training videos or, where there is only one, of its annotated instances.
        seed: of what is held out.

    Raises:
        InputError: there is no such split, or something in it cannot be used.
    """
    names = dataset.of_split(split)
    if not validation and split != "val" and (held := dataset.splits().get("val")):
        # what is adapted to must not choose the weights to begin with, whatever the data set calls it
        validation = "" if set(held) & set(checked_names(dataset)) else "val"
    if validation:
        others = [] if validation == NO_VALIDATION else dataset.of_split(validation)
        how = f"split '{validation}'" if others else "none"
        return SourceVideos(_load(dataset, names), _load(dataset, others), how)
    if len(names) == 1:
        return _instances_held_out(checked_video(dataset, names[0]), held_out, seed)
    order = _shuffled(torch.arange(len(names)), seed)
    kept, out = (_load(dataset, [names[i] for i in sorted(part.tolist())]) for part in _cut(order, held_out))
    return SourceVideos(kept, out, f"{len(out)} of {len(names)} videos held out")


def _load(dataset: Dataset, names: list[str]) -> list[Video]:
    return [checked_video(dataset, name) for name in names]


def _instances_held_out(video: Video, share: float, seed: int) -> SourceVideos:
    annotated = torch.nonzero(video.instances.annotated).flatten()
    if len(annotated) < 2:
        raise InputError(
            f"source video '{video.name}' has {len(annotated)} annotated instance(s): too few to hold any out for "
            "validation: use --val-split none"
        )
    kept, out = (_only(video, part.sort().values) for part in _cut(_shuffled(annotated, seed), share))
    return SourceVideos([kept], [out], f"{len(out.instances)} of {len(annotated)} instances held out")


def _only(video: Video, index: Tensor) -> Video:
    """The same video with some of its instances."""
    old = video.instances
    columns = [None if c is None else c[index] for c in (old.keypoints, old.visible, old.known)]
    ids = tuple(old.ids[i] for i in index.tolist())
    new = Instances.of(old.frame[index], old.track[index], old.boxes[index], ids, *columns)
    return attrs.evolve(video, instances=new, labelled_by=None)


def _shuffled(values: Tensor, seed: int) -> Tensor:
    return values[torch.randperm(len(values), generator=generator(seed, "held out"))]


def _cut(values: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """All but a share of two or more, and that share; one at least in either."""
    count = min(max(1, round(len(values) * share)), len(values) - 1)
    return values[count:], values[:count]
