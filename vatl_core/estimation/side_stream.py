"""Copies to a GPU beside what it computes."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import torch
from torch import Tensor


@attrs.define(eq=False)
class SideStream:
    """A CUDA stream beside the usual one; on other devices things are done in their turn.

    Attributes:
        device: whose.
    """

    device: torch.device
    _stream: torch.cuda.Stream | None = attrs.field(init=False, default=None)

    def catch_up(self) -> None:
        """What is asked of it from now on waits for what has been asked of the device so far."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self.device))

    def begin(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Have a tensor made there, in whichever thread; the device waits for it only once somebody asks for it."""
        if self.device.type != "cuda":
            made = work()
            return lambda: made
        if self._stream is None:
            self._stream = torch.cuda.Stream(self.device)
            self.catch_up()
        with torch.cuda.stream(self._stream):
            made, ready = work(), self._stream.record_event()
        return lambda: _awaited(made, ready)


def _awaited(made: Tensor, ready: torch.cuda.Event) -> Tensor:
    """The tensor, for the stream of whoever asks: that waits, and keeps the memory from being given away before."""
    usual = torch.cuda.current_stream(made.device)
    usual.wait_event(ready)
    made.record_stream(usual)
    return made
