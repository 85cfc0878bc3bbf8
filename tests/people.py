"""People for the tests: oracles that answer as somebody at a screen would, and a data set that nobody labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import attrs
import torch

from tests.conftest import Sticks, stick_video
from vatl_core.contracts import Answer, Labels, Oracle, Request
from vatl_core.plugins import Component
from vatl_core.video import Video

TRUTH = stick_video().instances
"""What a person sees who looks at the sticks."""


@attrs.frozen
class Unlabelled(Sticks):
    """The stick figures as somebody's own video: boxes, and no keypoints."""

    def load(self, name: str) -> Video:
        return super().load(name).without_truth()


def label(instance: int, off: float = 0.0, who: str = "Ada", seconds: float = 4.0) -> Labels:
    """The instance's true pose, ``off`` pixels to the right, the last keypoint hidden."""
    index = torch.tensor([instance])
    assert TRUTH.keypoints is not None
    assert TRUTH.visible is not None
    hidden = torch.zeros_like(TRUTH.visible[index])
    hidden[:, -1] = True
    keypoints = TRUTH.keypoints[index] + torch.tensor([off, 0.0])
    return Labels(
        index, keypoints, TRUTH.visible[index], who, torch.tensor([seconds]), hidden, torch.tensor([2]), keypoints + 3
    )


Script = Callable[[Request], Iterator[Answer]]


@attrs.define
class Person(Oracle):
    """Does what a test says."""

    script: ClassVar[Script]

    def annotate(self, request: Request) -> Iterator[Answer]:
        return Person.script(request)


def everything(request: Request) -> Iterator[Answer]:
    """Labels whatever is asked for."""
    yield from (label(int(i)) for i in request.indices)


PERSON = Component("oracle", "person", "Somebody", "tests.people:Person")
UNLABELLED = Component("dataset", "unlabelled", "Sticks that nobody labelled", "tests.people:Unlabelled")
