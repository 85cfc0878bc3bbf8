"""From a backbone's last map to heatmaps: deconvolutions that double the resolution (Xiao, Wu & Wei, ECCV 2018)."""

from __future__ import annotations

from torch import nn

HEAD_WIDTH = 256
"""Channels of each deconvolution, as published."""


def deconvolutions(inside: int, width: int, count: int) -> nn.Sequential:
    """So many deconvolutions, each with batch normalisation and a ReLU.

    Args:
        inside: channels of the map that they are given.
        width: channels of each.
        count: how many.
    """
    layers: list[nn.Module] = []
    for channels in [inside, *[width] * count][:count]:
        layers += [
            nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def begin_small(*layers: nn.Module) -> None:
    """Give all convolutions among the layers weights near 0, as published."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.001)
