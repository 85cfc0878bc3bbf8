"""Which poses a pass's heatmaps stand for, once all of a video's are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor


class Refinement(ABC):
    """Decodes the keypoints of a video jointly, after the pass and before anything is asked or measured."""

    @abstractmethod
    def refine(self, tracks: Any, candidates: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        """Keypoints (N, K, 2), pixels, and how uncertain each is (N, K).

        Args:
            tracks: who each instance is, and when.
            candidates: (N, K, C, 3) x, y in pixels and score of each keypoint's candidates, the best first.
            labels: of the instances that have one.
        """
