"""How suspicious each estimate is: pure functions of columns (N, …), lengths in units of an instance's box.

None of them sees the truth. A video that is moved, scaled, or whose instances come in another order, is as suspicious.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

LIKE: Final = 0.2
"""How near a label's pose must be, a keypoint in the root mean square, for an estimate to be judged by it."""
_AT_ONCE: Final = 4096
"""Poses that are compared with all labels at a time: a long video would fill the memory."""
_USUAL: Final = 1.4826
"""Median deviations to a standard deviation, where values are spread normally."""

Pairs = Sequence[tuple[int, int]]
"""Left and right: keypoints that are each other's mirror image."""


def sizes(boxes: Tensor) -> Tensor:
    """(N,) the side of a square of each box's area, pixels, from boxes (N, 4) x, y, width, height."""
    return (boxes[:, 2] * boxes[:, 3]).clamp(min=1).sqrt()


def jumps(keypoints: Tensor, boxes: Tensor, previous: Tensor, following: Tensor) -> Tensor:
    """(N, K) how far each keypoint lies from the middle of where it is in the frame before and in the one after.

    Steady motion is none. Where there is one neighbour alone, the distance from it; 0 where there is none.

    Args:
        keypoints: (N, K, 2) pixels.
        boxes: (N, 4).
        previous, following: (N,) the neighbours in time, or −1.
    """
    there = torch.stack([previous >= 0, following >= 0]).to(keypoints)[..., None, None]
    beside = torch.stack([keypoints[previous], keypoints[following]])
    middle = (there * beside).sum(0) / there.sum(0).clamp(min=1)
    away = _apart(keypoints, middle) / sizes(boxes)[:, None]
    return torch.where(there.sum(0)[..., 0] > 0, away, 0.0)


def crossed_in_time(keypoints: Tensor, boxes: Tensor, previous: Tensor, following: Tensor, pairs: Pairs) -> Tensor:
    """(N, P) how much nearer each pair lies to its neighbours in time the other way round, summed over the neighbours.

    Args:
        keypoints, boxes, previous, following: as for :func:`jumps`.
        pairs: P of left and right.
    """
    left, right = _sides(pairs, keypoints.device)
    gains = keypoints.new_zeros(len(keypoints), len(left))
    for neighbour in (previous, following):
        beside = keypoints[neighbour]
        as_is = _apart(keypoints[:, left], beside[:, left]) + _apart(keypoints[:, right], beside[:, right])
        crossed = _apart(keypoints[:, left], beside[:, right]) + _apart(keypoints[:, right], beside[:, left])
        gains += torch.where((neighbour >= 0)[:, None], (as_is - crossed).clamp(min=0), 0.0)
    return gains / sizes(boxes)[:, None]


def crossed_by_labels(
    keypoints: Tensor, boxes: Tensor, pairs: Pairs, labels: Tensor, visible: Tensor, label_boxes: Tensor
) -> Tensor:
    """(N, P) how much more each pose is like some label's with a pair, or all of them, the other way round.

    0 where none of the labels is like it either way.

    Args:
        keypoints, boxes, pairs: as for :func:`crossed_in_time`.
        labels: (M, K, 2) pixels of the labels' poses.
        visible: (M, K) bool, which of their keypoints are annotated.
        label_boxes: (M, 4) of the labelled instances.
    """
    gains = keypoints.new_zeros(len(keypoints), len(pairs))
    if not len(labels) or not pairs:
        return gains
    poses, known = within(keypoints, boxes), (within(labels, label_boxes), visible)
    as_is = _nearest(poses, *known)
    every = _gain(as_is, _nearest(poses[:, _other_way_round(pairs, poses)], *known))
    for place, pair in enumerate(pairs):
        one = _gain(as_is, _nearest(poses[:, _other_way_round([pair], poses)], *known))
        gains[:, place] = torch.maximum(one, every)
    return gains


def doubts(scores: Tensor) -> Tensor:
    """(N,) 1 less the mean of the scores (N, K) of an instance's keypoints, each held between 0 and 1."""
    return 1 - scores.clamp(0, 1).mean(1)


def beyond_usual(values: Tensor, least: float) -> Tensor:
    """(N,) how many standard deviations each value lies above what is usual among them; 0 below it.

    Usual and deviation are medians, which the suspicious few do not move; the deviation is taken to be ``least`` at
    least, so that where nearly all are alike the slightest difference is none.
    """
    if not len(values):
        return values
    usual = values.median()
    deviation = (_USUAL * (values - usual).abs().median()).clamp(min=least)
    return ((values - usual) / deviation).clamp(min=0)


def within(keypoints: Tensor, boxes: Tensor) -> Tensor:
    """(N, K, 2) keypoints from the middle of their box, in units of its size."""
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    return (keypoints - middle[:, None]) / sizes(boxes)[:, None, None]


def _sides(pairs: Pairs, device: torch.device) -> tuple[Tensor, Tensor]:
    columns = torch.tensor([list(pair) for pair in pairs], dtype=torch.int64, device=device).view(-1, 2)
    return columns[:, 0], columns[:, 1]


def _apart(first: Tensor, second: Tensor) -> Tensor:
    return ((first - second) ** 2).sum(2).sqrt()


def _other_way_round(pairs: Pairs, poses: Tensor) -> Tensor:
    """(K,) which keypoint stands in each one's place when these pairs are exchanged."""
    order = torch.arange(poses.shape[1], device=poses.device)
    left, right = _sides(pairs, poses.device)
    order[left], order[right] = right, left
    return order


def _nearest(poses: Tensor, labels: Tensor, visible: Tensor) -> Tensor:
    """(N,) how far each pose (N, K, 2) is from the nearest label (M, K, 2), over what is visible (M, K) of that."""
    seen, known = visible.to(poses), torch.where(visible[..., None], labels, 0.0)
    count, own = seen.sum(1), (known**2).sum((1, 2))
    nearest = []
    for some in poses.split(_AT_ONCE):
        squares = (some**2).sum(2) @ seen.T - 2 * some.flatten(1) @ known.flatten(1).T + own
        means = torch.where(count > 0, squares.clamp(min=0) / count.clamp(min=1), torch.inf)
        nearest.append(means.amin(1).sqrt())
    return torch.cat(nearest)


def _gain(as_is: Tensor, crossed: Tensor) -> Tensor:
    """(N,) how much nearer; 0 where it is not near even then."""
    return torch.where(crossed <= LIKE, (as_is - crossed).clamp(min=0), 0.0).nan_to_num(0.0, 0.0, 0.0)
