"""The instances that most need another look: the worst of those nobody labelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs
import torch
from torch import Tensor

from vatl_core.config_files import OBJECTS
from vatl_core.cycle import query_score
from vatl_core.estimation import Estimates
from vatl_core.metrics import oks
from vatl_core.video import Video
from vatl_report.gallery import Pose, Shot, Tile, take
from vatl_report.wording import accuracy, score

if TYPE_CHECKING:
    from vatl_core.run import PastRun

CROPS: Final = 16
"""How many are shown."""
APART: Final = 5
"""Frames between two that are shown of one track: the next frame has the same mistake in it, and tells nothing new."""


@attrs.frozen
class Remaining:
    """The worst that is left.

    Attributes:
        measure: what they are sorted by, in words.
        tiles: the worst first.
        unlabelled: how many there are to choose from.
        truth: whether the blue pose on them is the ground truth.
        apart: frames that lie between two of one track.
    """

    measure: str
    tiles: list[Tile]
    unlabelled: int
    truth: bool
    apart: int = APART


def last_estimates(past: PastRun) -> tuple[int, Estimates] | None:
    """The newest cycle whose estimates were kept, and they."""
    for record in reversed(past.cycles):
        estimates = past.folder.estimates(record.cycle)
        if estimates is not None:
            return record.cycle, estimates
    return None


def worst(past: PastRun) -> Remaining | None:
    """The worst of the last estimates that were neither labelled nor refused; None where no estimates were kept.

    Raises:
        InputError: a frame cannot be read.
    """
    found = last_estimates(past)
    if found is None:
        return None
    _, estimates = found
    rest = torch.nonzero(~past.standing.settled(torch.device("cpu"))).flatten()
    if past.video.instances.has_truth:
        return _by_truth(past, estimates, rest)
    return _by_score(past, estimates, rest)


def _by_truth(past: PastRun, estimates: Estimates, rest: Tensor) -> Remaining:
    """Lowest OKS first; instances without an annotated keypoint have no OKS that means anything."""
    instances = past.video.instances
    if instances.keypoints is None or instances.visible is None:
        raise AssertionError("asked for instances with truth")
    rest = rest[instances.annotated[rest]]
    truth, visible = instances.keypoints, instances.visible
    values = oks(estimates.keypoints, truth, visible, instances.boxes, past.video.skeleton.sigmas)
    shots = [
        Shot(
            i,
            (Pose.label(truth[i], visible[i]), Pose.estimate(estimates.keypoints[i])),
            f"OKS {accuracy(float(values[i]))}",
            bool(values[i] >= past.config.threshold),
        )
        for i in apart(past.video, rest[values[rest].argsort(stable=True)])
    ]
    return Remaining("lowest OKS against the ground truth", take(past.video, shots), len(rest), truth=True)


def _by_score(past: PastRun, estimates: Estimates, rest: Tensor) -> Remaining:
    """The most uncertain first, by the query's own criteria; by the keypoints' scores where the query had none."""
    names = [name for name in past.config.criteria if name in estimates.criteria]
    measure = "+".join(names) or "1 − mean keypoint score"
    values = _query_score(past, estimates.criteria, rest) if names else 1 - estimates.scores.mean(1)
    shown = estimates.criteria[names[0]] if len(names) == 1 else values
    shots = [
        Shot(i, (Pose.estimate(estimates.keypoints[i]),), f"{measure} {score(float(shown[i]))}")
        for i in apart(past.video, rest[values[rest].argsort(descending=True, stable=True)])
    ]
    return Remaining(f"highest {measure}", take(past.video, shots), len(rest), truth=False)


def apart(video: Video, ranked: Tensor, count: int = CROPS) -> list[int]:
    """The first ``count`` of ``ranked`` (R,) that are not close in time to an earlier one of the same track."""
    chosen: list[int] = []
    taken: dict[int, list[int]] = {}
    places = zip(
        ranked.tolist(), video.instances.track[ranked].tolist(), video.instances.frame[ranked].tolist(), strict=True
    )
    for instance, track, frame in places:
        if len(chosen) < count and all(abs(frame - other) > APART for other in taken.get(track, [])):
            chosen.append(instance)
            taken.setdefault(track, []).append(frame)
    return chosen


def shares(past: PastRun) -> dict[str, str | None]:
    """For each criterion of the query the one whose mean is its share of the sum, or None."""
    objects = past.folder.config.get(OBJECTS, {}).get("query", {})
    return {
        name: objects[name].get("share") if name in objects else past.registry.find("criterion", name).load().share
        for name in past.config.criteria
    }


def _query_score(past: PastRun, columns: Mapping[str, Tensor], rest: Tensor) -> Tensor:
    """(N,) what the next query would have ranked the ``rest`` by."""
    unlabelled = torch.zeros(len(past.video.instances), dtype=torch.bool)
    unlabelled[rest] = True
    standing = past.standing
    fraction = len(standing.asked) / standing.instances
    return query_score(columns, shares(past), unlabelled, fraction, past.config.query_weights)
