"""torchvision's detectors of COCO's things, with their public weights."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
from torch import Tensor, nn

from vatl_core.compute import Compute
from vatl_core.errors import InputError, unknown
from vatl_core.progress import Progress
from vatl_weights import STEP_COUNTER, Download, fetch, read_weights

DETECTORS: Final = {
    "fasterrcnn": "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn-mobile": "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn-mobile-320": "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fcos": "fcos_resnet50_fpn",
    "retinanet": "retinanet_resnet50_fpn_v2",
    "ssd": "ssd300_vgg16",
    "ssdlite": "ssdlite320_mobilenet_v3_large",
}
"""What torchvision calls each."""
_HASH: Final = re.compile(r"-([0-9a-f]{8,64})\.pth$")
"""The SHA-256 in the name of a published file, or its first digits."""
_NOTHING: Final = ("__background__", "N/A")


@attrs.frozen
class Detector:
    """A detector that finds things of some classes.

    Attributes:
        name: one of :data:`DETECTORS`.
        classes: of COCO's things, by name.
        weights: a file of its parameters; None for the public one.
        by_hand: what draws boxes without it, as users type it.
    """

    name: str
    classes: Sequence[str]
    weights: Path | None = None
    by_hand: str = "vatl annotate VIDEO"

    def labels(self) -> list[int]:
        """What its network calls the classes.

        Raises:
            InputError: there is no such class.
        """
        categories = _public(self.name).meta["categories"]
        number = {category: i for i, category in enumerate(categories) if category not in _NOTHING}
        for name in self.classes:
            if name not in number:
                raise unknown(f"class of detector '{self.name}'", name, number)
        return [number[name] for name in self.classes]

    def identity(self) -> str:
        """The same for the same parameters."""
        if self.weights is None:
            return self.download().sha256
        if not self.weights.is_file():
            raise InputError(f"{self.weights} does not exist: give the detector's weights as detector_weights")
        with self.weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def download(self) -> Download:
        """Where the public parameters are."""
        url = _public(self.name).url
        digits = _HASH.search(url)
        if digits is None:
            raise InputError(f"{url} does not tell its SHA-256: fetch it, and give the file as detector_weights")
        return Download(url, digits[1])

    def build(self, compute: Compute, progress: Progress) -> nn.Module:
        """The network, ready to detect: from (3, H, W) pictures to boxes, labels and scores of each.

        Raises:
            InputError: its parameters cannot be had, or are another network's.
        """
        from torchvision.models import get_model

        path = self.weights or self._fetched(progress)
        network: nn.Module = get_model(DETECTORS[self.name], weights=None, weights_backbone=None)
        _load(network, path, self.name)
        compute.place(network.eval())
        if compute.bfloat16:
            _halve(network, compute)
        return network

    def _fetched(self, progress: Progress) -> Path:
        try:
            return fetch(self.download(), progress=progress)
        except InputError as error:
            raise InputError(
                f"detector '{self.name}': {error}, or do without: draw boxes (`{self.by_hand}`)"
            ) from error


def _public(name: str) -> Any:
    from torchvision.models import get_model_weights

    if name not in DETECTORS:
        raise unknown("detector", name, ["none", *DETECTORS])
    return get_model_weights(DETECTORS[name]).COCO_V1


def _load(network: nn.Module, path: Path, name: str) -> None:
    tensors = read_weights(path).tensors
    try:
        differing = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:  # of another shape
        raise _foreign(path, name, str(error).splitlines()[-1].strip()) from error
    missing = [key for key in differing.missing_keys if not key.endswith(STEP_COUNTER)]
    if missing:
        raise _foreign(path, name, f"{len(missing)} parameters are missing, first {missing[0]}")
    if differing.unexpected_keys:
        raise _foreign(path, name, f"{differing.unexpected_keys[0]} is none of its parameters")


@attrs.define(eq=False)
class _Bfloat16:
    """A part of a network whose forward pass runs in bfloat16 and whose output does not.

    Boxes in bfloat16 would lie on a grid of 8 pixels at the right edge of a wide picture.
    """

    forward: Callable[[Tensor], Tensor | dict[str, Tensor]]
    compute: Compute

    def __call__(self, pictures: Tensor) -> Tensor | dict[str, Tensor]:
        with self.compute.autocast():
            features = self.forward(pictures)
        if isinstance(features, Tensor):
            return features.float()
        return OrderedDict((name, feature.float()) for name, feature in features.items())


def _halve(network: nn.Module, compute: Compute) -> None:
    """Let those parts of a detector run in bfloat16 that take the most time and place no box."""
    roi_heads: Any = getattr(network, "roi_heads", None)
    for part in (network.backbone, *([roi_heads.box_head] if roi_heads else [])):
        part.forward = _Bfloat16(part.forward, compute)


def _foreign(path: Path, name: str, reason: str) -> InputError:
    return InputError(f"weights {path} are not those of detector '{name}' with COCO's 91 classes: {reason}")
