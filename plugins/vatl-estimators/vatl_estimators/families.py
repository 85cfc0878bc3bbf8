"""The families of published checkpoints: what they call a parameter, and what they leave unsaid.

A file of AlphaPose's, of the HRNet authors', of MMPose's or of DeepLabCut's holds bare tensors. Which pixels the
network expects, and which keypoints its channels are, follows from the family alone, and the family from the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from torch import Tensor

from vatl_core.contracts import Normalisation
from vatl_core.video import PERSON_17
from vatl_weights import Origin

ALPHAPOSE: Final = Origin(Normalisation((0.406, 0.457, 0.480), (1.0, 1.0, 1.0)))
"""AlphaPose and VATL4Pose: a mean but no deviation; trained on one of several skeletons, without saying which."""

IMAGENET: Final = Origin(Normalisation())
"""Whoever trains a backbone on ImageNet; there is no head for keypoints."""

_BARE_RESNET = ("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.")
_BACKBONE = "backbone."
_HEADS = ("keypoint_head.", "head.")
_PREPROCESSOR = "data_preprocessor."
_DEEPLABCUT_BACKBONE = "backbone.model."
_DEEPLABCUT_HEAD = "heads.bodypart.heatmap_head.deconv_layers.0."


def mmpose_name(key: str, backbone: str = "") -> str | None:
    """The published name of a parameter that may bear MMPose's prefixes (0.x and 1.x).

    Args:
        key: as in the file.
        backbone: what precedes the backbone's parameters in the published names.

    Returns:
        The name; None for MMPose's picture statistics, which are no parameter.
    """
    if key.startswith(_PREPROCESSOR):
        return None
    if key.startswith(_BACKBONE):
        return backbone + key.removeprefix(_BACKBONE)
    for head in _HEADS:
        key = key.removeprefix(head)
    return key


def deeplabcut_name(key: str, head: str, left_out: tuple[str, ...]) -> str | None:
    """The published name of a parameter of DeepLabCut's SuperAnimal networks of HRNet; any other as it is.

    Args:
        key: as in the file.
        head: the module of the heatmaps in the published names.
        left_out: how those begin of what its backbone has and a network for poses has no use for.
    """
    if key.startswith(_DEEPLABCUT_HEAD):
        return f"{head}.{key.removeprefix(_DEEPLABCUT_HEAD)}"
    if not key.startswith(_DEEPLABCUT_BACKBONE):
        return key
    name = key.removeprefix(_DEEPLABCUT_BACKBONE)
    return None if name.startswith(left_out) else name


def deeplabcut_tensor(key: str, tensor: Tensor) -> Tensor:
    """The parameter of that name as a convolution's: DeepLabCut's head is one of 1×1 that is transposed."""
    return tensor.transpose(0, 1) if key == f"{_DEEPLABCUT_HEAD}weight" else tensor


def resnet_name(key: str, backbone: str) -> str:
    """The published name of a ResNet's parameter that may stand in a file where nothing precedes it.

    Args:
        key: as in the file.
        backbone: what precedes the backbone's parameters in the published names.
    """
    return backbone + key if key.startswith(_BARE_RESNET) else key


def is_mmpose(keys: Iterable[str]) -> bool:
    """Whether a checkpoint with these parameters is MMPose's."""
    return any(key.startswith(_BACKBONE) for key in keys)


def on_coco(tensors: Mapping[str, Tensor]) -> Origin:
    """What MMPose's and the HRNet authors' weights expect: ImageNet's pixels and, with 17 channels, COCO's people."""
    channels = [len(tensor) for key, tensor in tensors.items() if key.endswith("final_layer.bias")]
    return Origin(Normalisation(), PERSON_17.keypoints if channels == [len(PERSON_17)] else None)
