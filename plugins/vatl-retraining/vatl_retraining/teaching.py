"""A mean teacher: what a network's averaged self makes of plain crops, for the network that sees them changed."""

from __future__ import annotations

import copy
from collections.abc import Callable

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Augmentation, Estimator, Maps, Pictures
from vatl_core.learning import mirror
from vatl_core.video import compose, decode, gaussian_targets, invert, transform, warp
from vatl_retraining.looking import heatmaps, plain
from vatl_retraining.trust import Trusted


@attrs.define(eq=False)
class MeanTeacher:
    """A term of the loss: the student's heatmaps of changed crops against Gaussians where the teacher has its maxima.

    The teacher's weights are the exponential average of the student's: θ' ← α·θ' + (1 − α)·θ after each step (Tarvainen
    & Valpola, NeurIPS 2017). A keypoint weighs as much as it is trusted, and as high as the teacher's maximum is now.

    Attributes:
        student: the estimator that is being fitted.
        trusted: which instances it may learn from, and how much from each keypoint.
        pictures: of the instances.
        changes: of the crops that the student sees.
        compute, generator: the trainer's.
        batch: crops to a step.
        decay: α.
        share: what the term is multiplied by.
    """

    student: Estimator
    trusted: Trusted
    pictures: Pictures
    changes: Augmentation
    compute: Compute
    generator: torch.Generator
    batch: int
    decay: float
    share: float
    teacher: Estimator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.teacher = copy.deepcopy(self.student).eval().requires_grad_(False)

    def __call__(self, network: Callable[[Tensor], Maps]) -> Tensor:
        """The term of one step."""
        self._follow()
        rows = torch.randint(len(self.trusted.index), (self.batch,), generator=self.generator)
        crops, targets, weights = self._lesson(rows.to(self.trusted.index.device))
        return self.share * self.student.loss(network(crops), targets, weights)

    @torch.no_grad()
    def _follow(self) -> None:
        for mine, theirs in zip(self.teacher.state_dict().values(), self.student.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - self.decay)
            else:
                mine.copy_(theirs)

    @torch.no_grad()
    def _lesson(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Changed crops (B, 3, H, W) uint8, targets (B, K, h, w) and weights (B, K) of these of what is trusted."""
        index, teacher = self.trusted.index[rows], self.teacher
        size, pictures, same = teacher.input_size, self.pictures.get(index), plain(self.pictures, index)
        box = same.new_tensor([[0, 0, size[1], size[0]]]).expand(len(rows), 4)
        keypoints, heights = decode(heatmaps(teacher, warp(pictures, same, size), self.compute), box)
        trust = self.trusted.weights[rows] * self.trusted.certainty(heights)
        drawn = self.changes.draw(len(rows), self.generator).to(index.device)
        change = self.changes.place(drawn, keypoints, trust > 0, self.pictures.skeleton, size)
        crops = self.changes.light(drawn, warp(pictures, compose(change, same), size))
        mirrored = torch.det(change[:, :, :2]) < 0
        keypoints, trust = mirror(transform(keypoints, invert(change)), trust, mirrored, self.pictures.skeleton)
        size, stride = teacher.heatmap_size, teacher.stride
        targets, seen = gaussian_targets(keypoints, trust > 0, size, stride, subpixel=True)
        return crops, targets, seen * trust.sqrt()  # the loss squares them
