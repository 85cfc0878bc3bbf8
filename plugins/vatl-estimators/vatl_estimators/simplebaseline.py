"""SimpleBaseline: deconvolutions on a ResNet (Xiao, Wu & Wei, ECCV 2018), or on any backbone that timm has."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torchvision
from attrs.validators import ge
from torch import Tensor, nn

from vatl_core.contracts import Estimator, Maps, Normalisation
from vatl_core.errors import InputError, unknown
from vatl_core.video import Skeleton
from vatl_estimators.families import ALPHAPOSE, mmpose_name, on_coco, resnet_name
from vatl_estimators.input_size import check_input_size
from vatl_estimators.public import imagenet, mmpose
from vatl_weights import Download, Origin, Trunk

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
HEAD_WIDTH = 256
"""Channels of each deconvolution, as published."""
_TIMM = "timm:"


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class SimpleBaseline(Estimator):
    """Three deconvolutions and a 1×1 convolution on a backbone of stride 32.

    Attributes:
        backbone: ``resnet18`` … ``resnet152``, or ``timm:NAME`` for any feature backbone of stride 32 that timm has.
        head_width: channels of each deconvolution.
        pretrained: whether a timm backbone starts from its published weights (downloaded by timm).
        input_size: height and width of the crop in pixels, multiples of 32.
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
        check_input_size("simplebaseline", self.input_size)

    def build(self, skeleton: Skeleton) -> None:
        """Backbone, deconvolutions and head, named as in the published checkpoints."""
        self.preact, width = self._backbone()
        if self.pretrained and isinstance(self.preact, TimmBackbone):
            self.normalisation = self.preact.normalisation
        layers: list[nn.Module] = []
        for channels in (width, self.head_width, self.head_width):
            layers += [
                nn.ConvTranspose2d(channels, self.head_width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(self.head_width),
                nn.ReLU(inplace=True),
            ]
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(self.head_width, len(skeleton), 1)
        for layer in [*self.deconv_layers, self.final_layer]:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=0.001)

    def _backbone(self) -> tuple[nn.Module, int]:
        if self.backbone.startswith(_TIMM):
            return _timm_backbone(self.backbone.removeprefix(_TIMM), self.pretrained)
        network = getattr(torchvision.models, self.backbone)(weights=None)
        width = network.fc.in_features
        del network.fc, network.avgpool
        return _ResNet(network), width

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/4, W/4), the backbone's last map averaged over space (B, D)."""
        maps = self.preact(crops)
        return Maps(self.final_layer(self.deconv_layers(maps)), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """Backbone 1, upsampling 5, head 10 times ``lr``."""
        return [
            {"params": list(self.preact.parameters()), "lr": lr},
            {"params": list(self.deconv_layers.parameters()), "lr": 5 * lr},
            {"params": list(self.final_layer.parameters()), "lr": 10 * lr},
        ]

    def rename(self, key: str) -> str | None:
        """As AlphaPose has it, for a parameter of its own, of MMPose's, of the authors' or of a bare backbone's."""
        if isinstance(self.preact, TimmBackbone):
            return self.preact.rename(key, "preact.")
        name = mmpose_name(key, "preact.")
        return name if name is None else resnet_name(name, "preact.")

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


class TimmBackbone(nn.Module):
    """The last map of a timm backbone.

    Attributes:
        network: what timm made, with features only.
        normalisation: what its published weights expect.
    """

    def __init__(self, network: nn.Module, normalisation: Normalisation) -> None:
        super().__init__()
        self.network = network
        self.normalisation = normalisation

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, C, H/32, W/32)."""
        last: Tensor = self.network(pictures)[-1]
        return last

    def rename(self, key: str, prefix: str) -> str:
        """The name of a parameter of a bare file of timm's, where a stage may be called ``stages.0``, not ``stages_0``.

        Args:
            key: as in the file.
            prefix: of this module within its network.
        """
        own = {name for name, _ in self.network.named_children()}
        for name in (key, key.replace(".", "_", 1)):
            if name.partition(".")[0] in own:
                return f"{prefix}network.{name}"
        return key


def _timm_backbone(name: str, pretrained: bool) -> tuple[TimmBackbone, int]:
    """A timm backbone and the width of its last map."""
    try:
        import timm
    except ImportError as error:
        raise InputError(
            f"backbone timm:{name} needs the library timm: install it with `pip install vatl-estimators[timm]`"
        ) from error
    if name not in timm.list_models(name):
        raise unknown("timm backbone", name, timm.list_models(f"*{name[:6]}*") or timm.list_models("resnet*"))
    try:
        network = timm.create_model(name, features_only=True, pretrained=pretrained)
    except Exception as error:  # whatever timm's hub, its cache or the network has to say
        raise InputError(f"backbone timm:{name} cannot be made: {str(error).splitlines()[0]}") from error
    if network.feature_info.reduction()[-1] != 32:
        raise InputError(f"backbone timm:{name} has stride {network.feature_info.reduction()[-1]}: 32 is needed")
    expected = network.default_cfg
    normalisation = Normalisation(tuple(expected["mean"]), tuple(expected["std"]))
    return TimmBackbone(network, normalisation), network.feature_info.channels()[-1]
