"""What one pass leaves behind."""

from __future__ import annotations

import attrs
from torch import Tensor

from vatl_core.compute import Stopwatch


@attrs.frozen
class Estimates:
    """What one pass leaves behind, for N instances, on the device.

    Attributes:
        keypoints: (N, K, 2) pixels of the frame.
        scores: (N, K) the heatmaps' maxima.
        features: (N, D).
        criteria: ``{name: (N,)}``, higher = more worth labelling.
        condensed: ``{name: (N, …)}``, what criteria of the pool keep of the heatmaps.
        kept: ``{name: (N, C)}``, what of that stays on disk.
        candidates: (N, K, C, 3) x, y in pixels and value of local maxima; None where no refinement looks at them.
        spread: (N, K) how far off each keypoint may be after refinement, pixels; None before.
        passes: ``{criterion: forward passes of an instance beyond the one}``.
        scoring: how long the criteria took.
        fitting: instances that went through the network at a time, where those asked for were too many for its memory.
    """

    keypoints: Tensor
    scores: Tensor
    features: Tensor
    criteria: dict[str, Tensor] = attrs.field(factory=dict)
    condensed: dict[str, Tensor] = attrs.field(factory=dict)
    kept: dict[str, Tensor] = attrs.field(factory=dict)
    candidates: Tensor | None = None
    spread: Tensor | None = None
    passes: dict[str, int] = attrs.field(factory=dict)
    scoring: Stopwatch = attrs.field(factory=Stopwatch, repr=False, eq=False)
    fitting: int | None = None
