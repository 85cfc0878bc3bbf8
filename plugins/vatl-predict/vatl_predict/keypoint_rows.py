"""A table with a row for each keypoint."""

from __future__ import annotations

from pathlib import Path

from vatl_core.files import write_whole
from vatl_formats import csv_text
from vatl_predict.predictions import Predictions


def write_csv(predictions: Predictions, path: Path) -> Path:
    """One row a keypoint: frame, track, instance, keypoint, x and y in pixels, score, whether it is a label's.

    x, y and score are 0 where a label says that the keypoint is not there.
    """
    instances, names = predictions.video.instances, predictions.video.skeleton.keypoints
    index = predictions.index
    columns = zip(
        instances.frame[index].tolist(),
        instances.track[index].tolist(),
        [instances.ids[i] for i in index.tolist()],
        predictions.keypoints.tolist(),
        predictions.scores.tolist(),
        predictions.labelled.tolist(),
        strict=True,
    )
    rows = (
        [frame, track, instance, name, f"{x:.2f}", f"{y:.2f}", f"{score:.4f}", int(labelled)]
        for frame, track, instance, points, scores, labelled in columns
        for name, (x, y), score in zip(names, points, scores, strict=True)
    )
    write_whole(path, csv_text(["frame", "track", "instance", "keypoint", "x", "y", "score", "labelled"], rows))
    return path
