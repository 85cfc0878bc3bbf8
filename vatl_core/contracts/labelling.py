"""Who knows the true keypoints, what is asked, and what may be answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.video import Video


@attrs.frozen
class Labels:
    """What an oracle answered for M instances.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels.
        visible: (M, K) bool, which keypoints are annotated, hidden ones whose place is known included.
        annotator: who; several are joined by commas.
        seconds: (M,) time spent on each; zeros where nobody spent any.
        occluded: (M, K) bool, which of the annotated keypoints are hidden in the picture.
        moved: (M,) how many keypoints differ from the proposal that the annotator began with.
        proposals: (M, K, 2) pixels, that proposal; NaN where it was not kept.
    """

    index: Tensor
    keypoints: Tensor
    visible: Tensor
    annotator: str
    seconds: Tensor
    occluded: Tensor = attrs.field(default=attrs.Factory(lambda self: torch.zeros_like(self.visible), takes_self=True))
    moved: Tensor = attrs.field(default=attrs.Factory(lambda self: torch.zeros_like(self.index), takes_self=True))
    proposals: Tensor = attrs.field(
        default=attrs.Factory(lambda self: torch.full_like(self.keypoints, torch.nan), takes_self=True)
    )


@attrs.frozen
class Redrawn:
    """An instance's box was wrong, says the ``annotator``; from the next pass on it is estimated in this one.

    Attributes:
        box: x, y, width, height in pixels, with an area.
    """

    index: int
    box: tuple[float, float, float, float]
    annotator: str


@attrs.frozen
class Refusal:
    """An instance that gets no label from the ``annotator``, and is not asked for again.

    Attributes:
        absent: nobody is there: it is no instance at all, and counts nowhere any more.
    """

    index: int
    annotator: str
    absent: bool = False


@attrs.frozen
class Enough:
    """No more is going to be labelled, says the ``annotator``: what was answered is learnt from, then the run ends."""

    annotator: str


Answer = Labels | Redrawn | Refusal | Enough
"""What an oracle may say."""


@attrs.frozen
class Request:
    """What is asked of an oracle in one cycle.

    Attributes:
        video: with its truth, where it has any.
        cycle: from 0.
        query: (q,) everything this cycle asks for, in the order of asking.
        indices: (m,) those of the query that have not been answered: all but after an interruption.
        proposals: (m, K, 2) the estimator's keypoints of ``indices``, pixels.
        scores: (m, K) the heatmaps' maxima there.
        labels: everything labelled so far, this cycle's answers from before an interruption included.
        folder: of the cycle, in the run's directory; the oracle may keep files there.
    """

    video: Video
    cycle: int
    query: Tensor
    indices: Tensor
    proposals: Tensor
    scores: Tensor
    labels: Labels
    folder: Path

    def __len__(self) -> int:
        return len(self.indices)


class Oracle(ABC):
    """Who knows the true keypoints of an instance."""

    asks_people: ClassVar[bool] = False
    """Whether answers wait for somebody: then nothing tries it out without them."""

    def can_answer(self, video: Video) -> Tensor | None:
        """(N,) bool, which instances of a video with its truth it can answer for, and is asked; None for any."""
        return None

    @abstractmethod
    def annotate(self, request: Request) -> Iterable[Answer]:
        """Answers to this cycle's query, one after the other as they come.

        Each is on disk before the next is drawn, so that whoever gave it can then be told that it is safe. Another
        answer corrects the first: within its cycle the last one stands, and for an instance of an earlier cycle it
        counts as a new label of this one. The cycle goes on when the answers end; then every instance must have been
        labelled or refused, unless somebody said :class:`Enough`.

        Raises:
            InputError: it cannot answer for this video.
        """
