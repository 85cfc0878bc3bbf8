"""SE-ResNet as AlphaPose builds it: squeeze and excitation in each stage's first block, deformable if wished.

Squeeze and excitation: Hu et al., CVPR 2018. Deformable convolutions: Dai et al., ICCV 2017. Modules bear the names of
the published checkpoints.
"""

from __future__ import annotations

import attrs
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import DeformConv2d

EXPANSION = 4
"""Channels of a block's output to those of its 3×3 convolution."""
OFFSETS = 18
"""Two coordinates for each of a 3×3 kernel's positions."""
ADDED = ("se", "conv2_offset")
"""A block's modules that a plain ResNet lacks."""
STAGES = {26: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks of each stage, by the number of layers."""


class SqueezeExcitation(nn.Module):
    """Each channel scaled by what the averages of all of them suggest, without the usual bottleneck between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, width), nn.Sigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) → the same shape."""
        scaled: Tensor = maps * self.fc(maps.mean((2, 3)))[:, :, None, None]
        return scaled


@attrs.frozen
class Form:
    """What distinguishes a block from the others.

    Attributes:
        inside: channels that it is given.
        width: channels of its 3×3 convolution.
        stride: of its 3×3 convolution.
        first: whether it begins a stage: only then it widens the maps and has squeeze and excitation.
        deformable: whether its 3×3 convolution moves its sampling positions.
    """

    inside: int
    width: int
    stride: int
    first: bool
    deformable: bool


class Block(nn.Module):
    """A residual bottleneck of the form given."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        width, outside = form.width, form.width * EXPANSION
        self.conv1 = nn.Conv2d(form.inside, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2_offset = _offsets(width, form.stride) if form.deformable else None
        kind = DeformConv2d if form.deformable else nn.Conv2d
        self.conv2 = kind(width, width, 3, form.stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outside, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.se = SqueezeExcitation(outside) if form.first else None
        self.downsample = _shortcut(form.inside, outside, form.stride) if form.first else None

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inside, h, w) → (B, 4·width, h/stride, w/stride)."""
        seen = functional.relu(self.bn1(self.conv1(maps)))
        seen = functional.relu(self.bn2(self._spatial(seen)))
        seen = self.bn3(self.conv3(seen))
        if self.se is not None:
            seen = self.se(seen)
        return functional.relu(seen + (maps if self.downsample is None else self.downsample(maps)))

    def _spatial(self, maps: Tensor) -> Tensor:
        seen: Tensor = self.conv2(maps) if self.conv2_offset is None else self.conv2(maps, self.conv2_offset(maps))
        return seen


def _offsets(width: int, stride: int) -> nn.Conv2d:
    """Where a deformable convolution samples; zero at first, so that it begins as an ordinary one."""
    layer = nn.Conv2d(width, OFFSETS, 3, stride, 1)
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _shortcut(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


class SEResNet(nn.Module):
    """Four stages of strides 4 to 32.

    Args:
        depth: number of layers, one of :data:`STAGES`.
        width: channels of the first stage's 3×3 convolutions, doubled with each stage; 64 as published.
        deformable: whether the second and later stages' 3×3 convolutions are deformable.
    """

    def __init__(self, depth: int, width: int, deformable: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks = STAGES[depth]
        self.layer1 = _stage(Form(width, width, 1, True, False), blocks[0])
        self.layer2 = _stage(Form(4 * width, 2 * width, 2, True, deformable), blocks[1])
        self.layer3 = _stage(Form(8 * width, 4 * width, 2, True, deformable), blocks[2])
        self.layer4 = _stage(Form(16 * width, 8 * width, 2, True, deformable), blocks[3])

    def forward(self, crops: Tensor) -> Tensor:
        """(B, 3, H, W) → the last map (B, 32·width, H/32, W/32)."""
        maps = functional.max_pool2d(functional.relu(self.bn1(self.conv1(crops))), 3, 2, 1)
        last: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return last


def _stage(first: Form, blocks: int) -> nn.Sequential:
    other = attrs.evolve(first, inside=first.width * EXPANSION, stride=1, first=False)
    return nn.Sequential(Block(first), *(Block(other) for _ in range(blocks - 1)))
