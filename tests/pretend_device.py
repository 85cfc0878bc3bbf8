"""A device that is none: its tensors lie on the CPU, and every question that would make a real one wait is noted.

What a CUDA device does at once, this one does too; where CUDA would have to be waited for (`item`, a mask as an index,
a copy to the host, a copy from it that is not `non_blocking`) the operation is written down.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._pytree import tree_leaves, tree_map_only

NAME = "pretend"
aten = torch.ops.aten
SIZES_DEPEND_ON_VALUES = {
    aten.nonzero.default, aten.masked_select.default, aten._unique2.default, aten.unique_consecutive.default,
    aten.unique_dim.default, aten.bincount.default, aten.repeat_interleave.Tensor,
}  # fmt: skip
ANSWERED_ON_THE_HOST = {aten._local_scalar_dense.default, aten.equal.default, aten.is_nonzero.default}
_waits: list[str] | None = None


class OnDevice(Tensor):
    """A tensor that says it is on the device, around one of the CPU."""

    host: Tensor

    @staticmethod
    def __new__(cls, host: Tensor) -> OnDevice:
        made = Tensor._make_wrapper_subclass(
            cls, host.shape, strides=host.stride(), dtype=host.dtype, device=torch.device(NAME, 0)
        )
        made.host = host
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"OnDevice({self.host!r})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        kwargs = dict(kwargs or {})
        to_host = _leaves_the_device(function, args, kwargs)
        if to_host or _waits_for(function, args, kwargs):
            _note(function)
        if "device" in kwargs:
            kwargs["device"] = torch.device("cpu")
        result = function(*_on_host(args), **_on_host(kwargs))
        if function in ANSWERED_ON_THE_HOST or to_host:
            return result
        if isinstance(args[0] if args else None, OnDevice) and function.__name__.split(".")[0].endswith("_"):
            return args[0]  # changed where it lies
        return tree_map_only(Tensor, OnDevice, result)


def _on_host(values: Any) -> Any:
    return tree_map_only(OnDevice, lambda tensor: tensor.host, values)


def _leaves_the_device(function: Any, args: Any, kwargs: Any) -> bool:
    if function is aten.copy_.default:
        return not isinstance(args[0], OnDevice)
    return function is aten._to_copy.default and torch.device(kwargs.get("device") or NAME).type == "cpu"


def _waits_for(function: Any, args: Any, kwargs: Any) -> bool:
    if function in SIZES_DEPEND_ON_VALUES or function in ANSWERED_ON_THE_HOST:
        return True
    if function is aten.copy_.default:
        arrives = not isinstance(args[1], OnDevice)
        return arrives and not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
    if function in (aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default):
        chosen = [index for index in args[1] if index is not None]
        return any(index.dtype in (torch.bool, torch.uint8) or not isinstance(index, OnDevice) for index in chosen)
    return False


def _note(function: Any) -> None:
    if _waits is not None:
        ours = [line for line in traceback.extract_stack() if "/vatl_" in line.filename]
        where = f"{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno}" if ours else "?"
        _waits.append(f"{function} at {where}")


@cache
def device() -> torch.device:
    """The device, made known to torch once a process."""
    backend_registration._setup_privateuseone_for_python_backend(NAME)  # experimental, as torch says
    library = torch.library.Library("aten", "IMPL")
    library.impl("empty.memory_format", _empty, "PrivateUse1")
    library.impl("empty_strided", _empty_strided, "PrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    for name, make in MADE_THERE.items():
        library.impl(name, partial(_made, make), "PrivateUse1")
    device._library = library  # type: ignore[attr-defined]  # what it registers is forgotten with it
    return torch.device(NAME, 0)


def _empty(size: list[int], *_: Any, dtype: torch.dtype | None = None, **__: Any) -> OnDevice:
    return OnDevice(torch.empty(size, dtype=dtype))


def _empty_strided(size: list[int], stride: list[int], *, dtype: torch.dtype | None = None, **_: Any) -> OnDevice:
    return OnDevice(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    """How `torch.tensor(numbers, device=…)` and `new_tensor` put numbers there, which has to be waited for."""
    _note("new_tensor")
    _on_host(target).copy_(_on_host(source))
    return target


MADE_THERE = {
    "arange": aten.arange.default, "arange.start": aten.arange.start, "arange.start_step": aten.arange.start_step,
    "eye": aten.eye.default, "eye.m": aten.eye.m,
}  # fmt: skip
"""What torch would otherwise make by growing an empty tensor, which a wrapper cannot follow."""


def _made(make: Any, *sizes: Any, dtype: torch.dtype | None = None, **_: Any) -> OnDevice:
    return OnDevice(make(*sizes, dtype=dtype))


@contextmanager
def waits() -> Iterator[list[str]]:
    """What the device was waited for within the block, in any thread: an operation and the line that asked for it."""
    global _waits
    noted: list[str] = []
    _waits = noted
    try:
        yield noted
    finally:
        _waits = None


def on_device(tensor: Tensor) -> bool:
    """Whether a tensor, or one within what holds several, is on the device."""
    return any(isinstance(leaf, OnDevice) for leaf in tree_leaves(tensor))
