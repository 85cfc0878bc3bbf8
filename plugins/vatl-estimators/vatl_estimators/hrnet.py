"""HRNet: a network that keeps a high-resolution branch throughout (Sun, Xiao, Liu & Wang, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import attrs
import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from vatl_core.contracts import Maps
from vatl_core.errors import InputError
from vatl_core.video import Skeleton
from vatl_estimators.compiling import Compilable
from vatl_estimators.families import (
    ALPHAPOSE,
    deeplabcut_name,
    deeplabcut_tensor,
    is_mmpose,
    mmpose_name,
    on_coco,
)
from vatl_estimators.high_resolution import Exchange, Transition
from vatl_estimators.input_size import check_input_size
from vatl_estimators.public import mmpose, superanimal
from vatl_weights import Download, Origin, Trunk

WIDTHS = (8, 18, 32, 48)
STEM = 64
"""Channels of the stem, whatever the width."""
EXCHANGES = {"stage2": 1, "stage3": 4, "stage4": 3}
"""Exchanges between the branches in each stage."""


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class HRNet(Compilable):
    """Four branches of strides 4 to 32 that exchange their maps; the heatmaps come from the finest.

    Attributes:
        width: channels of the finest branch, doubled with each halving of the resolution: 32 and 48 as published for
            poses, 18 for small machines, 8 for trials.
        alphapose: whether weights without MMPose's prefixes are AlphaPose's and not the HRNet authors'. Both give the
            parameters the same names, but the pixels that they expect differ.
        input_size: height and width of the crop in pixels, multiples of 32.
    """

    head = "final_layer"
    trunk = Trunk(
        ("conv1.", "bn1.", "conv2.", "bn2.", "layer1.", "transition", "stage"),
        left_out=tuple(f"stage4.2.fuse_layers.{coarser}." for coarser in (1, 2, 3)),
    )
    forms = ({"width": 32}, {"width": 48})

    width: int = 32
    alphapose: bool = False

    def __attrs_post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise InputError(f"estimator 'hrnet' has no width {self.width}: there are {', '.join(map(str, WIDTHS))}")
        check_input_size("hrnet", self.input_size)

    def build(self, skeleton: Skeleton) -> None:
        """Stem, stages of two, three and four branches, and head, named as in the published checkpoints."""
        self._build_stem()
        widths = [self.width * 2**i for i in range(4)]
        self.transition1 = Transition([4 * STEM], widths[:2])
        self.stage2 = _stage("stage2", widths[:2])
        self.transition2 = Transition(widths[:2], widths[:3])
        self.stage3 = _stage("stage3", widths[:3])
        self.transition3 = Transition(widths[:3], widths)
        self.stage4 = _stage("stage4", widths, outputs=1)
        self.final_layer = nn.Conv2d(self.width, len(skeleton), 1)
        nn.init.normal_(self.final_layer.weight, std=0.001)

    def _build_stem(self) -> None:
        self.conv1 = nn.Conv2d(3, STEM, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.conv2 = nn.Conv2d(STEM, STEM, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(STEM)
        self.relu = nn.ReLU(inplace=True)
        widen = nn.Sequential(nn.Conv2d(STEM, 4 * STEM, 1, bias=False), nn.BatchNorm2d(4 * STEM))
        blocks = [Bottleneck(STEM, STEM, downsample=widen), *(Bottleneck(4 * STEM, STEM) for _ in range(3))]
        self.layer1 = nn.Sequential(*blocks)

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/4, W/4), features (B, 15·width).

        The published network has no embedding. Ours is what the last exchange merges: the last maps of all four
        branches, averaged over space, finest first. Nothing of what any branch saw is left out.
        """
        maps = self._last_exchange.branch(self._four_branches(crops))
        heatmaps = self.final_layer(self._last_exchange.fuse(maps)[0])
        return Maps(heatmaps, torch.cat([m.mean((2, 3)) for m in maps], 1))

    def _four_branches(self, crops: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → the maps that the last exchange is given."""
        maps = self.relu(self.bn1(self.conv1(crops)))
        maps = self.layer1(self.relu(self.bn2(self.conv2(maps))))
        maps = self.stage2(self.transition1([maps]))
        maps = self.stage3(self.transition2(maps))
        four: list[Tensor] = self.stage4[:-1](self.transition3(maps))
        return four

    @property
    def _last_exchange(self) -> Exchange:
        return cast(Exchange, self.stage4[-1])

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """Backbone 1, last exchange 5, head 10 times ``lr``.

        The last exchange brings every resolution up to the heatmaps': it is this network's upsampling.
        """
        upsampling = list(self._last_exchange.fuse_layers.parameters())
        apart = {id(p) for p in [*upsampling, *self.final_layer.parameters()]}
        return [
            {"params": [p for p in self.parameters() if id(p) not in apart], "lr": lr},
            {"params": upsampling, "lr": 5 * lr},
            {"params": list(self.final_layer.parameters()), "lr": 10 * lr},
        ]

    def rename(self, key: str) -> str | None:
        """As published, whether in a file of the authors', of AlphaPose's, of MMPose's or of DeepLabCut's."""
        name = deeplabcut_name(key, self.head, self.trunk.left_out)
        return name and mmpose_name(name)

    def convert(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The head's as a convolution has it."""
        return {key: deeplabcut_tensor(key, tensor) for key, tensor in tensors.items()}

    def origin(self, tensors: Mapping[str, Tensor]) -> Origin:
        """MMPose's or the authors', unless the options say AlphaPose's."""
        if self.alphapose and not is_mmpose(tensors):
            return ALPHAPOSE
        return on_coco(tensors)

    def known(self) -> Mapping[str, Download]:
        """MMPose's and DeepLabCut's, for the published widths."""
        return mmpose(f"hrnet-w{self.width}") | (superanimal() if self.width == 32 else {})


def _stage(name: str, widths: list[int], outputs: int | None = None) -> nn.Sequential:
    """The exchanges of a stage; the last one makes only the first ``outputs`` branches."""
    counts = [len(widths)] * (EXCHANGES[name] - 1) + [outputs or len(widths)]
    return nn.Sequential(*(Exchange(widths, count) for count in counts))
