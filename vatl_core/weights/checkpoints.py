"""Reading and writing weights, safely: safetensors of our own, and pickles only as plain tensors."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import safetensors
import torch
from safetensors.torch import save as serialise
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.files import write_whole
from vatl_core.video import Skeleton

_ABOUT: Final = "vatl"
"""The entry of a safetensors file's metadata that says what its weights are for, as JSON."""
_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training programs put a network's parameters beside other things."""
_ARRAYS: Final[list[Any]] = [
    np.ndarray,
    np.dtype,
    *{type(np.dtype(code)) for code in np.typecodes["AllInteger"] + "?efd"},
    *((np.zeros(1).__reduce__()[0], f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *((np.float64().__reduce__()[0], f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""What NumPy's arrays and numbers are pickled as: MMPose writes its data set's sigmas beside the parameters.

They are plain data, as tensors are. Named as by NumPy 1 and by NumPy 2: files outlive the program that wrote them.
"""


@attrs.frozen
class Checkpoint:
    """Weights as they were found.

    Attributes:
        tensors: by parameter name.
        keypoints: names of the head's channels, in order; None where the file does not say.
        normalisation: None where the file does not say.
        begun_with: where a run's first weights came from; None where the file does not say.
        notes: what there was to say of that.
    """

    tensors: dict[str, Tensor]
    keypoints: tuple[str, ...] | None = None
    normalisation: Normalisation | None = None
    begun_with: str | None = None
    notes: tuple[str, ...] = ()


def save_checkpoint(
    path: Path, estimator: Estimator, skeleton: Skeleton, begun_with: str | None = None, notes: Sequence[str] = ()
) -> None:
    """Write an estimator's weights, with its keypoints' names and its normalisation, whole or not at all.

    Args:
        path: a safetensors file.
        estimator: on any device.
        skeleton: whose keypoints its channels are.
        begun_with, notes: of a run's first weights, where they came from and what there was to say of that.
    """
    about: dict[str, Any] = {"keypoints": skeleton.keypoints, "normalisation": attrs.asdict(estimator.normalisation)}
    if begun_with is not None:
        about |= {"begun_with": begun_with, "notes": list(notes)}
    write_whole(path, as_safetensors(estimator.state_dict(), _ABOUT, about))


def as_safetensors(tensors: Mapping[str, Tensor], entry: str, about: object) -> bytes:
    """A file of tensors, with what there is to say about them as one ``entry``: several have no fixed order."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data: bytes = serialise(plain, {entry: json.dumps(about)})
    return data


def read_safetensors(path: Path, entry: str) -> tuple[dict[str, Tensor], Any]:
    """The tensors of a file, on the CPU, and what its ``entry`` says about them; None where there is none.

    Raises:
        InputError: missing, damaged or truncated.
    """
    if not path.is_file():
        raise InputError(f"weights {path}: there is no such file")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(entry, "null"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118 - it is no dict
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise InputError(f"weights {path}: damaged, truncated or no safetensors ({error}): make them again") from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of ours (.safetensors) or of PyTorch's (.pth, .pt, .ckpt), without running anything in it.

    Raises:
        InputError: missing, truncated, no checkpoint, or a pickle that holds more than tensors.
    """
    if path.suffix != ".safetensors":
        return _read_pickle(path)
    tensors, about = read_safetensors(path, _ABOUT)
    if about is None:
        return Checkpoint(tensors)
    try:
        normalisation = Normalisation(**{k: tuple(v) for k, v in about["normalisation"].items()})
        notes = tuple(about.get("notes", ()))
        return Checkpoint(tensors, tuple(about["keypoints"]), normalisation, about.get("begun_with"), notes)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"weights {path}: written by another version of vatl ({error}): make them again") from error


def _read_pickle(path: Path) -> Checkpoint:
    if not path.is_file():
        raise InputError(f"weights {path}: there is no such file")
    try:
        with torch.serialization.safe_globals(_ARRAYS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch thinks of a pickle's protocol says nothing to the user
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"weights {path}: refused, because it is damaged or holds code rather than only tensors: "
            "ask its author for safetensors or a plain state_dict"
        ) from error
    except (RuntimeError, EOFError, zipfile.BadZipFile, OSError, ValueError, KeyError, AttributeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"weights {path}: damaged, truncated or no checkpoint ({first}): fetch it again") from error
    return Checkpoint(_tensors(content, path), _keypoints(content))


def _keypoints(content: object) -> tuple[str, ...] | None:
    """The keypoints that MMPose 1.x names beside the parameters, under ``meta``; None where nobody names any."""
    for key in ("meta", "dataset_meta", "keypoint_id2name"):
        content = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or sorted(content, key=str) != sorted(range(len(content)), key=str):
        return None
    return tuple(str(content[number]) for number in range(len(content))) or None


def _tensors(content: object, path: Path) -> dict[str, Tensor]:
    """The parameters in what a file held, freed of wrappers and of DataParallel's prefix."""
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"weights {path}: no state_dict: a mapping from parameter names to tensors is expected")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
