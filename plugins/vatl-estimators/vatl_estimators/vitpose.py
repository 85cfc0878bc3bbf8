"""ViTPose: a plain vision transformer and a light decoder (Xu, Zhang, Zhang & Tao, NeurIPS 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
from attrs.validators import deep_iterable, ge, gt, le, lt, optional
from torch import Tensor, nn
from torch.nn import functional

from vatl_core.contracts import Maps
from vatl_core.errors import InputError, unknown
from vatl_core.video import Skeleton
from vatl_estimators.compiling import Compilable
from vatl_estimators.deconvolutions import HEAD_WIDTH, begin_small, deconvolutions
from vatl_estimators.families import mmpose_name, on_coco
from vatl_estimators.input_size import check_input_size
from vatl_estimators.positions import fitted_positions
from vatl_estimators.public import imagenet, mmpose
from vatl_estimators.vision_transformer import Form, VisionTransformer, transformer_name
from vatl_weights import Download, Origin, Trunk

SIZES: Final = {
    "small": Form(384, 12, 12, 0.1),
    "base": Form(768, 12, 12, 0.3),
    "large": Form(1024, 24, 16, 0.5),
    "huge": Form(1280, 32, 16, 0.55),
}
"""As published."""
DECODERS: Final = ("classic", "simple")
PUBLISHED_STRIDE: Final = 4
_TORCHVISION: Final = {"base": "vit_b_16", "large": "vit_l_16"}
_BACKBONE: Final = "backbone."


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class ViTPose(Compilable):
    """A plain vision transformer; then deconvolutions, or ReLU and bilinear upsampling; then a convolution.

    Attributes:
        size: ``small``, ``base``, ``large`` or ``huge``: 384, 768, 1024 or 1280 channels in 12, 12, 24 or 32 layers.
        decoder: ``classic``: deconvolutions, two at stride 4, and a 1×1 convolution; ``simple``: ReLU, bilinear
            upsampling and a 3×3 convolution.
        stride: input pixels to a heatmap pixel; it divides the patch's side, for ``classic`` by a power of two.
        head_width: channels of each deconvolution.
        patch: height and width of a patch in pixels: 16 as published.
        depth: layers, where not as published.
        heads: of each layer's attention, where not as published: 12, 12, 16 and 16. No file tells it; the usual ViT-S,
            DeiT's and timm's, has 6.
        drop_path: share of pictures that pass the last layer by in training, falling to 0 for the first; as published
            unless given: 0.1, 0.3, 0.5 and 0.55.
        layer_decay: factor on the learning rate from each layer to the one before it; 0.75 and 0.8 are published.
        decoder_rates: learning rates of upsampling and head, in multiples of the backbone's last: 5 and 10 as with the
            other estimators; 1 and 1 as ViTPose was trained.
        input_size: height and width of the crop in pixels, multiples of the patch's side.
    """

    head = "final_layer"
    trunk = Trunk((_BACKBONE,), left_out=(f"{_BACKBONE}cls_token",))
    forms = tuple({"size": size, "decoder": decoder} for size in SIZES for decoder in DECODERS)

    size: str = "base"
    decoder: str = "classic"
    stride: int = attrs.field(default=PUBLISHED_STRIDE, validator=ge(1))  # type: ignore[misc]  # here it is an option
    head_width: int = attrs.field(default=HEAD_WIDTH, validator=ge(1))
    patch: int = attrs.field(default=16, validator=ge(8))
    depth: int | None = attrs.field(default=None, validator=optional(ge(1)))
    heads: int | None = attrs.field(default=None, validator=optional(ge(1)))
    drop_path: float | None = attrs.field(default=None, validator=optional([ge(0), lt(1)]))
    layer_decay: float = attrs.field(default=0.75, validator=[gt(0), le(1)])
    decoder_rates: tuple[float, float] = attrs.field(default=(5.0, 10.0), validator=deep_iterable(gt(0)))

    def __attrs_post_init__(self) -> None:
        if self.size not in SIZES:
            raise unknown("size", self.size, list(SIZES))
        if self.decoder not in DECODERS:
            raise unknown("decoder", self.decoder, list(DECODERS))
        check_input_size("vitpose", self.input_size, self.patch)
        if self.form.width % self.form.heads:
            raise InputError(f"estimator 'vitpose': {self.form.width} channels cannot be shared by {self.heads} heads")
        factor, rest = divmod(self.patch, self.stride)
        if rest or (self.decoder == "classic" and factor.bit_count() != 1):
            times = "by a power of two " if self.decoder == "classic" else ""
            raise InputError(f"estimator 'vitpose': stride {self.stride} must divide patch {self.patch} {times}")

    @property
    def form(self) -> Form:
        """How large its backbone is."""
        published = SIZES[self.size]
        drop_path = published.drop_path if self.drop_path is None else self.drop_path
        depth, heads = self.depth or published.depth, self.heads or published.heads
        return Form(published.width, depth, heads, drop_path, self.patch)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.input_size[0] // self.patch, self.input_size[1] // self.patch

    @property
    def upsampling(self) -> int:
        """Heatmap pixels to a side of a patch."""
        return self.patch // self.stride

    def build(self, skeleton: Skeleton) -> None:
        """Backbone, deconvolutions if any, and head."""
        self.backbone = VisionTransformer(self.form, self.grid)
        width, count, kernel = self.form.width, 0, 3
        if self.decoder == "classic":
            count, kernel = self.upsampling.bit_length() - 1, 1
        self.deconv_layers = deconvolutions(width, self.head_width, count)
        inside = self.head_width if count else width
        self.final_layer = nn.Conv2d(inside, len(skeleton), kernel, padding=kernel // 2)
        begin_small(*self.deconv_layers, self.final_layer)

    def forward(self, crops: Tensor) -> Maps:
        """(B, 3, H, W) → heatmaps (B, K, H/stride, W/stride), the backbone's map averaged over space (B, D)."""
        maps = self.backbone(crops)
        features = maps.mean((2, 3))
        if self.decoder == "simple":
            maps = functional.interpolate(functional.relu(maps), scale_factor=float(self.upsampling), mode="bilinear")
        return Maps(self.final_layer(self.deconv_layers(maps)), features)

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """By layers, as published: each by ``layer_decay`` slower than the next; vectors and positions do not decay."""
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            decays = parameter.ndim > 1 and not name.endswith("pos_embed")
            groups.setdefault((self._rate(name), decays), []).append(parameter)
        return [
            {"params": parameters, "lr": lr * rate} | ({} if decays else {"weight_decay": 0.0})
            for (rate, decays), parameters in groups.items()
        ]

    def _rate(self, name: str) -> float:
        """The learning rate of a parameter, in multiples of the backbone's last."""
        part, _, rest = name.partition(".")
        if part != _BACKBONE.rstrip("."):
            return self.decoder_rates[part == self.head]
        words = rest.split(".")
        layers = {"norm": self.form.depth + 1, "blocks": int(words[1]) + 1 if words[0] == "blocks" else 0}
        return self.layer_decay ** (self.form.depth + 1 - layers.get(words[0], 0))

    def rename(self, key: str) -> str | None:
        """As here, for a parameter of the authors', of MMPose's, or of a backbone of timm's, MAE's or torchvision's."""
        name = mmpose_name(key, _BACKBONE)
        return name and transformer_name(name, _BACKBONE)

    def convert(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """With the positions of as many patches as there are here.

        Where there is a class token, its position is its own. The authors' network has none but its position, which is
        added to all others; MMPose's has neither.
        """
        token = any(key.endswith(("cls_token", "class_token")) for key in tensors)
        shared = not token and f"{_BACKBONE}patch_embed.proj.weight" in tensors
        return {
            key: fitted_positions(tensor, self.grid, int(token or shared), shared=shared)
            if key.endswith(("pos_embed", "pos_embedding")) and tensor.ndim == 3
            else tensor
            for key, tensor in tensors.items()
        }

    def origin(self, tensors: Mapping[str, Tensor]) -> Origin:
        """MMPose's or the authors'."""
        return on_coco(tensors)

    def known(self) -> Mapping[str, Download]:
        """MMPose's for the published forms, and torchvision's backbones."""
        if self.form != SIZES[self.size]._replace(drop_path=self.form.drop_path):
            return {}
        whole = self.stride == PUBLISHED_STRIDE and (self.head_width == HEAD_WIDTH or self.decoder == "simple")
        poses = mmpose(f"vitpose-{self.size}-{self.decoder}") if whole else {}
        return poses | (imagenet(_TORCHVISION[self.size]) if self.size in _TORCHVISION else {})
