"""What speaks against each estimate of a run, put together and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_annotate.review.suspicion import (
    beyond_usual,
    crossed_by_labels,
    crossed_in_time,
    doubts,
    jumps,
)
from vatl_core.contracts import Labels
from vatl_core.estimation import Estimates
from vatl_core.video import Video

NOTABLE: Final = 2.0
"""Standard deviations above what is usual from which something is said of an instance."""
LEAST: Final = 0.05
"""What a standard deviation is at least, of scores and of lengths in units of the box."""


@attrs.frozen
class Evidence:
    """What speaks against N estimates of K keypoints, of which P pairs are each other's mirror image.

    Attributes:
        in_time: (N, P) how much nearer a pair lies to the frames beside it the other way round.
        by_labels: (N, P) how much more like a label's the pose is with a pair the other way round.
        jumps: (N, K) how far a keypoint is from where the frames beside it have it.
        doubts: (N,) 1 less the mean score.
    """

    in_time: Tensor
    by_labels: Tensor
    jumps: Tensor
    doubts: Tensor

    @classmethod
    def of(cls, video: Video, estimates: Estimates, labels: Labels) -> Evidence:
        """Of a run's estimates on the CPU, by themselves and by the labels of the run."""
        instances, pairs = video.instances, video.skeleton.flip_pairs
        points, boxes = estimates.keypoints, instances.boxes
        near = (points, boxes, instances.previous, instances.next)
        given = (labels.keypoints, labels.visible, boxes[labels.index])
        return cls(
            crossed_in_time(*near, pairs), crossed_by_labels(points, boxes, pairs, *given), jumps(*near),
            doubts(estimates.scores),
        )  # fmt: skip

    @property
    def columns(self) -> Tensor:
        """(4, N) each measure of an instance as a whole, in standard deviations above what is usual in the run."""
        of_instances = (_largest(self.in_time), _largest(self.by_labels), _largest(self.jumps), self.doubts)
        return torch.stack([beyond_usual(values, LEAST) for values in of_instances])

    @property
    def suspicion(self) -> Tensor:
        """(N,) the largest of the measures, and a little of the mean score, which tells equals apart."""
        return self.columns.amax(0) + 1e-3 * self.doubts


def _largest(values: Tensor) -> Tensor:
    """(N,) of the columns (N, C); 0 where there is none."""
    return values.amax(1) if values.shape[1] else values.new_zeros(len(values))


@attrs.frozen
class Reasons:
    """Why an instance is worth a look, in words.

    Attributes:
        video: whose.
        evidence: what speaks against its estimates.
        columns: (4, N) of it.
    """

    video: Video
    evidence: Evidence
    columns: Tensor

    def of(self, instance: int) -> tuple[str, ...]:
        """What is notable of it, the most telling first; where nothing is, that it is among the least certain."""
        notable = self.columns[:, instance] >= NOTABLE
        order = self.columns[:, instance].argsort(descending=True, stable=True).tolist()
        words = (self._in_time, self._by_labels, self._jump, self._score)
        found = tuple(words[measure](instance) for measure in order if notable[measure])
        return found or (f"Nothing stands out: the mean score is {self._mean(instance):.2f}",)

    def _in_time(self, instance: int) -> str:
        names = ", ".join(self._pairs(self.evidence.in_time[instance]))
        return f"Left and right look swapped beside the frames before and after: {names}"

    def _by_labels(self, instance: int) -> str:
        names = ", ".join(self._pairs(self.evidence.by_labels[instance]))
        return f"Left and right look swapped by the labels' poses: {names}"

    def _jump(self, instance: int) -> str:
        distance, keypoint = self.evidence.jumps[instance].max(0)
        name = self.video.skeleton.keypoints[int(keypoint)]
        return f"{name} jumps: {distance:.2f} box sizes from where the frames beside it have it"

    def _score(self, instance: int) -> str:
        usual = 1 - float(self.evidence.doubts.median())
        return f"Low scores: {self._mean(instance):.2f} on average, {usual:.2f} is usual"

    def _mean(self, instance: int) -> float:
        return 1 - float(self.evidence.doubts[instance])

    def _pairs(self, gains: Tensor) -> Iterator[str]:
        """The pairs that gain at least half of what the one does that gains most."""
        skeleton = self.video.skeleton
        for (left, right), gain in zip(skeleton.flip_pairs, gains.tolist(), strict=True):
            if gain >= float(gains.max()) / 2:
                yield f"{skeleton.keypoints[left]} / {skeleton.keypoints[right]}"
