"""Any backbone of the library timm, by its last map."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from vatl_core.contracts import Normalisation
from vatl_core.errors import InputError, unknown
from vatl_estimators.input_size import check_input_size
from vatl_estimators.positions import fitted_positions


class TimmBackbone(nn.Module):
    """The last map of a timm backbone.

    Args:
        name: as timm has it.
        pretrained: whether it begins with its published weights.
        input_size: height and width of the pictures.

    Attributes:
        network: what timm made, with features only.
        width: channels of the map.
        stride: input pixels to one of its pixels.
        grid: its rows and columns.
        normalisation: what its published weights expect.

    Raises:
        InputError: there is no such backbone, or none whose map has one pixel for each so many of these pictures.
    """

    def __init__(self, name: str, pretrained: bool, input_size: tuple[int, int]) -> None:
        super().__init__()
        self.network = _made(name, pretrained, input_size)
        self.width = self.network.feature_info.channels()[-1]
        self.stride = self.network.feature_info.reduction()[-1]
        check_input_size("simplebaseline", input_size, self.stride)
        self.grid = input_size[0] // self.stride, input_size[1] // self.stride
        expected = self.network.default_cfg
        self.normalisation = Normalisation(tuple(expected["mean"]), tuple(expected["std"]))
        self._check(name, input_size)

    def _check(self, name: str, input_size: tuple[int, int]) -> None:
        """Refuse a backbone whose map is not what timm says of it."""
        training = self.training
        try:
            with torch.no_grad():
                given = tuple(self.eval()(torch.zeros(1, 3, *input_size)).shape[1:])
        except Exception as error:  # whatever a network has to say of pictures of another size than its own
            raise InputError(f"backbone timm:{name} fails at input_size {input_size}: {_first_line(error)}") from error
        self.train(training)
        if given != (self.width, *self.grid):
            wanted = f"{self.width} channels in {self.grid[0]} rows and {self.grid[1]} columns"
            raise InputError(f"backbone timm:{name} gives a map of {given} at input_size {input_size}, not {wanted}")

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, width, H/stride, W/stride)."""
        last: Tensor = self.network(pictures)[-1]
        return last.permute(0, 3, 1, 2) if getattr(self.network, "output_fmt", None) == "NHWC" else last

    def rename(self, key: str, prefix: str) -> str:
        """The name of a parameter of a bare file of timm's, where a stage may be called ``stages.0``, not ``stages_0``.

        Args:
            key: as in the file.
            prefix: of this module within its network.
        """
        inner = "network." if self._whole is self.network else "network.model."
        for name in (key, key.replace(".", "_", 1)):
            if name.partition(".")[0] in self._parts:
                return f"{prefix}{inner}{name}"
        return key

    def convert(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A bare file's, with the positions of as many patches as there are here, behind those of the other tokens."""
        own, theirs = getattr(self._whole, "pos_embed", None), tensors.get("pos_embed")
        if not isinstance(own, Tensor) or theirs is None or theirs.ndim != 3 or own.shape[1:] == theirs.shape[1:]:
            return tensors
        others = max(0, own.shape[1] - self.grid[0] * self.grid[1])
        patches = fitted_positions(theirs[:, others:], self.grid)
        return {**tensors, "pos_embed": torch.cat([theirs[:, :others].float(), patches], 1)}

    @cached_property
    def _parts(self) -> frozenset[str]:
        """The first words of its parameters' names."""
        return frozenset(name.partition(".")[0] for name in self._whole.state_dict())

    @property
    def _whole(self) -> nn.Module:
        """What timm's own names are those of."""
        whole: nn.Module = getattr(self.network, "model", self.network)
        return whole


def _made(name: str, pretrained: bool, input_size: tuple[int, int]) -> Any:
    """timm's network of that name, with features only, for pictures of that size where it must know it."""
    try:
        import timm
    except ImportError as error:
        raise InputError(
            f"backbone timm:{name} needs the library timm: install it with `pip install vatl-estimators[timm]`"
        ) from error
    if name not in timm.list_models(name):
        raise unknown("timm backbone", name, timm.list_models(f"*{name[:6]}*") or timm.list_models("resnet*"))
    fixed = getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False)
    size = {"img_size": input_size} if fixed else {}
    try:
        return timm.create_model(name, features_only=True, pretrained=pretrained, **size)
    except Exception as error:  # whatever timm's hub, its cache or the network has to say
        raise InputError(f"backbone timm:{name} cannot be made: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
