"""An estimator, and what its weights come with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import attrs
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from vatl_core.errors import PluginError
from vatl_core.video import Skeleton


@attrs.frozen
class Normalisation:
    """What a network expects of a picture: (pixel / 255 − mean) / std, RGB. It belongs to the checkpoint."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __call__(self, crops: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 → (B, 3, H, W) float32."""
        told = torch.tensor([self.mean, self.std]).to(crops.device, non_blocking=True)
        mean, std = (told.view(2, 1, 3, 1, 1) * 255).unbind()
        return (crops - mean) / std


class Maps(NamedTuple):
    """What an estimator gives of B crops in one pass.

    Attributes:
        heatmaps: (B, K, h, w), one a keypoint.
        features: (B, D).
        extra: ``{name: (B, …)}`` what further heads give: log-variances, predicted losses.
    """

    heatmaps: Tensor
    features: Tensor
    extra: Mapping[str, Tensor] = {}


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Estimator(nn.Module, ABC):
    """A network from an instance's crop to one heatmap a keypoint, and a feature from the same pass.

    A subclass is ``@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)``: setting an attribute is
    torch's affair. It makes its layers in :meth:`build`, not in its fields.

    Attributes:
        input_size: height and width of the crop in pixels.
        normalisation: what the present weights expect of a crop.
    """

    stride: ClassVar[int] = 4
    """Input pixels to a heatmap pixel."""
    head: ClassVar[str]
    """The module with one output channel a keypoint, whose channels are matched by keypoint name."""

    input_size: tuple[int, int] = attrs.field(default=(256, 192), kw_only=True)
    normalisation: Normalisation = attrs.field(factory=Normalisation, init=False)

    def __attrs_pre_init__(self) -> None:
        if type(self).__setattr__ is not nn.Module.__setattr__:
            raise PluginError(
                f"estimator class {type(self).__name__} must be decorated with @attrs.define(eq=False, slots=False, "
                "on_setattr=attrs.setters.NO_OP): attrs would otherwise hide its layers from torch"
            )
        nn.Module.__init__(self)

    @abstractmethod
    def build(self, skeleton: Skeleton) -> None:
        """Make the layers for the keypoints of ``skeleton``, with random weights."""

    @abstractmethod
    def forward(self, crops: Tensor) -> Maps:
        """Normalised crops (B, 3, H, W) → heatmaps (B, K, H/stride, W/stride), features (B, D), and what else it has.

        The columns of ``extra`` have the same names in every batch.
        """

    def loss(self, maps: Maps, targets: Tensor, weights: Tensor) -> Tensor:
        """() float32, the batch's mean that training makes smaller: half the mean squared error of the heatmaps.

        Args:
            maps: of a batch, with their gradients, in the precision of the pass; further heads may learn too.
            targets: (B, K, h, w) float32, a Gaussian about each keypoint.
            weights: (B, K) float32, 0 where a keypoint is not annotated.
        """
        weight = weights[..., None, None]
        return 0.5 * mse_loss(maps.heatmaps.float() * weight, targets * weight)

    @abstractmethod
    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """The optimiser's groups: learning rates for backbone, upsampling and head, from the base rate."""

    @property
    def heatmap_size(self) -> tuple[int, int]:
        """Height and width of a heatmap."""
        return self.input_size[0] // self.stride, self.input_size[1] // self.stride
