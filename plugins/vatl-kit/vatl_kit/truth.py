"""Whether a component goes looking for the truth: small runs that differ in nothing else, compared step by step."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any, Final

import attrs
import torch
from torch import Tensor

from vatl_core.config import ROLES
from vatl_core.cycle import Run
from vatl_core.run import start
from vatl_core.video import Video
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import Contract
from vatl_kit.material import farthest, generator, same, stick_video
from vatl_kit.small_parts import Constant, First, GoOn, OneEpoch, Small, Unrefined
from vatl_kit.small_runs import plain_registry

_ROLE: Final = {kind: role for role, kind in ROLES.items()}
_SETTINGS: Final[Mapping[str, Any]] = {
    "schedule": [4, 8], "device": "cpu", "precision": "float32", "weights": "none",
}  # fmt: skip


@attrs.frozen
class Course:
    """What two cycles of a run came to.

    Attributes:
        steps: by what they are called, in order: scores, picks, decisions, weights.
        poses: (N, K, 2) px, what was estimated before any label.
    """

    steps: dict[str, Any]
    poses: Tensor


class UnknowingContract(Contract):
    """Components that are handed no instance's truth before there is a label of it, and find no way to it."""

    def test_does_not_find_what_nobody_has_labelled(self) -> None:
        """The same pictures and labels, and a truth that is far from the estimates or just what they are."""
        with going_on(f"{self.called}: two cycles of a small run"):
            first = self._course(_elsewhere())
            second = self._course(first.poses)
            step = _parting(first.steps, second.steps)
            if step and _parting(first.steps, self._course(_elsewhere()).steps):
                return  # it differs by itself, which is another promise
        promise(
            step is None,
            f"{self.called} knows of no instance's truth before it is labelled",
            f"the same {step} whatever is true of those that have no label",
            step and _apart(first.steps.get(step), second.steps.get(step)),
            "read what the arguments hold and nothing else: no objects of the run by gc, frames or modules",
        )

    def _course(self, truth: Tensor) -> Course:
        """A run on a video of which this is true; labels are what the figures show."""
        __tracebackhide__ = True
        gc.collect()  # of an earlier run nothing is left that could be found in place of this one's
        labels = _shown()
        parts: dict[str, Any] = {
            "query": Constant(),
            "select": First(),
            "retrain": OneEpoch(),
            "refine": Unrefined(),
            "stop": GoOn(),
            "estimator": Small(),
        }
        given = {
            "video": _true(truth),
            "oracle": lambda request: labels[request.indices],
            _ROLE[self.kind]: self.fresh(),
        }
        return _carried_out(start(registry=plain_registry(), **{**_SETTINGS, **parts, **given}))


def _carried_out(run: Run) -> Course:
    steps: dict[str, Any] = {}
    poses = torch.zeros(0)
    for cycle in run:
        if cycle.number == 0:
            poses = cycle.estimates.keypoints.clone()
        for name, scores in cycle.criteria.items():
            steps[f"scores of {name} in cycle {cycle.number}"] = scores.clone()
        steps[f"query in cycle {cycle.number}"] = cycle.choose()
        if cycle.number == 1 or not cycle.query:
            break
        record = cycle.retrain()
        steps["decisions to stop"] = record.fired
        steps["weights after the first retraining"] = torch.cat(
            [tensor.flatten().float() for tensor in run.estimator.state_dict().values()]
        )
    return Course(steps, poses)


def _parting(first: Mapping[str, Any], second: Mapping[str, Any]) -> str | None:
    """The first step in which two courses differ."""
    return next((name for name in {**first, **second} if not _equal(first.get(name), second.get(name))), None)


def _equal(first: Any, second: Any) -> bool:
    both = isinstance(first, Tensor) and isinstance(second, Tensor)
    return same(first, second) if both else type(first) is type(second) and bool(first == second)


def _apart(first: Any, second: Any) -> str:
    both = isinstance(first, Tensor) and isinstance(second, Tensor)
    return farthest(first, second) if both else f"{first} and {second}"


def _shown() -> Tensor:
    """(N, K, 2) where the figures' keypoints are."""
    keypoints = stick_video().instances.keypoints
    if keypoints is None:
        raise AssertionError("the stick figures have their truth")
    return keypoints


def _elsewhere() -> Tensor:
    """(N, K, 2) where nobody would look for the keypoints."""
    shown = _shown()
    return shown + 30 * torch.randn(shown.shape, generator=generator(9))


def _true(keypoints: Tensor) -> Video:
    """The figures' pictures and boxes with another truth."""
    video = stick_video()
    return attrs.evolve(video, instances=attrs.evolve(video.instances, keypoints=keypoints))
