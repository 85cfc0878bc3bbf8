"""How good poses are: OKS, AP and the area under a learning curve."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from itertools import pairwise

import attrs
import numpy as np
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import Skeleton

THRESHOLDS = tuple(float(t) for t in np.linspace(0.5, 0.95, 10))
"""OKS thresholds that AP is averaged over."""


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


def alc(fractions: Sequence[float], accuracy: Sequence[float]) -> float:
    """Area under the learning curve: trapezoids under accuracy (0–1) over the labelled fraction (0–1).

    The area is that over the fractions reached: a run that stopped at 0.2 has at most 0.2.

    Raises:
        InputError: the two do not have one value a point, or the fractions decrease.
    """
    if len(fractions) != len(accuracy) or not fractions:
        raise InputError(f"a learning curve needs pairs: {len(fractions)} fractions, {len(accuracy)} values were given")
    if any(b < a for a, b in pairwise(fractions)):
        raise InputError("a learning curve's labelled fractions must not decrease")
    return float(np.trapezoid(np.asarray(accuracy), np.asarray(fractions)))


@attrs.frozen
class AveragePrecision:
    """AP of poses, each 0 to 1, or −1 where there is no instance of that size.

    Attributes:
        ap: mean over OKS .50:.05:.95.
        at: ``{threshold: AP}`` at .5 .6 .7 .75 .8 .95.
        medium, large: AP of instances with an area of 32²–96², and of more.
        ar: average recall over OKS .50:.05:.95.
    """

    ap: float
    at: dict[str, float]
    medium: float
    large: float
    ar: float


@attrs.frozen
class Poses:
    """N poses for :func:`average_precision`, on any device.

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

    def __getitem__(self, rows: Tensor) -> Poses:
        """Some of them, by a mask (N,) or indices."""
        columns = (self.frame, self.boxes, self.keypoints, self.weight, self.ids)
        return Poses(*(None if c is None else c[rows.to(c.device)] for c in columns))  # type: ignore[arg-type]

    def to(self, device: torch.device | str) -> Poses:
        """The same poses on ``device``."""
        columns = (self.frame, self.boxes, self.keypoints, self.weight, self.ids)
        return Poses(*(None if column is None else column.to(device) for column in columns))  # type: ignore[arg-type]


def average_precision(truth: Poses, predicted: Poses, skeleton: Skeleton) -> AveragePrecision:
    """AP by pycocotools, the yardstick; an instance's score is the mean plus 1.25 times the maximum of its keypoints'.

    Args:
        truth: ``weight`` says which keypoints are annotated; instances without any are ignored.
        predicted: ``weight`` holds scores.
        skeleton: gives the sigmas.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, predicted = truth.to("cpu"), predicted.to("cpu")
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = _dataset(truth, skeleton)
        ground.createIndex()
        evaluation = COCOeval(ground, ground.loadRes(detections(predicted)), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(skeleton.sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
    return _summary(evaluation)


def _summary(evaluation: object) -> AveragePrecision:
    precision = evaluation.eval["precision"][..., 0]  # type: ignore[attr-defined]  # (T, R, categories, areas)
    recall = evaluation.eval["recall"][..., 0]  # type: ignore[attr-defined]
    thresholds = evaluation.params.iouThrs  # type: ignore[attr-defined]
    at = {f"{t:g}": _mean(precision[np.isclose(thresholds, t)][..., 0]) for t in (0.5, 0.6, 0.7, 0.75, 0.8, 0.95)}
    return AveragePrecision(
        ap=_mean(precision[..., 0]),
        at=at,
        medium=_mean(precision[..., 1]),
        large=_mean(precision[..., 2]),
        ar=_mean(recall[..., 0]),
    )


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The mean of what is defined; pycocotools writes −1 where there is nothing."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else -1.0


def _dataset(truth: Poses, skeleton: Skeleton) -> dict[str, object]:
    frames = sorted(set(truth.frame.tolist()))
    annotations = [
        {
            "id": number,
            "image_id": frame,
            "category_id": 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
            "keypoints": keypoints,
            "num_keypoints": visible,
        }
        for number, frame, box, keypoints, visible in zip(
            range(1, len(truth.frame) + 1) if truth.ids is None else truth.ids.tolist(),
            truth.frame.tolist(),
            truth.boxes.double().tolist(),
            _triples(truth.keypoints, truth.weight.double() * 2),
            truth.weight.bool().sum(1).tolist(),
            strict=True,
        )
    ]
    category = {"id": 1, "name": skeleton.name, "keypoints": list(skeleton.keypoints)}
    return {"images": [{"id": f} for f in frames], "annotations": annotations, "categories": [category]}


def detections(predicted: Poses) -> list[dict[str, object]]:
    """Poses in COCO's results format; the score is the mean plus 1.25 times the maximum of the keypoints' scores."""
    scores = predicted.weight.double().mean(1) + 1.25 * predicted.weight.double().amax(1)
    return [
        {"image_id": frame, "category_id": 1, "bbox": box, "keypoints": keypoints, "score": score}
        for frame, box, keypoints, score in zip(
            predicted.frame.tolist(),
            predicted.boxes.double().tolist(),
            _triples(predicted.keypoints, predicted.weight.double()),
            scores.tolist(),
            strict=True,
        )
    ]


def _triples(keypoints: Tensor, weight: Tensor) -> list[list[float]]:
    """(N, K, 2) and (N, K) → N flat lists x, y, w, x, y, w, …"""
    flat: list[list[float]] = torch.cat([keypoints.double(), weight[..., None].double()], -1).flatten(1).tolist()
    return flat
