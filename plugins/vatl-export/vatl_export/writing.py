"""Writing a network, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vatl_core.errors import InputError
from vatl_core.files import whole

if TYPE_CHECKING:
    from vatl_export.subject import Subject

_TORCHSCRIPT: Final = (".pt", ".pth", ".ts", ".torchscript")


def check_target(path: Path, overwrite: bool) -> None:
    """Make sure that a network can be written there, before anything slow is done.

    Raises:
        InputError: the ending is no format's, its folder is not there or not ours, or something stands in the way.
    """
    if path.suffix.lower() in _TORCHSCRIPT:
        raise InputError(f"{path}: TorchScript is deprecated and not written: .pt2 is what took its place, or .onnx")
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: networks are written as .onnx or .pt2: end the name in one of them")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}: make it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: nothing may be written into {path.parent}: choose another folder")
    if os.path.lexists(path) and not overwrite:
        raise InputError(f"{path} is there already: give another name, or --overwrite")


def write(subject: Subject, path: Path) -> None:
    """Write a network to a path that :func:`check_target` approved.

    Raises:
        InputError: it cannot be written in this format; nothing was.
    """
    from vatl_export.description import description

    about = json.dumps(description(subject))
    written = FORMATS[path.suffix.lower()](subject, about)
    with whole(path) as beside:
        written(beside)


Written = Callable[[Path], None]


def _onnx(subject: Subject, about: str) -> Written:
    """ONNX, by way of torch.export."""
    import onnxscript  # noqa: F401 - what torch writes ONNX with
    import torch

    from vatl_export.description import ENTRY
    from vatl_export.network import BATCH, INPUT, OUTPUT, told_in_a_line, traced

    program = traced(subject)
    with told_in_a_line(subject, "written as ONNX (.pt2 may do)"):
        found = torch.onnx.export(
            program, input_names=[INPUT], output_names=[OUTPUT], dynamic_shapes=(BATCH,), dynamo=True, verbose=False
        )
    assert found
    found.model.metadata_props[ENTRY] = about
    return lambda path: found.save(path)


def _exported_program(subject: Subject, about: str) -> Written:
    """What torch.export.load reads, without vatl."""
    import torch

    from vatl_export.description import ENTRY
    from vatl_export.network import traced

    program = traced(subject)
    return lambda path: torch.export.save(program, path, extra_files={f"{ENTRY}.json": about})


FORMATS: Final[dict[str, Callable[[Subject, str], Written]]] = {".onnx": _onnx, ".pt2": _exported_program}
