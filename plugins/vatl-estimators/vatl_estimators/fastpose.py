"""FastPose, AlphaPose's network (Fang et al., TPAMI 2022): an SE-ResNet whose channels become resolution again."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from attrs.validators import ge
from torch import Tensor, nn
from torch.nn import functional

from vatl_core.contracts import Maps
from vatl_core.errors import InputError
from vatl_core.video import Skeleton
from vatl_estimators.compiling import Compilable
from vatl_estimators.families import ALPHAPOSE, IMAGENET, resnet_name
from vatl_estimators.input_size import check_input_size
from vatl_estimators.public import imagenet
from vatl_estimators.se_resnet import ADDED, STAGES, SEResNet
from vatl_weights import Download, Origin, Trunk

PUBLISHED_WIDTH = 64
PUBLISHED_DEPTHS = (50, 101, 152)


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class FastPose(Compilable):
    """Three pixel shuffles, two of them after a convolution, and a 3×3 convolution on an SE-ResNet.

    Attributes:
        depth: layers of the SE-ResNet: 50, 101 or 152 as published, 26 for small machines.
        width: channels of its narrowest convolutions, which all others are multiples of: 64 as published.
        deformable: whether its second and later stages sample where they choose (Dai et al., ICCV 2017).
        input_size: height and width of the crop in pixels, multiples of 32.
    """

    head = "conv_out"
    trunk = Trunk(("preact.",), added=ADDED)
    forms = tuple({"depth": depth} for depth in PUBLISHED_DEPTHS)

    depth: int = 50
    width: int = attrs.field(default=PUBLISHED_WIDTH, validator=ge(1))
    deformable: bool = False

    def __attrs_post_init__(self) -> None:
        if self.depth not in STAGES:
            raise InputError(f"estimator 'fastpose' has no depth {self.depth}: there are {', '.join(map(str, STAGES))}")
        check_input_size("fastpose", self.input_size)

    def build(self, skeleton: Skeleton) -> None:
        """SE-ResNet, upsampling and head, named as in the published checkpoints."""
        self.preact = SEResNet(self.depth, self.width, self.deformable)
        self.duc1 = UpsamplingConvolution(self.width * 8, self.width * 16)
        self.duc2 = UpsamplingConvolution(self.width * 4, self.width * 8)
        self.conv_out = nn.Conv2d(self.width * 2, len(skeleton), 3, 1, 1)
        nn.init.normal_(self.conv_out.weight, std=0.001)

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/4, W/4), the SE-ResNet's last map averaged over space (B, 32·width)."""
        maps = self.preact(crops)
        fine = self.duc2(self.duc1(functional.pixel_shuffle(maps, 2)))
        return Maps(self.conv_out(fine), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """Backbone 1, upsampling 5, head 10 times ``lr``."""
        return [
            {"params": list(self.preact.parameters()), "lr": lr},
            {"params": [*self.duc1.parameters(), *self.duc2.parameters()], "lr": 5 * lr},
            {"params": list(self.conv_out.parameters()), "lr": 10 * lr},
        ]

    def rename(self, key: str) -> str | None:
        """As AlphaPose has it, also for a parameter of a bare ResNet."""
        return resnet_name(key, "preact.")

    def origin(self, tensors: Mapping[str, Tensor]) -> Origin:
        """AlphaPose's: there is no other; but a bare ResNet comes from ImageNet."""
        return ALPHAPOSE if "preact.conv1.weight" in tensors else IMAGENET

    def known(self) -> Mapping[str, Download]:
        """torchvision's backbones, which AlphaPose began its own training with."""
        published = self.width == PUBLISHED_WIDTH and self.depth in PUBLISHED_DEPTHS
        return imagenet(f"resnet{self.depth}") if published else {}


class UpsamplingConvolution(nn.Module):
    """A convolution whose output channels are laid out as twice the resolution (Shi et al., CVPR 2016)."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inside, h, w) → (B, outside/4, 2h, 2w)."""
        return functional.pixel_shuffle(functional.relu(self.bn(self.conv(maps))), 2)
