"""HRNet's parallel branches: maps of several resolutions that keep exchanging what they see (Sun et al., CVPR 2019).

Modules bear the names of the published checkpoints.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock

BLOCKS = 4
"""Residual blocks of a branch between two exchanges."""


def convolution(inside: int, outside: int, stride: int, *, activated: bool = True) -> nn.Sequential:
    """A 3×3 convolution with batch normalisation, and a ReLU unless what follows is a sum."""
    layers: list[nn.Module] = [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)]
    return nn.Sequential(*layers, *[nn.ReLU(inplace=True)] * activated)


class Exchange(nn.Module):
    """Residual blocks on each branch, then a sum of all branches at each branch's resolution.

    Args:
        widths: channels of each branch; every branch has half the resolution of the one before.
        outputs: how many branches, from the finest, the sum is made for.
    """

    def __init__(self, widths: list[int], outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width, width) for _ in range(BLOCKS))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(Sum(widths, target) for target in range(outputs))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """One map a branch → one map an output."""
        return self.fuse(self.branch(maps))

    def branch(self, maps: list[Tensor]) -> list[Tensor]:
        """One map a branch → the same shapes, each branch by itself."""
        return [blocks(m) for blocks, m in zip(self.branches, maps, strict=True)]

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        """One map a branch → for each output the sum of all of them at its resolution."""
        return [summed(maps) for summed in self.fuse_layers]


class Sum(nn.ModuleList):
    """All branches' maps, each brought to one branch's resolution and width.

    Args:
        widths: channels of each branch.
        target: the branch.
    """

    def __init__(self, widths: list[int], target: int) -> None:
        super().__init__(_between(widths, source, target) for source in range(len(widths)))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """One map a branch → (B, widths[target], h, w)."""
        return functional.relu(reduce(torch.add, (path(m) for path, m in zip(self, maps, strict=True))))


def _between(widths: list[int], source: int, target: int) -> nn.Module:
    """The path from a branch to another's resolution and width."""
    if source == target:
        return nn.Identity()
    if source < target:
        steps = target - source
        return nn.Sequential(
            *(convolution(widths[source], widths[source], 2) for _ in range(steps - 1)),
            convolution(widths[source], widths[target], 2, activated=False),
        )
    return nn.Sequential(
        nn.Conv2d(widths[source], widths[target], 1, bias=False),
        nn.BatchNorm2d(widths[target]),
        nn.Upsample(scale_factor=2 ** (source - target), mode="nearest"),
    )


class Transition(nn.ModuleList):
    """From the branches there are to one more, which starts from the coarsest at half its resolution.

    Args:
        before: channels of the branches there are.
        after: channels of the branches wanted: as many and one more.
    """

    def __init__(self, before: list[int], after: list[int]) -> None:
        same = [nn.Identity() if a == b else convolution(a, b, 1) for a, b in zip(before, after, strict=False)]
        super().__init__([*same, nn.Sequential(convolution(before[-1], after[-1], 2))])

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """One map a branch → the same and one of half the resolution."""
        return [layer(m) for layer, m in zip(self, [*maps, maps[-1]], strict=True)]
