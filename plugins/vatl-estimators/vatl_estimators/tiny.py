"""A small heatmap network for the embedded data set and for quick trials."""

from __future__ import annotations

from itertools import pairwise

import attrs
from attrs.validators import ge
from torch import Tensor, nn
from torch.nn import functional

from vatl_core.contracts import Maps
from vatl_core.video import Skeleton
from vatl_estimators.compiling import Compilable
from vatl_estimators.input_size import check_input_size
from vatl_weights import Trunk


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Tiny(Compilable):
    """A residual encoder to stride 32 and a top-down path back to stride 4, about 0.6 million parameters.

    Attributes:
        width: channels at stride 4; deeper maps have up to four times as many.
        input_size: height and width of the crop in pixels, multiples of 32.
    """

    head = "final_layer"
    trunk = Trunk(("stem.", "stages."))

    width: int = attrs.field(default=32, validator=ge(4))
    input_size: tuple[int, int] = attrs.field(default=(128, 96), kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_input_size("tiny", self.input_size)

    def build(self, skeleton: Skeleton) -> None:
        """Stem to stride 4, three stages down to 32, three steps back up, the head."""
        widths = [self.width, self.width * 3 // 2, self.width * 5 // 2, self.width * 7 // 2]
        stem = [_convolution(3, self.width // 2, 2), _convolution(self.width // 2, self.width, 2)]
        self.stem = nn.Sequential(*stem, _Residual(self.width))
        self.stages = nn.ModuleList(nn.Sequential(_convolution(a, b, 2), _Residual(b)) for a, b in pairwise(widths))
        self.lateral = nn.ModuleList(nn.Conv2d(w, self.width * 3 // 2, 1) for w in widths)
        self.smooth = nn.ModuleList(_convolution(self.width * 3 // 2, self.width * 3 // 2, 1) for _ in range(3))
        self.final_layer = nn.Conv2d(self.width * 3 // 2, len(skeleton), 1)
        nn.init.normal_(self.final_layer.weight, std=0.001)

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/4, W/4), the deepest map averaged over space (B, D)."""
        maps = [self.stem(crops)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        merged = self.lateral[-1](maps[-1])
        for level in (2, 1, 0):
            merged = functional.interpolate(merged, size=maps[level].shape[-2:], mode="nearest")
            merged = self.smooth[level](merged + self.lateral[level](maps[level]))
        return Maps(self.final_layer(merged), maps[-1].mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """Encoder 1, top-down path 5, head 10 times ``lr``."""
        return [
            {"params": [*self.stem.parameters(), *self.stages.parameters()], "lr": lr},
            {"params": [*self.lateral.parameters(), *self.smooth.parameters()], "lr": 5 * lr},
            {"params": list(self.final_layer.parameters()), "lr": 10 * lr},
        ]


def _convolution(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """x + two convolutions of x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width, 1)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(maps + self.second(self.first(maps)))
