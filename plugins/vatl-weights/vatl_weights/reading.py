"""Reading PyTorch's pickles as plain tensors, whatever program wrote them."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import remedy
from vatl_core.weights import Checkpoint, read_checkpoint

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


def read_weights(path: Path) -> Checkpoint:
    """Read a checkpoint of vatl (.safetensors) or of PyTorch (.pth, .pt, .ckpt), without running anything in it.

    Raises:
        InputError: missing, truncated, no checkpoint, or a pickle that holds more than tensors.
    """
    return read_checkpoint(path) if path.suffix == ".safetensors" else _read_pickle(path)


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
            f"ask its author for safetensors or a plain state_dict ({remedy(path)})"
        ) from error
    except Exception as error:  # its unpickler raises whatever the bytes make it stumble over
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"weights {path}: damaged, truncated or no checkpoint ({first}): {remedy(path)}") from error
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
