"""Every measure of a set of poses against the truth, at once."""

from __future__ import annotations

import attrs
from torch import Tensor

from vatl_core.metrics.average_precision import AveragePrecision, average_precision
from vatl_core.metrics.ospa import ospa
from vatl_core.metrics.pck import correct_keypoints
from vatl_core.metrics.similarity import PosesInFrames, measured_oks
from vatl_core.video import Skeleton


@attrs.frozen
class Accuracy:
    """How good the poses of N instances are.

    Attributes:
        oks: (N,) of each; NaN where none of its keypoints is annotated.
        precision: AP in its variants, and AR.
        pck, pck_keypoints: PCK, of all and of each keypoint.
        ospa: of those with an annotated keypoint, 0 to 1, lower is better.
    """

    oks: Tensor
    precision: AveragePrecision
    pck: float | None
    pck_keypoints: dict[str, float]
    ospa: float

    @classmethod
    def of(cls, truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> Accuracy:
        """Measure.

        Args:
            truth: of N instances whose truth is known; ``weight`` says which keypoints are annotated. COCO's AP ignores
                instances without any in its own way; in all else they do not count.
            predicted: of the same instances, on the same device; ``weight`` holds scores.
            skeleton: gives names and sigmas.
        """
        annotated = truth.weight > 0
        seen = annotated.any(1)
        return cls(
            measured_oks(predicted.keypoints, truth.keypoints, annotated, truth.boxes, skeleton.sigmas),
            average_precision(truth, predicted, skeleton),
            *correct_keypoints(truth, predicted, skeleton.keypoints),
            ospa(truth[seen], predicted[seen], skeleton.sigmas),
        )
