"""An adapted estimator's poses for a whole video, in files that others can read."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.files import write_whole
from vatl_core.promises import checked_pictures
from vatl_core.video import Frames, Instances, PictureFiles, Video
from vatl_drawing import draw_pose, track_colour, write_video
from vatl_formats import NumberedPictures, csv_text, with_identities

if TYPE_CHECKING:
    from vatl_core.run import PastRun


@attrs.frozen
class Predictions:
    """Poses of P of a video's instances, on the CPU: all but those at which an annotator found nobody.

    Attributes:
        video: whose.
        index: (P,) which of its instances they are, ascending.
        keypoints: (P, K, 2) pixels; 0 where a label says that the keypoint is not there.
        scores: (P, K); 1 for the keypoints of a label, 0 for those that it has not.
        labelled: (P,) bool, where a label stands in place of the estimate.
        visible: (P, K) bool, which keypoints there are: all of an estimate, those annotated of a label.
        occluded: (P, K) bool, which of a label's keypoints are hidden in the picture.
        learnt: whether anything was learnt from labels before they were estimated.
    """

    video: Video
    index: Tensor
    keypoints: Tensor
    scores: Tensor
    labelled: Tensor
    visible: Tensor
    occluded: Tensor
    learnt: bool = attrs.field(default=True, kw_only=True)

    @classmethod
    def of(cls, run: PastRun, with_labels: bool = False) -> Predictions:
        """The poses of a run's last estimates.

        Raises:
            InputError: it has estimated nothing yet, or what it estimated last is lost.
        """
        cycle, estimates = _last_estimates(run)
        keypoints, scores = estimates.keypoints.clone(), estimates.scores.clone()
        labelled = torch.zeros(len(keypoints), dtype=torch.bool)
        occluded = torch.zeros_like(scores, dtype=torch.bool)
        visible = ~occluded
        if with_labels:
            labels = run.labels()
            labelled[labels.index] = True
            occluded[labels.index] = labels.occluded
            # what the annotator took away stays away: the estimate of it is what the label contradicts
            visible[labels.index] = seen = labels.visible
            keypoints[labels.index] = torch.where(seen[..., None], labels.keypoints, 0.0)
            scores[labels.index] = seen.to(scores)
        index = torch.nonzero(run.standing.there(torch.device("cpu"))).flatten()
        columns = (keypoints, scores, labelled, visible, occluded)
        video = with_identities(run.video, run.folder.path)
        return cls(video, index, *(column[index] for column in columns), learnt=cycle > 0)


def _last_estimates(run: PastRun) -> tuple[int, Estimates]:
    """The cycle under way where it has estimated, else the last that was finished, never an earlier one."""
    done, path = len(run.cycles), run.folder.path
    for cycle in (done, done - 1):
        if cycle >= 0 and (estimates := run.folder.estimates(cycle)):
            return cycle, estimates
    if done:
        lost = run.folder.cycle_folder(done - 1) / "estimates.npz"
        raise InputError(f"{lost} is not there: the run's last poses are lost, restore the file")
    raise InputError(f"{path} has no estimates yet: take it up with `vatl resume {shlex.quote(str(path))}`")


def write_coco(predictions: Predictions, path: Path) -> Path:
    """COCO keypoints over video, the scores in a field of their own.

    Files, frames, instances and tracks are called as in the data set, so that it can be read in its place. v is 2, or
    of a label 1 where the keypoint is hidden; one that a label has not is 0, 0, 0.
    """
    video, instances = predictions.video, predictions.video.instances
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
    annotations = [
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
    skeleton = video.skeleton
    category = {
        "id": 1,
        "name": skeleton.name,
        "keypoints": list(skeleton.keypoints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges],
        "flip_pairs": [[skeleton.keypoints[a], skeleton.keypoints[b]] for a, b in skeleton.flip_pairs],
    }
    images = [
        {"id": i, "frame_index": number, "file_name": name}
        for i, (number, name) in enumerate(zip(_numbers(video.frames), _names(video.frames), strict=True))
    ]
    content = {"images": images, "annotations": annotations, "categories": [category]}
    write_whole(path, json.dumps(content, separators=(",", ":")))
    return path


def _ids(instances: Instances) -> list[int] | list[str]:
    """What the data set calls the instances; from 1 on where it gives them no names."""
    if list(instances.ids) == [str(i) for i in range(len(instances))]:
        return list(range(1, len(instances) + 1))
    numbers = [int(name) for name in instances.ids if re.fullmatch("0|[1-9][0-9]{0,14}", name)]
    return numbers if len(numbers) == len(instances) else list(instances.ids)


def _numbers(frames: Frames) -> Sequence[int]:
    """Which frame of their video each is: pictures may be left out between them."""
    return frames.numbers if isinstance(frames, NumberedPictures) else range(len(frames))


def _names(frames: Frames) -> list[str]:
    """What the data set calls each file, with as much of its folder as tells files of one name apart."""
    if isinstance(frames, NumberedPictures) and frames.names is not None:
        return list(frames.names)
    names = [frames.name(i) for i in range(len(frames))]
    if not isinstance(frames, PictureFiles) or len(set(names)) == len(names):
        return names
    root = os.path.commonpath([path.absolute().parent for path in frames.paths])
    return [path.absolute().relative_to(root).as_posix() for path in frames.paths]


def _rounded(values: Tensor, digits: int) -> list[list[float]]:
    return [[round(v, digits) for v in row] for row in values.double().tolist()]


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


def write_overlay(
    predictions: Predictions, path: Path, frames_per_second: float, progress: Callable[[int], None] = lambda done: None
) -> Path:
    """The video with every pose drawn over it, a colour a track; H.264."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, _drawn(predictions, progress), frames_per_second)
    return path


def _drawn(predictions: Predictions, progress: Callable[[int], None]) -> Iterator[Tensor]:
    instances, skeleton = predictions.video.instances, predictions.video.skeleton
    sizes = (instances.boxes[:, 2] * instances.boxes[:, 3]).sqrt()
    frames = predictions.video.frames
    for frame, given in enumerate(checked_pictures(frames, range(len(frames)))):
        picture = given.permute(1, 2, 0).contiguous().numpy()
        for row in torch.nonzero(instances.frame[predictions.index] == frame).flatten().tolist():
            points, i = predictions.keypoints[row].double().numpy(), int(predictions.index[row])
            colour, there = track_colour(int(instances.track[i])), predictions.visible[row].numpy()
            draw_pose(picture, points, skeleton, colour, float(sizes[i]), there)
        progress(frame + 1)
        yield torch.from_numpy(picture).permute(2, 0, 1)
