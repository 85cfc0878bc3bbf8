"""How far a pose moves when its heatmaps are looked at in another way."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import and_, gt, lt
from torch import Tensor
from torch.nn import functional
from vatl_core import Criterion, Window
from vatl_core.video import decode


@attrs.frozen
class TestTime(Criterion):
    """The variance of keypoints over views of their heatmaps: shifted by part of a pixel, plain and mirrored.

    Attributes:
        shift: of the heatmaps, in their pixels, to the left, right, up and down.
    """

    __test__ = False  # its name is no test's
    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})
    shift: float = attrs.field(default=0.5, validator=and_(gt(0), lt(2)))

    def score(self, window: Window) -> Tensor:
        """(B,) mean over the keypoints, in squared heatmap pixels."""
        steps = [
            (0.0, 0.0),
            *((s, 0.0) for s in (-self.shift, self.shift)),
            *((0.0, s) for s in (-self.shift, self.shift)),
        ]
        poses = [self._pose(window.heatmaps, x, y, mirrored) for x, y in steps for mirrored in (False, True)]
        return torch.stack(poses).var(0, correction=0).sum(-1).mean(-1)

    def _pose(self, heatmaps: Tensor, x: float, y: float, mirrored: bool) -> Tensor:
        """(B, K, 2) heatmap pixels, as decoded from heatmaps (B, K, h, w) moved by (x, y), moved back."""
        height, width = heatmaps.shape[-2:]
        if x or y:
            move = heatmaps.new_tensor([[1, 0, -2 * x / (width - 1)], [0, 1, -2 * y / (height - 1)]])
            grid = functional.affine_grid(move.expand(len(heatmaps), 2, 3), list(heatmaps.shape), align_corners=True)
            heatmaps = functional.grid_sample(heatmaps, grid, padding_mode="border", align_corners=True)
        whole = heatmaps.new_tensor([0, 0, width, height]).expand(len(heatmaps), 4)
        points = decode(heatmaps.flip(-1) if mirrored else heatmaps, whole)[0]
        if mirrored:
            points = torch.stack([width - 1 - points[..., 0], points[..., 1]], dim=-1)
        return points - points.new_tensor([x, y])
