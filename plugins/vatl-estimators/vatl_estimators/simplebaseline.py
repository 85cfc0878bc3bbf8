"""SimpleBaseline: deconvolutions on a ResNet (Xiao, Wu & Wei, ECCV 2018), or on any backbone that timm has."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torchvision
from attrs.validators import ge
from torch import Tensor, nn

from vatl_core.contracts import Estimator, Maps
from vatl_core.errors import unknown
from vatl_core.video import Skeleton
from vatl_estimators.compiling import Compilable
from vatl_estimators.deconvolutions import HEAD_WIDTH, begin_small, deconvolutions
from vatl_estimators.families import ALPHAPOSE, mmpose_name, on_coco, resnet_name
from vatl_estimators.input_size import DEEPEST_STRIDE, check_input_size
from vatl_estimators.public import imagenet, mmpose
from vatl_estimators.timm_backbone import TimmBackbone
from vatl_weights import Download, Origin, Trunk

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
_TIMM = "timm:"


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class SimpleBaseline(Compilable):
    """Three deconvolutions and a 1×1 convolution on a backbone of stride 32, or as many as lead to stride 4.

    A backbone's stride is halved while that is even and at least 8: heatmaps have stride 4 with one of 4, 8, 16, 32 or
    64, 7 with one of 7 or 14, and 2 with one of 2.

    Attributes:
        backbone: ``resnet18`` … ``resnet152``, or ``timm:NAME`` for any feature backbone that timm has.
        head_width: channels of each deconvolution.
        pretrained: whether a timm backbone starts from its published weights (downloaded by timm).
        input_size: height and width of the crop in pixels, multiples of the backbone's stride: of 32 for a ResNet.
    """

    head = "final_layer"
    trunk = Trunk(("preact.",))
    forms = tuple({"backbone": name} for name in RESNETS)

    backbone: str = "resnet50"
    head_width: int = attrs.field(default=HEAD_WIDTH, validator=ge(1))
    pretrained: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.backbone.startswith(_TIMM) and self.backbone not in RESNETS:
            raise unknown("backbone", self.backbone, [*RESNETS, "timm:NAME"])
        if self.backbone in RESNETS:
            check_input_size("simplebaseline", self.input_size)

    def build(self, skeleton: Skeleton) -> None:
        """Backbone, deconvolutions and head, named as in the published checkpoints."""
        self.preact, width, stride = self._backbone()
        if self.pretrained and isinstance(self.preact, TimmBackbone):
            self.normalisation = self.preact.normalisation
        doublings = _doublings(stride)
        self.stride = stride // 2**doublings  # type: ignore[misc]  # of the backbone that was chosen
        self.deconv_layers = deconvolutions(width, self.head_width, doublings)
        self.final_layer = nn.Conv2d(self.head_width if doublings else width, len(skeleton), 1)
        begin_small(*self.deconv_layers, self.final_layer)

    def _backbone(self) -> tuple[nn.Module, int, int]:
        """The backbone, and the width and stride of its last map."""
        if self.backbone.startswith(_TIMM):
            found = TimmBackbone(self.backbone.removeprefix(_TIMM), self.pretrained, self.input_size)
            return found, found.width, found.stride
        network = getattr(torchvision.models, self.backbone)(weights=None)
        width = network.fc.in_features
        del network.fc, network.avgpool
        return _ResNet(network), width, DEEPEST_STRIDE

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/stride, W/stride), the backbone's last map averaged over space (B, D)."""
        maps = self.preact(crops)
        return Maps(self.final_layer(self.deconv_layers(maps)), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """Backbone 1, upsampling 5, head 10 times ``lr``."""
        parts = {1: self.preact, 5: self.deconv_layers, 10: self.final_layer}
        return [
            {"params": list(part.parameters()), "lr": rate * lr}
            for rate, part in parts.items()
            if len([*part.parameters()])
        ]

    def rename(self, key: str) -> str | None:
        """As AlphaPose has it, for a parameter of its own, of MMPose's, of the authors' or of a bare backbone's."""
        if isinstance(self.preact, TimmBackbone):
            return self.preact.rename(key, "preact.")
        name = mmpose_name(key, "preact.")
        return name if name is None else resnet_name(name, "preact.")

    def convert(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """As timm's backbone has them, where it is one."""
        return self.preact.convert(tensors) if isinstance(self.preact, TimmBackbone) else tensors

    def origin(self, tensors: Mapping[str, Tensor]) -> Origin:
        """AlphaPose's if the backbone is called as there, else MMPose's or the authors'."""
        if isinstance(self.preact, TimmBackbone):
            return Origin(self.preact.normalisation)
        return ALPHAPOSE if "preact.conv1.weight" in tensors else on_coco(tensors)

    def known(self) -> Mapping[str, Download]:
        """MMPose's for the published forms, and torchvision's backbones."""
        if self.backbone.startswith(_TIMM):
            return {}
        return (mmpose(self.backbone) if self.head_width == HEAD_WIDTH else {}) | imagenet(self.backbone)


def _doublings(stride: int) -> int:
    """How often a backbone's resolution is doubled."""
    return 1 + _doublings(stride // 2) if stride >= 2 * Estimator.stride and stride % 2 == 0 else 0


class _ResNet(nn.Module):
    """torchvision's ResNet up to its last map, under the parameter names of the published checkpoints."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name, layer in network.named_children():
            self.add_module(name, layer)

    def forward(self, pictures: Tensor) -> Tensor:
        for layer in self.children():
            pictures = layer(pictures)
        return pictures
