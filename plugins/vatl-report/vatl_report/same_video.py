"""Whether the data set still holds the video that a run was made on: if not, no picture of it would be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.metrics import measured_oks

if TYPE_CHECKING:
    from vatl_core.estimation import Estimates
    from vatl_core.run import PastRun
    from vatl_core.video import Instances

_TOLERANCE: Final = 0.002
"""In mean OKS: what another device's arithmetic may change."""


def check_video(past: PastRun) -> None:
    """Compare the video with what the run's records say of it.

    Raises:
        InputError: it cannot be loaded, or is not the one that the run was made on.
    """
    instances, answers = past.video.instances, past.folder.answers
    for record in past.cycles[-1:]:
        before = record.cycle + 1
        absent = sum(answers.refused(before).values())
        if record.instances + absent != len(instances):
            raise InputError(
                f"the data set has {len(instances)} instances for this video now, and the run had "
                f"{record.instances + absent}"
            )
        estimates, redrawn = past.folder.estimates(record.cycle), answers.boxes(record.cycle) != answers.boxes()
        if record.evaluation and estimates and not redrawn:  # by other boxes OKS is another
            there = past.standing.there(torch.device("cpu"))
            _check_truth(past, instances, estimates, record.evaluation.mean_oks, there)


def _check_truth(past: PastRun, instances: Instances, estimates: Estimates, measured: float, there: Tensor) -> None:
    """The same estimates against the same truth must be as good as they were."""
    if instances.keypoints is None or instances.visible is None:
        raise InputError("the data set has no ground truth for this video any more, and the run had")
    similarity = measured_oks(
        estimates.keypoints, instances.keypoints, instances.visible, instances.boxes, past.video.skeleton.sigmas
    )
    now = float(similarity[there].nanmean())
    if abs(now - measured) > _TOLERANCE:
        raise InputError(
            f"the data set has changed since the run: against it as it is now, the last estimates have a mean OKS of "
            f"{now:.3f}, and the run measured {measured:.3f}"
        )
