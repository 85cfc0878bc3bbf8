"""Where and in which precision networks run: chosen for the device, never global."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from vatl_core.errors import InputError


@attrs.frozen
class Compute:
    """A device, the precision of the forward pass on it, and the memory layout of pictures.

    Attributes:
        device: where tensors live.
        bfloat16: whether the forward pass runs under autocast to bfloat16.
        channels_last: whether pictures and convolutions keep their channels last.
    """

    device: torch.device
    bfloat16: bool = False
    channels_last: bool = False

    @classmethod
    def choose(cls, device: str = "auto", precision: str = "auto", channels_last: bool | None = None) -> Compute:
        """What the device gains from, unless the user says otherwise.

        Raises:
            InputError: there is no such device here.
        """
        place = _device(device)
        half = gains_from_bfloat16(place) if precision == "auto" else precision == "bfloat16"
        return cls(place, half, place.type != "mps" if channels_last is None else channels_last)

    def autocast(self) -> AbstractContextManager[object]:
        """The context for forward passes."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()

    def place(self, network: nn.Module) -> None:
        """Move a network to the device, in the chosen layout."""
        network.to(self.device)
        network.to(memory_format=torch.channels_last if self.channels_last else torch.contiguous_format)

    def layout(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) pictures in the chosen layout."""
        return pictures.contiguous(memory_format=torch.channels_last) if self.channels_last else pictures

    def forward(self, network: Any, pictures: Tensor) -> Any:
        """What a network gives of pictures (B, 3, H, W) uint8, normalised as it expects them."""
        with self.autocast():
            return network(self.layout(network.normalisation(pictures)))

    def describe(self) -> dict[str, str]:
        """For the record of a run: device, its name, precision, layout, torch's version."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.processor()
        return {
            "device": str(self.device),
            "device_name": name or platform.machine(),
            "precision": "bfloat16" if self.bfloat16 else "float32",
            "layout": "channels_last" if self.channels_last else "contiguous",
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
        }


@attrs.define
class Stopwatch:
    """Adds up the time spent within ``with``; on CUDA by the device's own clock, so that nothing has to wait for it."""

    _passed: float = 0.0
    _spans: list[tuple[torch.cuda.Event, torch.cuda.Event]] = attrs.field(factory=list)

    @contextlib.contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Time what is done on ``device``."""
        if device.type != "cuda":
            started = time.perf_counter()
            yield
            self._passed += time.perf_counter() - started
            return
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record(torch.cuda.current_stream(device))
        yield
        end.record(torch.cuda.current_stream(device))
        self._spans.append((start, end))

    @property
    def seconds(self) -> float:
        """The sum so far; waits for the device."""
        if self._spans:
            self._spans[-1][1].synchronize()
        return self._passed + sum(float(start.elapsed_time(end)) for start, end in self._spans) / 1000


def onto(device: torch.device, tensor: Tensor) -> Tensor:
    """A tensor, of the host or there already, on the device, which nobody waits for."""
    pinned = device.type == "cuda" and tensor.device.type == "cpu"
    return (tensor.pin_memory() if pinned else tensor).to(device, non_blocking=True)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(1, device=name).device  # with its number: another thread may have another present one
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"device '{name}' cannot be used here ({first}): try --device cpu") from error


def gains_from_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 natively: CUDA since Ampere, CPUs with AVX-512 bf16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # newer than our oldest torch
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False
