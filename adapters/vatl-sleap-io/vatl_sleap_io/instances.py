"""A project's instances as columns: what is kept, what is dropped and why."""

from __future__ import annotations

from typing import Final

import numpy as np
import sleap_io
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import Instances, boxes_around
from vatl_formats import Mask, OnPictures, Sieve, again, at_least, neighbours_in_time
from vatl_sleap_io.footage import Footage, numbers_of
from vatl_sleap_io.project import Project

Listed = list[tuple[sleap_io.LabeledFrame, sleap_io.Instance]]

REPLACED: Final = "predicted, and labelled by a user too"
"""Why a prediction is left out."""
PREDICTED: Final = ("boxes", "truth", "none")
"""What becomes of instances that a program predicted: boxes without truth, instances like a user's, or nothing."""


def instances_of(
    project: Project, video: sleap_io.Video, footage: Footage, predicted: str, extent: float | None = None
) -> tuple[Instances, dict[str, int], dict[int, str]]:
    """The instances in order of frame, then of the file, what was dropped, and who labelled which.

    Args:
        project: what holds them.
        video: whose they are.
        footage: its pictures.
        predicted: one of :data:`PREDICTED`.
        extent: pixels that a side of a box has at least; None for boxes as they are.

    Raises:
        InputError: a track is twice in a frame, an instance is on a frame without picture, nothing is left, or users
            labelled one individual twice.
    """
    dropped: dict[str, int] = {}
    numbers = numbers_of(video)
    listed = _wanted(_listed(project, video, numbers), project.nodes, predicted, dropped)
    listed, keypoints, visible, boxes = _placed(listed, len(project.nodes), dropped, extent)
    left = _once(project, listed, boxes, dropped)
    listed, keypoints, visible, boxes = [listed[i] for i in left.tolist()], keypoints[left], visible[left], boxes[left]
    if not listed:
        reasons = "".join(f"; {count} dropped: {reason}" for reason, count in dropped.items())
        raise InputError(f"{project.path} has no instances to estimate{reasons}: check its annotations")
    number = torch.tensor([_number(frame, numbers) for frame, _ in listed], dtype=torch.int64)
    track = torch.tensor(_tracks(project, listed), dtype=torch.int64)
    _check_tracks(project, listed, number, track)
    known = torch.from_numpy(~_automatic(listed) | (predicted == "truth"))
    truth = (keypoints.float(), visible & known[:, None], known) if known.any() else ()
    instances = Instances(
        torch.tensor(_places(project, number.tolist(), footage), dtype=torch.int64),
        track,
        boxes.float(),
        *neighbours_in_time(number, track),  # by the project's numbers: frames without a picture still lie between
        _ids(number.tolist()),
        *truth,
    )
    return instances, dropped, dict.fromkeys(np.flatnonzero(~_automatic(listed)).tolist(), project.path.name)


def _number(frame: sleap_io.LabeledFrame, numbers: list[int] | None) -> int:
    return int(frame.frame_idx) if numbers is None else numbers[int(frame.frame_idx)]


def _listed(project: Project, video: sleap_io.Video, numbers: list[int] | None) -> Listed:
    frames = sorted((f for f in project.labels if f.video is video), key=lambda frame: _number(frame, numbers))
    return [(frame, instance) for frame in frames for instance in frame.instances]


def _wanted(listed: Listed, nodes: list[str], predicted: str, dropped: dict[str, int]) -> Listed:
    """Those of the skeleton; a prediction that a user has taken over or corrected is not there twice."""
    sieve = Sieve.of(len(listed), dropped)
    sieve.drop(_mask([i.skeleton.node_names != nodes for _, i in listed]), "of another skeleton than the first")
    frames = {id(frame): frame for frame, _ in listed}.values()
    unused = {id(instance) for frame in frames for instance in frame.unused_predictions}
    replaced = _automatic(listed) & _mask([id(instance) not in unused for _, instance in listed])
    sieve.drop(replaced, REPLACED)
    if predicted == "none":
        sieve.drop(_automatic(listed), "predicted, not labelled by a user")
    return [listed[i] for i in sieve.left]


def _automatic(listed: Listed) -> Mask:
    return _mask([isinstance(instance, sleap_io.PredictedInstance) for _, instance in listed])


def _mask(values: list[bool]) -> Mask:
    return np.array(values, dtype=np.bool_)


def _placed(
    listed: Listed, count: int, dropped: dict[str, int], extent: float | None
) -> tuple[Listed, Tensor, Tensor, Tensor]:
    """Those with a box around their points, with keypoints (n, K, 2), visible (n, K) and boxes (n, 4)."""
    points = np.array([instance.numpy() for _, instance in listed], dtype=np.float64)
    keypoints = torch.from_numpy(points.reshape(len(listed), count, 2))
    visible = keypoints.float().isfinite().all(-1)
    keypoints = keypoints.where(visible[..., None], 0.0)
    boxes = torch.from_numpy(at_least(boxes_around(keypoints, visible).numpy(), extent))
    sieve = Sieve.of(len(listed), dropped)
    sieve.drop(~visible.any(1).numpy(), "no point placed")
    sieve.drop((boxes[:, 2:].float() <= 0).any(1).numpy(), "box without area")
    left = torch.from_numpy(sieve.left)
    return [listed[i] for i in sieve.left], keypoints[left], visible[left], boxes[left]


def _once(project: Project, listed: Listed, boxes: Tensor, dropped: dict[str, int]) -> Tensor:
    """Which are left: no prediction of whom a user labelled in the frame, be there no track or link to tell."""
    sieve, users = Sieve.of(len(listed), dropped), ~_automatic(listed)
    if users.any() and not users.all():
        frame = np.array([int(frame.frame_idx) for frame, _ in listed], dtype=np.int64)
        there = OnPictures(frame, boxes.double().numpy(), [_track(instance) for _, instance in listed], users)
        if found := there.twice():
            number = listed[found[1]][0].frame_idx
            said = f"users labelled one instance of frame {number} twice: delete one, or give each a track of its own"
            raise InputError(f"{project.path}: {said}")
        sieve.drop(there.taken_over(), REPLACED)
    return torch.from_numpy(sieve.left)


def _track(instance: sleap_io.Instance) -> int | None:
    return None if instance.track is None else id(instance.track)


def _tracks(project: Project, listed: Listed) -> list[int]:
    """The place of each instance's track among the project's; one of its own where it has none."""
    place = {id(track): i for i, track in enumerate(project.labels.tracks)}
    return [place.get(id(instance.track), len(place) + i) for i, (_, instance) in enumerate(listed)]


def _check_tracks(project: Project, listed: Listed, number: Tensor, track: Tensor) -> None:
    twice = np.flatnonzero(again(number.numpy(), track.numpy()))
    if len(twice):
        frame, instance = listed[int(twice[0])]
        raise InputError(
            f"{project.path}: track '{instance.track.name}' is twice in frame {frame.frame_idx}: correct one of them"
        )


def _places(project: Project, numbers: list[int], footage: Footage) -> list[int]:
    places = footage.places(numbers)
    for place, number in zip(places, numbers, strict=True):
        if place < 0:
            raise InputError(
                f"{project.path}: frame {number} has instances, but no picture among the {len(footage.frames)} of its "
                "video: is it the right one, and complete?"
            )
    return places


def _ids(numbers: list[int]) -> tuple[str, ...]:
    """The number of its frame, and its place among the instances there."""
    seen: dict[int, int] = {}
    ids = []
    for number in numbers:
        place = seen[number] = seen.get(number, -1) + 1
        ids.append(f"{number}-{place}")
    return tuple(ids)
