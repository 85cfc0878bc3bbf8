"""Making poses consistent over time, after the pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import attrs
from torch import Tensor

from vatl_core.contracts.labelling import Labels
from vatl_core.video import Skeleton


@attrs.frozen
class Tracks:
    """A video's N instances as they were estimated one by one, all on one device.

    Attributes:
        skeleton: of K keypoints.
        frame, track: (N,) int64, the frame that an instance is in, and which individual it is.
        time: (N,) float64, seconds from the first frame where the video tells, else the frame's number.
        previous, next: (N,) int64, the same track's neighbour in time, or −1.
        boxes: (N, 4) x, y, w, h, pixels.
        keypoints: (N, K, 2) pixels.
        scores: (N, K) the heatmaps' maxima.
    """

    skeleton: Skeleton
    frame: Tensor
    track: Tensor
    time: Tensor
    previous: Tensor
    next: Tensor
    boxes: Tensor
    keypoints: Tensor
    scores: Tensor


class Refined(NamedTuple):
    """Poses after refinement.

    Attributes:
        keypoints: (N, K, 2) pixels.
        spread: (N, K) how far off each may be, pixels; zeros where nothing is said of it.
    """

    keypoints: Tensor
    spread: Tensor


class Refinement(ABC):
    """Joint decoding in time: after the pass, before the query, measuring and ``predict``."""

    candidates: int = 0
    """C, how many local maxima of each heatmap :meth:`refine` is to be shown."""

    @abstractmethod
    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Refined:
        """The poses that are queried by, measured and predicted; of labelled instances a run keeps the estimator's own.

        Args:
            tracks: what the pass found.
            candidates: (N, K, C, 3) x, y in pixels, to a part of a heatmap's, and value of the highest local maxima,
                highest first; a map with fewer repeats its highest.
            labels: everything labelled so far, on the CPU.
        """
