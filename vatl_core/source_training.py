"""Training a source estimator on a data set's training videos."""

from __future__ import annotations

from pathlib import Path

import torch

from vatl_core import checkpoints
from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Dataset, Estimator
from vatl_core.crops import Crops, JoinedCrops
from vatl_core.errors import InputError
from vatl_core.estimate import Progress, silent
from vatl_core.options import build
from vatl_core.plugins import Registry
from vatl_core.seeds import generator, seeded
from vatl_core.training import MARGIN, Labelled, Recipe, Trainer
from vatl_core.video import Video
from vatl_core.weights import begin_with


def train(registry: Registry, config: RunConfig, recipe: Recipe, out: Path, progress: Progress = silent) -> float:
    """Fit the configured estimator to the data set's source videos and write its weights to ``out``.

    Returns:
        The last epoch's mean loss.

    Raises:
        InputError: the data set has no source videos with truth.
    """
    dataset: Dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    estimator: Estimator = build(registry, "estimator", config.estimator, config.of("estimator", config.estimator))
    videos = [dataset.load(name) for name in dataset.sources()]
    if not videos:
        raise InputError(f"data set '{config.dataset}' has no source videos to train on")
    skeleton = videos[0].skeleton
    with seeded(config.seed, "weights"):
        estimator.build(skeleton)
    begin_with(config.weights, config.estimator, estimator, dataset, skeleton)
    compute = Compute.choose(config.device, config.precision, config.channels_last)
    compute.place(estimator)
    labelled = everything(videos, estimator.input_size, compute.device, config.cache_mb * 2**20)
    loss = Trainer(compute, generator(config.seed, "train"), progress).fit(estimator, labelled, recipe)
    checkpoints.save(out, estimator, skeleton)
    return loss


def everything(videos: list[Video], size: tuple[int, int], device: torch.device, budget: int) -> Labelled:
    """Every instance with an annotated keypoint of these videos, as something to learn from.

    Raises:
        InputError: a video has no truth.
    """
    keypoints, visible = [], []
    for video in videos:
        if video.instances.keypoints is None or video.instances.visible is None:
            raise InputError(f"source video '{video.name}' has no annotated keypoints")
        keypoints.append(video.instances.keypoints)
        visible.append(video.instances.visible)
    share = budget // len(videos)
    pictures = JoinedCrops([Crops(v.without_truth(), size, device, share, MARGIN) for v in videos])
    seen = torch.cat(visible).to(device)
    index = torch.nonzero(seen.any(1)).flatten()
    return Labelled(
        index=index,
        keypoints=torch.cat(keypoints).to(device)[index],
        visible=seen[index],
        oks=torch.zeros(len(index), device=device),
        queried=torch.ones(len(index), dtype=torch.bool, device=device),
        pictures=pictures,
    )
