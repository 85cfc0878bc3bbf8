"""A plain vision transformer, the backbone of ViTPose, and what others call its parameters.

Its layers are torchvision's, and so are their names.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models.vision_transformer import EncoderBlock
from torchvision.ops import StochasticDepth

PADDING: Final = 2
"""Pixels that the pictures are widened by on each side before they are cut into patches, as published."""
_NAMES: Final = (
    (r"^(patch_embed\.proj(ection)?|conv_proj)\.", "patch_embed."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^(layers\.|encoder\.layers\.encoder_layer_)(?=\d)", "blocks."),
    (r"^(last_norm|ln1|encoder\.ln)\.", "norm."),
    (r"\.(norm|ln)(?=[12]\.)", ".ln_"),
    (r"\.attn\.qkv\.", ".self_attention.in_proj_"),
    (r"\.attn\.proj\.", ".self_attention.out_proj."),
    (r"\.(mlp\.fc1|mlp\.linear_1|ffn\.layers\.0\.0)\.", ".mlp.0."),
    (r"\.(mlp\.fc2|mlp\.linear_2|ffn\.layers\.1)\.", ".mlp.3."),
)
"""What the ViTPose authors, MMPose, timm, MAE's authors and torchvision call it → what it is called here."""
_BARE: Final = re.compile(r"(patch_embed|conv_proj|pos_embed|blocks|layers|encoder|norm|last_norm|ln1)(\.|$)")


class Form(NamedTuple):
    """How large a vision transformer is.

    Attributes:
        width: channels.
        depth: layers.
        heads: of each layer's attention, which share its channels.
        drop_path: the share of pictures that pass the last layer by in training; for earlier ones it is less.
        patch: height and width of a patch in pixels.
    """

    width: int
    depth: int
    heads: int
    drop_path: float
    patch: int = 16


class VisionTransformer(nn.Module):
    """Patches, their positions, layers of attention (Dosovitskiy et al., ICLR 2021), and a map again; no class token.

    Args:
        form: how large it is.
        grid: rows and columns of patches.
    """

    def __init__(self, form: Form, grid: tuple[int, int]) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, form.width, form.patch, form.patch, PADDING)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid[0] * grid[1], form.width))
        shares = (layer / max(1, form.depth - 1) for layer in range(form.depth))
        self.blocks = nn.Sequential(*(_block(form, share * form.drop_path) for share in shares))
        self.norm = nn.LayerNorm(form.width, eps=1e-6)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, width, H/patch, W/patch)."""
        patches = self.patch_embed(pictures)
        tokens = self.norm(self.blocks(patches.flatten(2).transpose(1, 2) + self.pos_embed))
        maps: Tensor = tokens.transpose(1, 2).reshape(patches.shape)
        return maps


def _block(form: Form, drop_path: float) -> EncoderBlock:
    """A layer; where torchvision's has dropout, it is skipped for some pictures as a whole, or nothing is done."""
    block = EncoderBlock(form.heads, form.width, 4 * form.width, dropout=0.0, attention_dropout=0.0)
    block.dropout = StochasticDepth(drop_path, "row")
    block.mlp[2], block.mlp[4] = nn.Identity(), StochasticDepth(drop_path, "row")
    return block


def transformer_name(key: str, backbone: str) -> str:
    """What a parameter is called here, by its name in a file of somebody else's; any other name as it is.

    Args:
        key: as in the file; where nothing precedes a backbone's parameters, ``backbone`` may.
        backbone: what precedes them here.
    """
    if key.startswith(backbone) or _BARE.match(key):
        name = reduce(lambda name, rule: re.sub(rule[0], rule[1], name), _NAMES, key.removeprefix(backbone))
        return backbone + name
    return key
