"""AP of poses, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vatl_core.metrics.similarity import PosesInFrames
from vatl_core.video import Skeleton


class AveragePrecision(NamedTuple):
    """AP of poses, each 0 to 1, or −1 where there is no instance of that size.

    Attributes:
        ap: mean over OKS .50:.05:.95.
        ap_at: ``{threshold: AP}`` at each of these OKS.
        ap_medium, ap_large: AP of instances with an area of 32²–96², and of more.
        ar: average recall over OKS .50:.05:.95.
    """

    ap: float
    ap_at: dict[str, float]
    ap_medium: float
    ap_large: float
    ar: float


def average_precision(truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> AveragePrecision:
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
        evaluation = COCOeval(ground, ground.loadRes(_detections(predicted)), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(skeleton.sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
    return _summary(evaluation)


def _summary(evaluation: Any) -> AveragePrecision:
    precision, recall = (evaluation.eval[name][..., 0] for name in ("precision", "recall"))  # (T, R, categories, areas)
    at = {f"{t:g}": _mean(of[..., 0]) for t, of in zip(evaluation.params.iouThrs, precision, strict=True)}
    ap, medium, large = (_mean(precision[..., area]) for area in range(3))
    return AveragePrecision(ap, at, medium, large, ar=_mean(recall[..., 0]))


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The mean of what is defined; pycocotools writes −1 where there is nothing."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else -1.0


def _dataset(truth: PosesInFrames, skeleton: Skeleton) -> dict[str, object]:
    numbers = range(1, len(truth.frame) + 1) if truth.ids is None else truth.ids.tolist()
    annotated = truth.weight.bool().sum(1).tolist()
    annotations = [
        pose | {"id": number, "area": pose["bbox"][2] * pose["bbox"][3], "iscrowd": 0, "num_keypoints": count}
        for number, count, pose in zip(numbers, annotated, _in_coco(truth, truth.weight.double() * 2), strict=True)
    ]
    category = {"id": 1, "name": skeleton.name, "keypoints": list(skeleton.keypoints)}
    images = [{"id": frame} for frame in sorted(set(truth.frame.tolist()))]
    return {"images": images, "annotations": annotations, "categories": [category]}


def _detections(predicted: PosesInFrames) -> list[dict[str, Any]]:
    """Poses in COCO's results format; the score is the mean plus 1.25 times the maximum of the keypoints' scores."""
    weight = predicted.weight.double()
    scores = (weight.mean(1) + 1.25 * weight.amax(1)).tolist()
    return [pose | {"score": score} for pose, score in zip(_in_coco(predicted, weight), scores, strict=True)]


def _in_coco(poses: PosesInFrames, weight: Tensor) -> list[dict[str, Any]]:
    """Poses as COCO writes them, with ``weight`` (N, K) as the third value of each keypoint."""
    triples = torch.cat([poses.keypoints.double(), weight[..., None]], -1).flatten(1).tolist()
    columns = zip(poses.frame.tolist(), poses.boxes.double().tolist(), triples, strict=True)
    return [{"image_id": f, "category_id": 1, "bbox": box, "keypoints": points} for f, box, points in columns]
