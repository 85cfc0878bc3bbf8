"""Passes that torch compiles."""

from __future__ import annotations

import sys
from typing import Any, Final

import attrs
import torch
from attrs.validators import in_
from torch import Tensor

from vatl_core.contracts import Estimator
from vatl_core.plugins import describe

BACKEND: Final = "inductor"


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Compilable(Estimator):
    """An estimator whose passes and training steps torch may compile (Ansel et al., ASPLOS 2024).

    They are compiled once a process and mode, and once more where sizes change; weights, names and files are the same.
    The first steps wait for it, so it pays in long runs. Where it fails, the estimator goes on as it is.

    Attributes:
        compiled: ``on``, ``off``, or ``auto``: on a GPU.
    """

    compiled: str = attrs.field(default="off", validator=in_(("auto", "on", "off")), kw_only=True)

    def __call__(self, crops: Tensor) -> Any:
        """As any network; compiled from the first call on if it is to be."""
        if self.compiled == "off" or (self.compiled == "auto" and crops.device.type != "cuda"):
            return super().__call__(crops)
        try:
            if self._compiled_call_impl is None:
                self.compile(backend=BACKEND)
            return super().__call__(crops)
        except Exception as error:  # whatever the compiler stumbles over, or the network itself, which then does again
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self.compiled, self._compiled_call_impl = "off", None
            found = super().__call__(crops)
            first = describe(error.__cause__ or error)[:200]
            print(f"vatl: {type(self).__name__} cannot be compiled here and goes on as it is: {first}", file=sys.stderr)
            return found
