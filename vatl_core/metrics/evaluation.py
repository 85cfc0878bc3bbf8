"""What the truth says of a pass: the one place, beside the oracle, where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Labels
from vatl_core.estimation import Estimates
from vatl_core.metrics.average_precision import AveragePrecision, average_precision
from vatl_core.metrics.similarity import PosesInFrames, measured_oks
from vatl_core.records import Evaluation
from vatl_core.video import Skeleton, Video


@attrs.frozen
class Accuracy:
    """How good the poses of N instances are.

    Attributes:
        oks: (N,) of each; NaN where none of its keypoints is annotated.
        precision: AP in its variants, and AR.
        further: what plugins measure of those with an annotated keypoint.
    """

    oks: Tensor
    precision: AveragePrecision
    further: dict[str, float]

    @classmethod
    def of(cls, truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton, hook: Any = None) -> Accuracy:
        """Measure.

        Args:
            truth: of N instances whose truth is known; ``weight`` says which keypoints are annotated. COCO's AP ignores
                instances without any in its own way; in all else they do not count.
            predicted: of the same instances, on the same device; ``weight`` holds scores.
            skeleton: gives names and sigmas.
            hook: calls ``vatl_measure`` of the plugins, if given.
        """
        annotated = truth.weight > 0
        seen = annotated.any(1)
        more = hook.vatl_measure(truth=truth[seen], predicted=predicted[seen], skeleton=skeleton) if hook else ()
        return cls(
            measured_oks(predicted.keypoints, truth.keypoints, annotated, truth.boxes, skeleton.sigmas),
            average_precision(truth, predicted, skeleton),
            {str(name): float(figure) for figures in more for name, figure in figures.items()},
        )


def evaluate(
    video: Video, estimates: Estimates, labels: Labels, threshold: float, there: Tensor | None = None, hook: Any = None
) -> Evaluation | None:
    """Measure a pass against the truth, twice: the estimator's poses alone, and with labels in place of poses.

    Args:
        video: with its truth.
        estimates: of all its instances, on any device.
        labels: everything labelled so far.
        threshold: τ.
        there: (N,) bool, which of them are instances; all if not given.
        hook: as of :meth:`Accuracy.of`.

    Returns:
        None where there is nothing to measure: no instance whose truth is known, with a visible keypoint.
    """
    instances = video.instances
    known = instances.known if there is None else instances.known & there.cpu()
    truth = true_poses(video, known)
    if truth is None:
        return None
    truth = truth.to(estimates.keypoints.device)
    frame, boxes = (column.to(estimates.keypoints.device) for column in (instances.frame, instances.boxes))
    predicted = PosesInFrames(frame, boxes, estimates.keypoints, estimates.scores)
    alone = Accuracy.of(truth, predicted[known], video.skeleton, hook)
    both = Accuracy.of(truth, with_labels(predicted, labels)[known], video.skeleton, hook)
    measured = known & instances.annotated
    everywhere = torch.zeros_like(known).index_fill(0, labels.index, True)
    labelled, similarity = everywhere[measured], alone.oks.cpu()[measured[known]]
    unlabelled = {name: column.cpu()[measured & ~everywhere] for name, column in estimates.criteria.items()}
    return Evaluation(
        measured=len(similarity),
        mean_oks=float(similarity.mean()),
        mean_oks_unlabelled=None if labelled.all() else float(similarity[~labelled].mean()),
        mean_oks_with_labels=float(both.oks.cpu()[measured[known]].mean()),
        **alone.precision._asdict(), ap_at_with_labels=both.precision.ap_at,
        ap_with_labels=both.precision.ap, further=alone.further, further_with_labels=both.further,
        all_correct=bool((similarity >= threshold).all()), counts=_counts(labelled, similarity >= threshold),
        rank_correlation=rank_correlation(unlabelled, 1 - similarity[~labelled]),
    )  # fmt: skip


def true_poses(video: Video, among: Tensor) -> PosesInFrames | None:
    """The truth of the instances ``among`` (N,) all, who are known, on the CPU; None where nothing of it is visible."""
    truth = video.instances
    if truth.keypoints is None or truth.visible is None or not (truth.annotated & among).any():
        return None
    return PosesInFrames(truth.frame, truth.boxes, truth.keypoints, truth.visible.float())[among]


def with_labels(predicted: PosesInFrames, labels: Labels) -> PosesInFrames:
    """The poses with the visible keypoints of labels in place of estimated ones."""
    index, points = labels.index.to(predicted.frame.device), labels.keypoints.to(predicted.keypoints)
    keypoints = predicted.keypoints.clone()
    keypoints[index] = torch.where(labels.visible.to(index.device)[..., None], points, keypoints[index])
    return attrs.evolve(predicted, keypoints=keypoints)


def rank_correlation(criteria: Mapping[str, Tensor], error: Tensor) -> dict[str, float]:
    """Spearman's ρ of each criterion (n,) with the error (n,) of the same instances, where neither is constant."""
    from scipy.stats import spearmanr

    varying = {name: column for name, column in criteria.items() if len(column.unique()) > 1 < len(error.unique())}
    return {name: float(spearmanr(column.numpy(), error.numpy()).statistic) for name, column in varying.items()}


def _counts(labelled: Tensor, correct: Tensor) -> dict[str, int]:
    return {
        f"{who} {how}": int((a & b).sum())
        for who, a in (("labelled", labelled), ("unlabelled", ~labelled))
        for how, b in (("correct", correct), ("wrong", ~correct))
    }
