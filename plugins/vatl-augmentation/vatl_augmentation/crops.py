"""Rotated, scaled, shifted and mirrored crops in another light."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import attrs
import torch
from attrs.validators import ge, le, lt
from torch import Tensor

from vatl_augmentation.halves import around_halves
from vatl_core.compute import onto
from vatl_core.contracts import Augmentation
from vatl_core.video import Skeleton


@attrs.frozen
class CropAugmentation(Augmentation):
    """Random changes of a training crop; by default as the method's authors made them.

    Attributes:
        rotation: degrees; drawn from a normal distribution of this deviation, clipped at twice it (as published).
        rotated: share of the samples that are rotated.
        scale: relative; drawn likewise about 1, clipped at 1 ± it.
        flip: share of the samples that are mirrored.
        half_body: share of the samples whose crop is laid around half of the body.
        shift: relative to the crop's size, at the most, evenly.
        colour: relative change of brightness and of contrast, at the most, evenly.
    """

    rotation: float = attrs.field(default=40.0, validator=ge(0))
    rotated: float = attrs.field(default=0.6, validator=[ge(0), le(1)])
    scale: float = attrs.field(default=0.3, validator=[ge(0), lt(1)])
    flip: float = attrs.field(default=0.5, validator=[ge(0), le(1)])
    half_body: float = attrs.field(default=0.0, validator=[ge(0), le(1)])
    shift: float = attrs.field(default=0.0, validator=[ge(0), lt(1)])
    colour: float = attrs.field(default=0.0, validator=[ge(0), lt(1)])

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(B, 10): two normal deviates, then uniform ones; what is not changed is not drawn."""
        drawn = torch.zeros(10, count)
        drawn[:2] = torch.randn(2, count, generator=generator)
        drawn[2:4] = torch.rand(2, count, generator=generator)
        wanted = (self.half_body, self.shift, self.colour)
        for first, share in zip((4, 6, 8), wanted, strict=True):
            if share:
                drawn[first : first + 2] = torch.rand(2, count, generator=generator)
        return drawn.T

    def place(
        self, drawn: Tensor, keypoints: Tensor, visible: Tensor, skeleton: Skeleton, size: tuple[int, int]
    ) -> Tensor:
        """Where nobody says which keypoints are left and right, nothing is mirrored."""
        scale = (1 + drawn[:, 0] * self.scale).clamp(1 - self.scale, 1 + self.scale)
        degrees = (drawn[:, 1] * self.rotation).clamp(-2 * self.rotation, 2 * self.rotation)
        angle = torch.deg2rad(degrees * (drawn[:, 2] < self.rotated))
        mirrored = (drawn[:, 3] < self.flip) & bool(skeleton.flip_pairs)
        change = _about_centre(angle, scale, mirrored, size)
        if self.shift:
            extent = onto(drawn.device, torch.tensor([size[1], size[0]], dtype=drawn.dtype))
            change[:, :, 2] += (2 * drawn[:, 6:8] - 1) * self.shift * extent
        if not self.half_body:
            return change
        half = torch.where(drawn[:, 4] < self.half_body, 1 + (drawn[:, 5] < 0.5).long(), 0)
        return around_halves(change, keypoints, visible, half, size)

    def light(self, drawn: Tensor, crops: Tensor) -> Tensor:
        """Brighter or darker, and with more or less contrast about the crop's mean."""
        if not self.colour:
            return crops
        brightness, contrast = (1 + (2 * drawn[:, 8:10].T - 1) * self.colour)[..., None, None, None]
        mean = crops.float().mean((1, 2, 3), keepdim=True)
        lit: Tensor = (crops - mean) * contrast + mean * brightness
        return lit.clamp(0, 255).to(torch.uint8)


def _about_centre(angle: Tensor, scale: Tensor, mirrored: Tensor, size: tuple[int, int]) -> Tensor:
    """Rotation, scaling and mirroring about a crop's centre, (B, 2, 3)."""
    sine, cosine = torch.sin(angle) * scale, torch.cos(angle) * scale
    side = torch.where(mirrored, -1.0, 1.0)
    linear = torch.stack([torch.stack([cosine * side, -sine], -1), torch.stack([sine * side, cosine], -1)], 1)
    centre = onto(angle.device, torch.tensor([size[1] / 2 - 0.5, size[0] / 2 - 0.5], dtype=angle.dtype))
    return torch.cat([linear, (centre - linear @ centre)[..., None]], 2)


LEVELS: Final = MappingProxyType(
    {
        "none": None,
        "mild": CropAugmentation(rotation=10, rotated=1, scale=0.1, shift=0.08, colour=0.2),
        "strong": CropAugmentation(),
        "any": CropAugmentation(rotation=180, rotated=1, scale=0.1, shift=0.08, colour=0.2),
    }
)
"""Changes by how strong they are: light ones, the published, and every rotation, for views from above."""
