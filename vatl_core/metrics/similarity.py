"""How near poses are to the true ones: OKS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import torch
from torch import Tensor


@attrs.frozen
class PosesInFrames:
    """N poses, each in its frame, on any device: what measures compare.

    Attributes:
        frame: (N,) which picture.
        boxes: (N, 4) x, y, w, h.
        keypoints: (N, K, 2).
        weight: (N, K): visible or not for the truth, scores for predictions.
        ids: (N,) the truth's annotation numbers, from 1 on unless given. pycocotools takes a match with annotation 0
            for none, which lowers AP: published figures on files numbered from 0 have that in them.
    """

    frame: Tensor
    boxes: Tensor
    keypoints: Tensor
    weight: Tensor
    ids: Tensor | None = None

    def __getitem__(self, rows: Tensor) -> PosesInFrames:
        """Some of them, by a mask (N,) or indices."""
        return self._each(lambda column: column[rows.to(column.device)])

    def to(self, device: torch.device | str) -> PosesInFrames:
        """The same poses on ``device``."""
        return self._each(lambda column: column.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> PosesInFrames:
        columns = attrs.asdict(self, recurse=False)
        return attrs.evolve(self, **{name: change(column) for name, column in columns.items() if column is not None})


def oks(predicted: Tensor, true: Tensor, visible: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Object keypoint similarity of each instance, 0 to 1 (parity fixture ``oks_alc``).

    Keypoints without annotation do not count; where an instance has none, the distance is to its box grown to
    three times its size. The area is the box's.

    Args:
        predicted, true: (N, K, 2) pixels.
        visible: (N, K) bool, which keypoints are annotated.
        boxes: (N, 4) x, y, w, h, pixels.
        sigmas: K.

    Returns:
        (N,)
    """
    variance = (2 * predicted.new_tensor(list(sigmas))) ** 2
    area = boxes[:, 2] * boxes[:, 3] + torch.finfo(torch.float64).eps
    annotated = visible.any(1, keepdim=True)
    distance = torch.where(annotated, ((predicted - true) ** 2).sum(-1), _to_grown_box(predicted, boxes))
    similarity = torch.exp(-distance / (variance * area[:, None] * 2))
    counts = (visible | ~annotated).to(predicted.dtype)
    return (similarity * counts).sum(1) / counts.sum(1)


def measured_oks(predicted: Tensor, true: Tensor, visible: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> Tensor:
    """As :func:`oks`, but NaN where no keypoint is annotated: that says nothing of the estimate."""
    return oks(predicted, true, visible, boxes, sigmas).where(visible.any(1), torch.nan)


def _to_grown_box(points: Tensor, boxes: Tensor) -> Tensor:
    """Squared distances (N, K) of points to their boxes grown to three times their size; 0 inside."""
    low, high = boxes[:, None, :2] - boxes[:, None, 2:], boxes[:, None, :2] + boxes[:, None, 2:] * 2
    return ((low - points).clamp(min=0) + (points - high).clamp(min=0)).square().sum(-1)
