"""What the truth says of a pass: the one place, beside the oracle, where it is read."""

from __future__ import annotations

import torch
from torch import Tensor

from vatl_core.contracts import Labels
from vatl_core.estimate import Estimates
from vatl_core.metrics import Poses, average_precision, oks
from vatl_core.records import Evaluation
from vatl_core.video import Video


def evaluate(video: Video, estimates: Estimates, labels: Labels, threshold: float) -> Evaluation | None:
    """Measure a pass against the truth, twice: the estimator's poses alone, and with labels in place of poses.

    Args:
        video: with its truth; None is returned where it has none.
        estimates: of all its instances, on any device.
        labels: everything labelled so far.
        threshold: τ.
    """
    truth = video.instances
    if truth.keypoints is None or truth.visible is None:
        return None
    keypoints, scores = estimates.keypoints.cpu(), estimates.scores.cpu()
    similarity = oks(keypoints, truth.keypoints, truth.visible, truth.boxes, video.skeleton.sigmas)
    labelled = torch.zeros(len(truth), dtype=torch.bool)
    labelled[labels.index] = True
    corrected = keypoints.clone()
    corrected[labels.index] = torch.where(labels.visible[..., None], labels.keypoints, keypoints[labels.index])
    ground = Poses(truth.frame, truth.boxes, truth.keypoints, truth.visible.float())
    alone = average_precision(ground, Poses(truth.frame, truth.boxes, keypoints, scores), video.skeleton)
    both = average_precision(ground, Poses(truth.frame, truth.boxes, corrected, scores), video.skeleton)
    return Evaluation(
        mean_oks=float(similarity.mean()),
        mean_oks_unlabelled=None if labelled.all() else float(similarity[~labelled].mean()),
        mean_oks_with_labels=float(torch.where(labelled, 1.0, similarity).mean()),
        ap=alone.ap,
        ap_with_labels=both.ap,
        ap_at=alone.at,
        ap_medium=alone.medium,
        ap_large=alone.large,
        ar=alone.ar,
        all_correct=bool((similarity >= threshold).all()),
        counts=_counts(labelled, similarity >= threshold),
    )


def _counts(labelled: Tensor, correct: Tensor) -> dict[str, int]:
    return {
        f"{who} {how}": int((a & b).sum())
        for who, a in (("labelled", labelled), ("unlabelled", ~labelled))
        for how, b in (("correct", correct), ("wrong", ~correct))
    }
