"""Who is where: the instances of a video as columns of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor


@attrs.frozen
class Instances:
    """N instances (one person or animal in one frame each) as columns.

    Attributes:
        frame: (N,) int64, index into the video's frames.
        track: (N,) int64, which individual; unique within the video.
        boxes: (N, 4) float32, x, y, width, height in pixels, with an area.
        previous, next: (N,) int64, the same track's neighbour in time, or −1.
        ids: N strings, what the data set calls each instance.
        keypoints: (N, K, 2) float32 pixels, the truth; None where nobody knows any of it or it is hidden.
        visible: (N, K) bool, which keypoints are annotated, none of an instance that is not known; None as above.
        known: (N,) bool, whether the truth of it is known at all: that nothing of it is visible may be known too. If
            not given, of all where there are keypoints, else of none.
    """

    frame: Tensor
    track: Tensor
    boxes: Tensor
    previous: Tensor
    next: Tensor
    ids: tuple[str, ...]
    keypoints: Tensor | None = None
    visible: Tensor | None = None
    known: Tensor = attrs.field()

    @known.default
    def _all_or_none(self) -> Tensor:
        return torch.full_like(self.frame, self.keypoints is not None, dtype=torch.bool)

    @classmethod
    def of(
        cls,
        frame: Tensor,
        track: Tensor,
        boxes: Tensor,
        ids: tuple[str, ...] | None = None,
        keypoints: Tensor | None = None,
        visible: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Instances:
        """Columns with their neighbours in time worked out by :func:`neighbours`."""
        names = ids if ids is not None else tuple(str(i) for i in range(len(frame)))
        found = cls(frame, track, boxes.float(), *neighbours(frame, track), names, keypoints, visible)
        if known is None:
            return found
        return attrs.evolve(found, known=known, visible=None if visible is None else visible & known[:, None])

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_truth(self) -> bool:
        """Whether the truth of any is known, and not hidden."""
        return bool(self.known.any())

    @property
    def annotated(self) -> Tensor:
        """(N,) bool, whose truth is known and has a visible keypoint: what can be measured and learnt from."""
        return self.known if self.visible is None else self.known & self.visible.any(1)

    def without_truth(self) -> Instances:
        """The same instances with the truth taken out, and whose is known: all that a method may see."""
        return attrs.evolve(self, keypoints=None, visible=None, known=torch.zeros_like(self.known))

    def with_boxes(self, boxes: Mapping[int, Sequence[float]]) -> Instances:
        """The same instances with boxes of their own, some of them redrawn: ``{instance: (x, y, w, h) px}``."""
        own = self.boxes.clone()
        for index, box in boxes.items():
            own[index] = torch.tensor(box)
        return attrs.evolve(self, boxes=own)

    def to(self, device: torch.device) -> Instances:
        """The columns on ``device``."""
        moved: dict[str, Any] = {
            field.name: value.to(device)
            for field in attrs.fields(type(self))
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return attrs.evolve(self, **moved)


def neighbours(frame: Tensor, track: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of each instance's neighbours in time, (N,) each, −1 where there is none.

    Neighbours follow each other at the video's usual step, the commonest distance within its tracks: somebody
    who leaves and returns has no neighbour across the gap.
    """
    order = torch.argsort(frame, stable=True)
    order = order[torch.argsort(track[order], stable=True)]
    step = frame[order][1:] - frame[order][:-1]
    same = (track[order][1:] == track[order][:-1]) & (step > 0)
    usual = step[same].mode().values if same.any() else step.new_tensor(1)
    first, second = order[:-1][same & (step <= usual)], order[1:][same & (step <= usual)]
    previous, following = torch.full_like(frame, -1), torch.full_like(frame, -1)
    previous[second], following[first] = first, second
    return previous, following
