"""An estimator with its weights, for any video of its keypoints: a run's, or one's own."""

from __future__ import annotations

from pathlib import Path

import attrs
import torch

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Dataset, Estimator, Labels, Refinement
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate, refined
from vatl_core.plugins import Registry, build
from vatl_core.progress import Progress
from vatl_core.run import decoded
from vatl_core.seeds import seeded
from vatl_core.video import Skeleton, Video
from vatl_core.weights import is_random, load_checkpoint
from vatl_predict.predictions import Predictions
from vatl_weights import begin_with


@attrs.frozen(eq=False)
class Predictor:
    """Estimates the poses of whole videos.

    Attributes:
        config: what it is made of.
        estimator: with its weights, on the device.
        refinement: of the poses.
        compute: device and precision.
        registry: of decoders.
    """

    config: RunConfig
    estimator: Estimator
    refinement: Refinement
    compute: Compute
    registry: Registry

    @classmethod
    def of_run(cls, config: RunConfig, registry: Registry, skeleton: Skeleton, weights: Path) -> Predictor:
        """With ``weights`` that a run kept; ``config`` has its estimator and refinement."""
        made = cls._made(config, registry, skeleton)
        load_checkpoint(made.estimator, skeleton, weights)
        made.compute.place(made.estimator)
        return made

    @classmethod
    def of_weights(
        cls, config: RunConfig, registry: Registry, skeleton: Skeleton, dataset: Dataset, progress: Progress
    ) -> tuple[Predictor, list[str]]:
        """With the weights that ``config`` names; and what there is to say of them.

        Raises:
            InputError: they cannot be had, or do not know each keypoint.
        """
        made = cls._made(config, registry, skeleton)
        head = made.estimator.get_parameter(f"{made.estimator.head}.weight")
        before = head.detach().clone()
        source, notes = begin_with(
            config.weights, config.estimator, made.estimator, dataset, skeleton, config.weights_keypoints, progress
        )
        unknown = (head.detach() == before).flatten(1).all(1).tolist()  # a channel that is random as it was
        _refuse_random(source, [name for name, fresh in zip(skeleton.keypoints, unknown, strict=True) if fresh], notes)
        made.compute.place(made.estimator)
        return made, [f"weights: {source}", *notes]

    @classmethod
    def _made(cls, config: RunConfig, registry: Registry, skeleton: Skeleton) -> Predictor:
        """With random weights, in no particular place."""
        estimator = build(registry, "estimator", config.estimator, config.of("estimator", config.estimator))
        refinement = build(registry, "refinement", config.refine, config.of("refine", config.refine))
        with seeded(config.seed, "weights"):
            estimator.build(skeleton)
        compute = Compute.choose(config.device, config.precision, config.channels_last)
        return cls(config, estimator, refinement, compute, registry)

    def poses(self, video: Video, progress: Progress) -> Predictions:
        """Those of all instances of a video, as a run's pass finds them that nothing is labelled in."""
        shown = decoded(video.without_truth(), self.config.decoder, self.registry, self.compute.device)
        crops = Crops(shown, self.estimator.input_size, self.compute.device, budget=0)
        found = estimate(
            self.estimator, crops, {}, self.compute, self.config.batch, progress, candidates=self.refinement.candidates
        )
        poses, _ = refined(self.config.refine, self.refinement, crops, found, _no_labels(video.skeleton))
        return Predictions.estimated(video, poses, found.scores)


def _refuse_random(source: str, unknown: list[str], notes: list[str]) -> None:
    if not unknown:
        return
    if is_random(source):
        why = f" ({notes[-1]})" if notes else ""
        raise InputError(f"poses of random weights say nothing{why}: give --weights FILE, a known name or a run")
    raise InputError(
        f"weights {source} do not know these keypoints of the video: {', '.join(unknown)}: give weights for its "
        "skeleton, or a skeleton of what they know (such as -o dataset.skeleton=FILE)"
    )


def _no_labels(skeleton: Skeleton) -> Labels:
    none = torch.zeros(0, dtype=torch.int64)
    points = torch.zeros(0, len(skeleton), 2)
    return Labels(none, points, torch.zeros(0, len(skeleton), dtype=torch.bool), "", torch.zeros(0))
