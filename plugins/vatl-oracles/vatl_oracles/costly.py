"""The oracle ``costly``: another one's labels, with the time that a person would have taken for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import attrs
import torch
from attrs.validators import ge, lt
from torch import Tensor

from vatl_core.contracts import Answer, Labels, Request
from vatl_core.errors import InputError
from vatl_oracles.around import Around
from vatl_oracles.times import Times, read_times


@attrs.frozen
class Costly(Around):
    """Labels that cost time: so many seconds each, by keypoints, by frames, or as measured; what is given adds up.

    The seconds are added to those that the oracle inside spent, and kept with the labels: the report draws its curves
    over them, and ``budget.minutes`` counts them.

    Attributes:
        instance: seconds a label.
        keypoint: seconds for each keypoint of it that is annotated.
        frame: seconds for each frame that a cycle asks about, whoever is asked for in it: the label of the first has
            them.
        times: measured seconds: a run's folder or ``labels.sqlite``, or a CSV file with the columns ``instance`` (its
            number in the video, from 0) and ``seconds``. An instance that is not in it takes the mean of its labels.
    """

    instance: float = attrs.field(default=0.0, validator=[ge(0.0), lt(math.inf)])
    keypoint: float = attrs.field(default=0.0, validator=[ge(0.0), lt(math.inf)])
    frame: float = attrs.field(default=0.0, validator=[ge(0.0), lt(math.inf)])
    times: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))
    _measured: Times | None = attrs.field(
        init=False, eq=False, repr=False,
        default=attrs.Factory(lambda self: self.times and read_times(self.times), takes_self=True),
    )  # fmt: skip

    def __attrs_post_init__(self) -> None:
        if self.times is None and not (self.instance or self.keypoint or self.frame):
            said = "oracle 'costly': no label costs anything: set instance, keypoint or frame (seconds), or times"
            raise InputError(f"{said}; in another oracle's around, as costly,instance=20")

    def annotate(self, request: Request) -> Iterable[Answer]:
        """The answers of the oracle inside, labels with what they cost."""
        for answer in self._inside.annotate(request):
            yield self._with_cost(answer, request) if isinstance(answer, Labels) else answer

    def _with_cost(self, labels: Labels, request: Request) -> Labels:
        points = (labels.visible > 0).sum(1)
        seconds = labels.seconds + self.instance + self.keypoint * points + self.frame * opening(labels.index, request)
        if self._measured:
            seconds = seconds + torch.tensor([self._measured.of(i) for i in labels.index.tolist()])
        return attrs.evolve(labels, seconds=seconds)


def opening(index: Tensor, request: Request) -> Tensor:
    """(M,) bool, which of the labelled instances (M,) are the first of their frame in the order of a cycle's query."""
    frames, query = request.video.instances.frame, request.query.flip(0)
    first = dict(zip(frames[query].tolist(), query.tolist(), strict=True))
    numbered = zip(frames[index].tolist(), index.tolist(), strict=True)
    return torch.tensor([first.get(frame, i) == i for frame, i in numbered], dtype=torch.bool)
