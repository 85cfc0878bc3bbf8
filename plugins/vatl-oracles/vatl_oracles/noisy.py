"""The oracle ``noisy``: another one's labels with the errors that people make."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import attrs
import torch
from attrs.validators import ge, le, lt
from torch import Tensor

from vatl_core.contracts import Answer, Labels, Request
from vatl_core.errors import InputError
from vatl_core.seeds import generator
from vatl_core.video import Instances, Skeleton, Video
from vatl_oracles.around import Around

Draw = Callable[..., Tensor]
"""``torch.rand`` or ``torch.randn``."""


@attrs.frozen
class Noisy(Around):
    """Labels as people give them: not quite in place, a side for the other, a keypoint missed, the wrong person.

    What happens to an instance's label depends on ``seed``, the video's name and the instance alone: not on the run's
    seed, on when it is asked for or on what else is, nor do the kinds of error depend on each other.

    Attributes:
        jitter: by how much the OKS of a label falls in the mean, 0 to below 1: with 0.1 it is 0.9. Each keypoint is
            moved by its own normal distance, in proportion to its sigma and the size of the instance's box.
        swapped: share of the labels whose left and right keypoints are exchanged, all of them.
        missed: share of the annotated keypoints that are left out, each by itself.
        wrong_person: share of the labels that are of the nearest other person in the frame; where there is none whose
            pose is known, the label is of the right one.
        seed: of all errors.
    """

    jitter: float = attrs.field(default=0.0, validator=[ge(0.0), lt(1.0)])
    swapped: float = attrs.field(default=0.0, validator=[ge(0.0), le(1.0)])
    missed: float = attrs.field(default=0.0, validator=[ge(0.0), le(1.0)])
    wrong_person: float = attrs.field(default=0.0, validator=[ge(0.0), le(1.0)])
    seed: int = attrs.field(default=0, validator=ge(0))

    def __attrs_post_init__(self) -> None:
        if not (self.jitter or self.swapped or self.missed or self.wrong_person):
            said = "oracle 'noisy': no label has an error: set jitter, swapped, missed or wrong_person"
            raise InputError(f"{said}; in another oracle's around, as noisy,jitter=0.1")

    def can_answer(self, video: Video) -> Tensor | None:
        """Those that the oracle inside can answer for.

        Raises:
            InputError: sides are to be exchanged, and the skeleton has none.
        """
        if self.swapped and not video.skeleton.flip_pairs:
            said = f"oracle 'noisy': swapped = {self.swapped:g}, and no keypoint of '{video.skeleton.name}'"
            raise InputError(f"{said} is another's left or right: leave it out, or give flip_pairs")
        return super().can_answer(video)

    def annotate(self, request: Request) -> Iterable[Answer]:
        """The answers of the oracle inside, labels with their errors."""
        for answer in self._inside.annotate(request):
            if isinstance(answer, Labels) and len(answer.index):
                yield self._with_errors(answer, request.video)
            else:
                yield answer

    def _with_errors(self, labels: Labels, video: Video) -> Labels:
        def drawn(draw: Draw, purpose: str, *shape: int) -> Tensor:
            own = (generator(self.seed, "noisy", purpose, video.name, i) for i in labels.index.tolist())
            return torch.stack([draw(shape, generator=each) for each in own])

        keypoints, instances = len(video.skeleton), video.instances
        labels = attrs.evolve(labels, keypoints=labels.keypoints.float(), visible=labels.visible > 0)
        labels = of_the_nearest(labels, instances, drawn(torch.rand, "person") < self.wrong_person)
        labels = with_sides_exchanged(labels, video.skeleton, drawn(torch.rand, "sides") < self.swapped)
        found = drawn(torch.rand, "missed", keypoints) >= self.missed
        spread = deviations(self.jitter, instances.boxes[labels.index], video.skeleton)[..., None]
        moved = labels.keypoints + spread * drawn(torch.randn, "jitter", keypoints, 2)
        who = f"noisy {labels.annotator}"
        return attrs.evolve(labels, keypoints=moved, visible=labels.visible & found, annotator=who)


def deviations(jitter: float, boxes: Tensor, skeleton: Skeleton) -> Tensor:
    """(M, K) standard deviation in pixels, of x and of y, by which each keypoint's OKS falls by ``jitter`` in the mean.

    A keypoint's OKS is exp(−d² / 2s²), s = 2σ√area. Of a normal displacement of deviation c·s, d² / s² is c² times a χ²
    of two degrees of freedom, so that the mean is 1 / (1 + c²); that is 1 − jitter where c² = jitter / (1 − jitter).

    Args:
        jitter: 0 to below 1.
        boxes: (M, 4) x, y, w, h.
        skeleton: of K keypoints.
    """
    size, apart = (boxes[:, 2] * boxes[:, 3]).sqrt(), math.sqrt(jitter / (1 - jitter))
    return apart * 2 * size[:, None] * size.new_tensor(skeleton.sigmas)


def of_the_nearest(labels: Labels, instances: Instances, chosen: Tensor) -> Labels:
    """Labels (M) of which those ``chosen`` (M,) are of the nearest other instance in the frame whose truth is known."""
    nearest = torch.tensor([_nearest(instances, i) for i in labels.index.tolist()])
    wrong = chosen & (nearest >= 0)
    if instances.keypoints is None or instances.visible is None or not wrong.any():
        return labels
    theirs = instances.keypoints[nearest].float(), instances.visible[nearest]
    return attrs.evolve(
        labels,
        keypoints=theirs[0].where(wrong[:, None, None], labels.keypoints),
        visible=theirs[1].where(wrong[:, None], labels.visible),
        occluded=labels.occluded & ~wrong[:, None],
    )


def _nearest(instances: Instances, index: int) -> int:
    """The instance in the same frame, with a known pose, whose box's centre is nearest; −1 where there is none."""
    others = (instances.frame == instances.frame[index]) & instances.annotated
    others[index] = False
    if not others.any():
        return -1
    centres = instances.boxes[:, :2] + instances.boxes[:, 2:] / 2
    distance = (centres - centres[index]).norm(dim=1)
    return int(distance.where(others, torch.inf).argmin())


def with_sides_exchanged(labels: Labels, skeleton: Skeleton, chosen: Tensor) -> Labels:
    """Labels (M) of which those ``chosen`` (M,) have what is left on the right."""
    order = skeleton.flip_order()

    def exchanged(column: Tensor) -> Tensor:
        return column[:, order].where(chosen.view(-1, *[1] * (column.ndim - 1)), column)

    points, visible, occluded = (exchanged(column) for column in (labels.keypoints, labels.visible, labels.occluded))
    return attrs.evolve(labels, keypoints=points, visible=visible, occluded=occluded)
