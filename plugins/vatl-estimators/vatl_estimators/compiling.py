"""Estimators whose calls torch compiles, as long as that works."""

from __future__ import annotations

import sys
from typing import Any

import attrs
import torch
from attrs.validators import in_
from torch import Tensor

from vatl_core.contracts import Estimator
from vatl_core.plugins import describe
from vatl_estimators.compiled_calls import CompiledCalls, Mode


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Compilable(Estimator):
    """An estimator whose passes and training steps torch may compile (Ansel et al., ASPLOS 2024).

    They are compiled once a run, whatever the number of crops; weights, names and files are the same. On CUDA, training
    steps are recorded as graphs besides, since small ones wait for their launches. The first calls wait for all that,
    so it pays in long runs. Where it fails, the estimator goes on without.

    Attributes:
        compiled: ``on``, ``off``, or ``auto``: on a GPU.
    """

    compiled: str = attrs.field(default="off", validator=in_(("auto", "on", "off")), kw_only=True)
    _calls: CompiledCalls = attrs.field(factory=CompiledCalls, init=False, repr=False)

    def __call__(self, crops: Tensor) -> Any:
        """As any network; compiled from the first call on if it is to be."""
        if not self._compiles(crops):
            return super().__call__(crops)
        mode = self._calls.mode(self, crops)
        try:
            return self._calls(self, crops, mode)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the compiler stumbles over, or the network itself, which then does again
            why = describe(error.__cause__ or error)[:200]
        return self._with_less(crops, mode, why)

    def _compiles(self, crops: Tensor) -> bool:
        wanted = self.compiled == "on" or (self.compiled == "auto" and crops.device.type == "cuda")
        return wanted and not torch.compiler.is_compiling()  # somebody else compiles or exports it

    def _with_less(self, crops: Tensor, mode: Mode, why: str) -> Any:
        """What it gives of crops without what has failed; the next calls go without, too, unless that fails as well."""
        before = self.compiled, self._calls
        self._calls = CompiledCalls(records=False)
        words = "recorded as CUDA graphs here and goes on compiled"
        if mode is Mode.LAUNCHED:
            self.compiled, words = "off", "compiled here and goes on as it is"
        try:
            found = self(crops)
        except Exception:
            self.compiled, self._calls = before
            raise
        print(f"vatl: {type(self).__name__} cannot be {words}: {why}", file=sys.stderr)
        return found
