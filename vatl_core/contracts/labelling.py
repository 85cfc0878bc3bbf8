"""Who knows the true keypoints, and what was answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from torch import Tensor

from vatl_core.video import Video

if TYPE_CHECKING:
    pass


@attrs.frozen
class Labels:
    """What an oracle answered.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels.
        visible: (M, K) bool.
        annotator: who.
        seconds: (M,) time spent on each; zeros where nobody spent any.
    """

    index: Tensor
    keypoints: Tensor
    visible: Tensor
    annotator: str
    seconds: Tensor


class Oracle(ABC):
    """Who knows the true keypoints of an instance."""

    @abstractmethod
    def annotate(self, video: Video, indices: Tensor, proposals: Tensor) -> Iterable[Labels]:
        """Answers for these instances, in parts as they come; each part is on disk before the next is drawn.

        Args:
            video: with its truth, where it has any.
            indices: (q,) what is asked for.
            proposals: (q, K, 2) the estimator's keypoints, pixels.

        Raises:
            InputError: it cannot answer for this video.
        """
