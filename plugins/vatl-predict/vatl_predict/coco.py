"""COCO keypoints over video."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vatl_core.files import write_whole
from vatl_core.video import Instances, Skeleton
from vatl_predict.frame_names import names_of, numbers_of
from vatl_predict.predictions import Predictions


def write_coco(predictions: Predictions, path: Path) -> Path:
    """COCO keypoints over video, the scores in a field of their own.

    Files, frames, instances and tracks are called as in the data set, so that it can be read in its place. v is 2, or
    of a label 1 where the keypoint is hidden; one that a label has not is 0, 0, 0.
    """
    frames = predictions.video.frames
    numbered = enumerate(zip(numbers_of(frames), names_of(frames), strict=True))
    content = {
        "images": [{"id": i, "frame_index": number, "file_name": name} for i, (number, name) in numbered],
        "annotations": _annotations(predictions),
        "categories": [_category(predictions.video.skeleton)],
    }
    write_whole(path, json.dumps(content, separators=(",", ":")))
    return path


def _annotations(predictions: Predictions) -> list[dict[str, Any]]:
    instances = predictions.video.instances
    values = ((2 - predictions.occluded.int()) * predictions.visible).to(predictions.keypoints)
    triples = torch.cat([predictions.keypoints, values[..., None]], -1).flatten(1)
    index, ids = predictions.index, _ids(instances)
    columns = zip(
        [ids[i] for i in index.tolist()],
        instances.frame[index].tolist(),
        instances.track[index].tolist(),
        _rounded(instances.boxes[index], 4),
        _rounded(triples, 2),
        _rounded(predictions.scores, 4),
        predictions.visible.sum(1).tolist(),
        predictions.labelled.tolist(),
        strict=True,
    )
    return [
        {
            "id": instance,
            "image_id": frame,
            "track_id": track,
            "category_id": 1,
            "bbox": box,
            "area": round(box[2] * box[3], 2),
            "iscrowd": 0,
            "num_keypoints": count,
            "keypoints": points,
            "keypoint_scores": scores,
            "score": sum(scores) / max(count, 1),
            "labelled": labelled,
        }
        for instance, frame, track, box, points, scores, count, labelled in columns
    ]


def _category(skeleton: Skeleton) -> dict[str, Any]:
    return {
        "id": 1,
        "name": skeleton.name,
        "keypoints": list(skeleton.keypoints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges],
        "flip_pairs": [[skeleton.keypoints[a], skeleton.keypoints[b]] for a, b in skeleton.flip_pairs],
    }


def _ids(instances: Instances) -> list[int] | list[str]:
    """What the data set calls the instances; from 1 on where it gives them no names."""
    if list(instances.ids) == [str(i) for i in range(len(instances))]:
        return list(range(1, len(instances) + 1))
    numbers = [int(name) for name in instances.ids if re.fullmatch("0|[1-9][0-9]{0,14}", name)]
    return numbers if len(numbers) == len(instances) else list(instances.ids)


def _rounded(values: Tensor, digits: int) -> list[list[float]]:
    return [[round(v, digits) for v in row] for row in values.double().tolist()]
