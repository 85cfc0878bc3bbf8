"""Reading and writing weights, safely: safetensors of our own, and pickles only as plain tensors."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.files import whole
from vatl_core.skeleton import Skeleton

_ABOUT = "vatl"
"""The entry of a safetensors file's metadata that says what its weights are for, as JSON."""
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training programs put a network's parameters beside other things."""

_ARRAYS: list[Any] = [
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
    """

    tensors: dict[str, Tensor]
    keypoints: tuple[str, ...] | None = None
    normalisation: Normalisation | None = None


def save(path: Path, estimator: Estimator, skeleton: Skeleton) -> None:
    """Write an estimator's weights, with its keypoints' names and its normalisation, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in estimator.state_dict().items()}
    about = {"keypoints": skeleton.keypoints, "normalisation": attrs.asdict(estimator.normalisation)}
    with whole(path) as beside:  # one entry of metadata, since several would be written in a random order
        beside.write_bytes(serialise(tensors, {_ABOUT: json.dumps(about)}))


def read(path: Path) -> Checkpoint:
    """Read a checkpoint of ours (.safetensors) or of PyTorch's (.pth, .pt, .ckpt), without running anything in it.

    Raises:
        InputError: missing, truncated, no checkpoint, or a pickle that holds more than tensors.
    """
    if not path.is_file():
        raise InputError(f"weights {path}: there is no such file")
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_ABOUT, "{}"))
        tensors = load_file(path)
        names = tuple(about["keypoints"]) if about else None
        normalisation = Normalisation(**{k: tuple(v) for k, v in about["normalisation"].items()}) if about else None
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OSError) as error:
        raise InputError(f"weights {path}: damaged or truncated ({error}): fetch or make them again") from error
    return Checkpoint(tensors, names, normalisation)


def _read_pickle(path: Path) -> Checkpoint:
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
    return Checkpoint(_tensors(content, path))


def _tensors(content: object, path: Path) -> dict[str, Tensor]:
    """The parameters in what a file held, freed of wrappers and of DataParallel's prefix."""
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"weights {path}: no state_dict: a mapping from parameter names to tensors is expected")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def load(estimator: Estimator, checkpoint: Checkpoint, skeleton: Skeleton, source: str) -> list[str]:
    """Put weights into a built estimator, strictly: every parameter must be there and fit.

    Only the head may be for another skeleton: where the names of its channels are known, those whose keypoints agree
    are kept and the others stay random. What the file does not say, its origin may.

    Args:
        estimator: built for ``skeleton``.
        checkpoint: as read.
        skeleton: of the video.
        source: what to call the checkpoint in messages.

    Returns:
        The keypoints whose channels were re-initialised.

    Raises:
        InputError: it belongs to another network; the message has the first missing, unexpected and misshapen names.
    """
    own = estimator.state_dict()
    origin = estimator.origin(checkpoint.tensors)
    renamed = ((estimator.rename(name), tensor) for name, tensor in checkpoint.tensors.items())
    tensors = {name: tensor for name, tensor in renamed if name is not None}
    theirs = checkpoint.keypoints or origin.keypoints or _nameless(estimator.head, tensors, len(skeleton))
    fresh: list[str] = []
    if theirs is not None and theirs != skeleton.keypoints:
        fresh = _fit_head(estimator.head, tensors, own, theirs, skeleton.keypoints)
    _check(own, tensors, source)
    estimator.load_state_dict(tensors)
    estimator.normalisation = checkpoint.normalisation or origin.normalisation or estimator.normalisation
    return fresh


def _nameless(head: str, tensors: Mapping[str, Tensor], count: int) -> tuple[str, ...] | None:
    """Names that no keypoint has, for a head that is surely for another skeleton: it has another size."""
    sizes = {tuple(tensor.shape[:1]) for name, tensor in tensors.items() if name.startswith(f"{head}.")}
    if len(sizes) != 1 or sizes == {(count,)}:
        return None
    return ("",) * sum(sizes.pop())


def _fit_head(
    head: str, tensors: dict[str, Tensor], own: Mapping[str, Tensor], theirs: tuple[str, ...], ours: tuple[str, ...]
) -> list[str]:
    """Replace the head's tensors by ours with their channels of the same keypoints; return the names without one."""
    for name in [n for n in tensors if n.startswith(f"{head}.")]:
        if name in own and tensors[name].shape == (len(theirs), *own[name].shape[1:]):
            mixed = own[name].clone()
            for i, keypoint in enumerate(ours):
                if keypoint in theirs:
                    mixed[i] = tensors[name][theirs.index(keypoint)]
            tensors[name] = mixed
    return [keypoint for keypoint in ours if keypoint not in theirs]


def _check(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: str) -> None:
    missing = [n for n in own if n not in tensors]
    unexpected = [n for n in tensors if n not in own]
    misshapen = [
        f"{n} {tuple(tensors[n].shape)} instead of {tuple(own[n].shape)}"
        for n in own
        if n in tensors and tensors[n].shape != own[n].shape
    ]
    problems = [
        f"{len(names)} {what} (first: {names[0]})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen))
        if names
    ]
    if problems:
        raise InputError(f"weights {source} do not fit this estimator: {'; '.join(problems)}")
