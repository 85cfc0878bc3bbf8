"""How good any weights are on any videos with truth: ``vatl evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Dataset, Estimator
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.metrics import Accuracy, PosesInFrames, true_poses
from vatl_core.plugins import Registry, build
from vatl_core.promises import checked_video
from vatl_core.seeds import seeded
from vatl_core.video import Skeleton, Video
from vatl_formats import csv_text
from vatl_weights import begin_with

Progress = Callable[[float], None]
"""Told how much of everything is done, 0 to 1."""


@attrs.frozen
class Figures:
    """How good an estimator's poses are, on one video or on several together. None where nothing defines a figure.

    Attributes:
        video: its name; None for all together.
        instances, frames: how many whose truth is known, those without an annotated keypoint included.
        measured: how many of these have an annotated keypoint: what all but AP and AR is about.
        ap: mean over OKS .50:.05:.95.
        ap_at: ``{threshold: AP}``.
        ap_medium, ap_large, ar: AP by the size of the instance; average recall.
        mean_oks: over the measured instances.
        further: what plugins measure, by name, such as PCK and, of a keypoint, PCK.nose.
    """

    video: str | None
    instances: int
    frames: int
    measured: int
    ap: float | None
    ap_at: dict[str, float | None]
    ap_medium: float | None
    ap_large: float | None
    ar: float | None
    mean_oks: float
    further: dict[str, float]

    @classmethod
    def of(
        cls, video: str | None, truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton, hook: Any
    ) -> Figures:
        """Measure; see :meth:`Accuracy.of`."""
        found = Accuracy.of(truth, predicted, skeleton, hook)
        return cls(
            video=video,
            instances=len(truth.frame),
            frames=len(truth.frame.unique()),
            measured=int((~found.oks.isnan()).sum()),
            ap=_defined(found.precision.ap),
            ap_at={threshold: _defined(value) for threshold, value in found.precision.ap_at.items()},
            ap_medium=_defined(found.precision.ap_medium),
            ap_large=_defined(found.precision.ap_large),
            ar=_defined(found.precision.ar),
            mean_oks=float(found.oks.nanmean()),
            further=found.further,
        )


def _defined(value: float) -> float | None:
    """pycocotools writes −1 where there is nothing to average."""
    return None if value < 0 else value


@attrs.frozen
class SplitEvaluation:
    """What ``vatl evaluate`` prints.

    Attributes:
        dataset, estimator, weights: what was evaluated; ``weights`` says where they came from.
        split: None where videos were named one by one.
        together: all videos' instances pooled.
        videos: each by itself.
        warnings: what the user should know before believing the figures.
    """

    dataset: str
    split: str | None
    estimator: str
    weights: str
    together: Figures
    videos: tuple[Figures, ...]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON's types."""
        return attrs.asdict(self)

    def to_csv(self) -> str:
        """One row a video, then one of all together, whose name is empty; undefined cells are empty."""
        lines = [_flat(figures) for figures in (*self.videos, self.together)]
        head = list(dict.fromkeys(key for line in lines for key in line))
        return csv_text(head, [[line.get(key) for key in head] for line in lines])


def _flat(figures: Figures) -> dict[str, object]:
    """One row: figures by threshold and by keypoint in columns of their own."""
    row = attrs.asdict(figures)
    at, further = row.pop("ap_at"), row.pop("further")
    parts = [(name.partition("."), value) for name, value in further.items()]
    row |= {f"ap_{t}": value for t, value in at.items()}
    return row | {f"{name.lower()}{'_' if point else ''}{keypoint}": value for (name, point, keypoint), value in parts}


def evaluate_videos(
    registry: Registry,
    config: RunConfig,
    split: str | None,
    videos: Sequence[str] = (),
    progress: Progress = lambda done: None,
) -> SplitEvaluation:
    """Estimate every instance of these videos with the configured weights and measure the poses against the truth.

    Args:
        registry: of components.
        config: data set, estimator, weights, device, batch and seed count.
        split: the videos of this split; None for those named in ``videos``.
        videos: names.
        progress: told how much is done.

    Raises:
        InputError: there is no such split or video, a video has no truth, or the weights cannot be used.
    """
    dataset: Dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    estimator: Estimator = build(registry, "estimator", config.estimator, config.of("estimator", config.estimator))
    compute = Compute.choose(config.device, config.precision, config.channels_last)
    names = list(dict.fromkeys(dataset.of_split(split) if split else videos))
    weights, warnings, skeleton = "", list[str](), None
    truths, predictions, figures = list[PosesInFrames](), list[PosesInFrames](), list[Figures]()
    for number, name in enumerate(names):
        video = checked_video(dataset, name)
        truth = _truth(video, skeleton)
        if skeleton is None:
            skeleton = video.skeleton
            weights, warnings = _begin(config, estimator, dataset, skeleton)
            compute.place(estimator)
        warnings += [f"{name}: {count} annotations dropped: {reason}" for reason, count in video.dropped.items()]

        def part(_: str, done: int, total: int, before: int = number) -> None:
            progress((before + done / total) / len(names))

        predicted = _predicted(estimator, video, compute, config.batch, part)
        truths.append(truth)
        predictions.append(predicted)
        figures.append(Figures.of(name, truth, predicted, skeleton, registry.manager.hook))
    if skeleton is None:
        raise InputError(f"data set '{config.dataset}' has no video to evaluate on")
    together = Figures.of(None, _joined(truths), _joined(predictions), skeleton, registry.manager.hook)
    return SplitEvaluation(
        config.dataset, split, config.estimator, weights, together, tuple(figures), tuple(dict.fromkeys(warnings))
    )


def _begin(config: RunConfig, estimator: Estimator, dataset: Dataset, skeleton: Skeleton) -> tuple[str, list[str]]:
    with seeded(config.seed, "weights"):
        estimator.build(skeleton)
    return begin_with(config.weights, config.estimator, estimator, dataset, skeleton, config.weights_keypoints)


def _truth(video: Video, skeleton: Skeleton | None) -> PosesInFrames:
    """The truth of a video, which must have one and, like those before it, poses of this skeleton."""
    truth = true_poses(video, video.instances.known)
    if truth is None:
        raise InputError(f"video '{video.name}' has no annotated keypoints: there is nothing to compare with")
    if skeleton is not None and skeleton != video.skeleton:
        raise InputError(
            f"video '{video.name}' has poses of skeleton '{video.skeleton.name}', those before it of "
            f"'{skeleton.name}': evaluate them apart, with --video"
        )
    return truth


def _predicted(
    estimator: Estimator, video: Video, compute: Compute, batch: int | None, progress: Callable[[str, int, int], None]
) -> PosesInFrames:
    """The estimator's poses of those whose truth is known, on the CPU, from the same pass as a cycle's."""
    crops = Crops(video.without_truth(), estimator.input_size, compute.device, budget=0)
    found = estimate(estimator, crops, {}, compute, batch, progress)
    instances = video.instances
    return PosesInFrames(instances.frame, instances.boxes, found.keypoints.cpu(), found.scores.cpu())[instances.known]


def _joined(parts: Sequence[PosesInFrames]) -> PosesInFrames:
    """The poses of several videos, their frames numbered on."""
    starts = [0, *torch.tensor([int(p.frame.max()) + 1 for p in parts]).cumsum(0).tolist()]
    frames = [part.frame + start for part, start in zip(parts, starts, strict=False)]

    def column(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])

    return PosesInFrames(torch.cat(frames), column("boxes"), column("keypoints"), column("weight"))
