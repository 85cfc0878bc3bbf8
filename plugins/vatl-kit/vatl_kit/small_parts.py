"""Plain parts for the runs of tests, so that a plugin's test needs nothing but vatl-core."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from vatl_core.contracts import (
    Criterion,
    Dataset,
    Estimator,
    Executor,
    Labelled,
    Labels,
    Maps,
    Oracle,
    Outcome,
    Pool,
    Recipe,
    Refined,
    Refinement,
    Request,
    Retraining,
    Selector,
    Stopping,
    Tracks,
    Trainer,
    Unlabelled,
    Window,
    attempt,
)
from vatl_core.errors import unknown
from vatl_core.records import History
from vatl_core.video import Skeleton, Video
from vatl_kit.material import stick_video


@attrs.frozen
class Sticks(Dataset):
    """One video of stick figures.

    Attributes:
        frames: its length.
    """

    frames: int = 8

    def videos(self) -> list[str]:
        return ["sticks"]

    def load(self, name: str) -> Video:
        if name not in self.videos():
            raise unknown("video", name, self.videos())
        return stick_video(self.frames)


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Small(Estimator):
    """Two strided convolutions, and one that makes heatmaps."""

    head = "last"
    input_size: tuple[int, int] = attrs.field(default=(64, 48), kw_only=True)

    def build(self, skeleton: Skeleton) -> None:
        self.first = nn.Conv2d(3, 8, 5, 2, 2)
        self.second = nn.Conv2d(8, 8, 5, 2, 2)
        self.last = nn.Conv2d(8, len(skeleton), 3, 1, 1)

    def forward(self, crops: Tensor) -> Maps:
        maps = functional.relu(self.second(functional.relu(self.first(crops))))
        return Maps(self.last(maps), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        return [{"params": list(self.parameters()), "lr": lr}]


@attrs.frozen
class Constant(Criterion):
    """The same score for all."""

    needs: ClassVar[frozenset[str]] = frozenset()

    def score(self, window: Window) -> Tensor:
        return torch.zeros_like(window.scores[:, 0])


@attrs.frozen
class First(Selector):
    """The highest scores, the lower index first."""

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        left = pool.unlabelled
        return left[torch.argsort(pool.scores[left], descending=True, stable=True)[:count]]


@attrs.frozen
class OneEpoch(Retraining):
    """Everything labelled, once."""

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        trainer.fit(estimator, labelled, Recipe(1, alike=True))
        return estimator


@attrs.frozen
class GoOn(Stopping):
    """Until the schedule runs out."""

    def decide(self, history: History) -> str | None:
        return None


@attrs.frozen
class Truth(Oracle):
    """The video's own."""

    def annotate(self, request: Request) -> Iterable[Labels]:
        truth, index = request.video.instances, request.indices
        if truth.keypoints is not None and truth.visible is not None:
            yield Labels(index, truth.keypoints[index], truth.visible[index], "truth", torch.zeros(len(index)))


@attrs.frozen
class Here(Executor):
    """In this process."""

    def map(self, work: Callable[[Any], Any], runs: Sequence[Any]) -> Generator[Outcome[Any], None, None]:
        for index, run in enumerate(runs):
            yield attempt(work, index, run)


@attrs.frozen
class Unrefined(Refinement):
    """The poses as they were estimated."""

    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Refined:
        return Refined(tracks.keypoints, torch.zeros_like(tracks.scores))


PARTS = {
    "dataset": "Sticks", "estimator": "Small", "criterion": "Constant", "selector": "First",
    "retraining": "OneEpoch", "refinement": "Unrefined", "stopping": "GoOn", "oracle": "Truth", "executor": "Here",
}  # fmt: skip
"""One of each kind."""
