"""What a run's accuracy was at each number of labels, labels counted as right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs
import torch
from torch import Tensor

from vatl_core.cycle import Standing
from vatl_core.errors import InputError
from vatl_core.metrics import measured_oks

if TYPE_CHECKING:
    from vatl_core.run import PastRun

GOOD: Final = 0.75
"""OKS above which an instance counts in the share of good ones."""
TARGETS: Final[dict[str, tuple[float, ...]]] = {"mean OKS": (0.85, 0.9, 0.95), "share OKS > .75": (0.9, 0.95)}
"""The accuracies to be reached, ``{measure: values}``."""


@attrs.frozen
class LearningCurve:
    """A run's accuracy against its labels.

    Attributes:
        labels: labelled instances, rising.
        accuracy: ``{measure of :data:`TARGETS`: one for each of them}``.
    """

    labels: tuple[int, ...]
    accuracy: dict[str, tuple[float, ...]]


def learning_curve(past: PastRun) -> LearningCurve:
    """The curve of a run that has ended, worked out from the estimates that it kept and its video's truth.

    Raises:
        InputError: nothing of its video can be measured, or estimates are lost.
    """
    points = list(_points(past))
    labels = tuple(labelled for labelled, _ in points)
    means = tuple(float(oks.mean()) for _, oks in points)
    shares = tuple(float((oks > GOOD).double().mean()) for _, oks in points)
    return LearningCurve(labels, dict(zip(TARGETS, (means, shares), strict=True)))


def _points(past: PastRun) -> Iterator[tuple[int, Tensor]]:
    """How many are labelled, and the OKS (M,) of what can be measured, those labelled as 1; a pass after the other.

    The last estimates come twice if labels were given after them from which nothing was learnt any more.
    """
    for cycle, record in enumerate(past.cycles):
        yield record.labelled, _with_labels(past, cycle, cycle)
    last = len(past.cycles) - 1
    if past.closing and past.closing.labelled > past.cycles[last].labelled:
        yield past.closing.labelled, _with_labels(past, last, last + 1)


def _with_labels(past: PastRun, cycle: int, learnt: int) -> Tensor:
    """The OKS (M,) of a cycle's estimates, 1 where an instance was labelled in the cycles before ``learnt``."""
    truth, estimates, cpu = past.video.instances, past.folder.estimates(cycle), torch.device("cpu")
    if estimates is None:
        raise InputError(f"{past.folder.cycle_folder(cycle) / 'estimates.npz'} is not there: restore it")
    standing = Standing.of(len(truth), past.cycles[:learnt], past.folder.answers)
    measured = truth.annotated & standing.there(cpu)
    if truth.keypoints is None or truth.visible is None or not measured.any():
        raise InputError(f"video '{past.config.video}' has no truth by which {past.folder.path} could be measured")
    sigmas = past.video.skeleton.sigmas
    oks = measured_oks(estimates.keypoints, truth.keypoints, truth.visible, truth.boxes, sigmas)
    return torch.where(standing.labelled(cpu), 1.0, oks)[measured]
