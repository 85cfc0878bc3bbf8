"""Reading and writing weights, safely: safetensors of our own, and pickles only as plain tensors."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

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
from vatl_core.video import Skeleton
from vatl_core.weights.heads import Head, identify, refit

_ABOUT = "vatl"
"""The entry of a safetensors file's metadata that says what its weights are for, as JSON."""
COUNTER: Final = "num_batches_tracked"
"""Batch normalisation's count of steps, which older files lack and which changes no output."""
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
        begun_with: where a run's first weights came from; None where the file does not say.
        notes: what there was to say of that.
    """

    tensors: dict[str, Tensor]
    keypoints: tuple[str, ...] | None = None
    normalisation: Normalisation | None = None
    begun_with: str | None = None
    notes: tuple[str, ...] = ()


def save(
    path: Path, estimator: Estimator, skeleton: Skeleton, begun_with: str | None = None, notes: Sequence[str] = ()
) -> None:
    """Write an estimator's weights, with its keypoints' names and its normalisation, whole or not at all.

    Args:
        path: a safetensors file.
        estimator: on any device.
        skeleton: whose keypoints its channels are.
        begun_with, notes: of a run's first weights, where they came from and what there was to say of that.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in estimator.state_dict().items()}
    about: dict[str, Any] = {"keypoints": skeleton.keypoints, "normalisation": attrs.asdict(estimator.normalisation)}
    if begun_with is not None:
        about |= {"begun_with": begun_with, "notes": list(notes)}
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
        begun_with, notes = about.get("begun_with"), tuple(about.get("notes", ()))
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OSError) as error:
        raise InputError(f"weights {path}: damaged or truncated ({error}): fetch or make them again") from error
    return Checkpoint(tensors, names, normalisation, begun_with, notes)


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


def renamed(estimator: Estimator, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """A checkpoint's tensors under the estimator's own names."""
    pairs = ((estimator.rename(name), tensor) for name, tensor in checkpoint.tensors.items())
    return {name: tensor for name, tensor in pairs if name is not None}


def head_of(
    estimator: Estimator, checkpoint: Checkpoint, skeleton: Skeleton, source: str, keypoints: Sequence[str] = ()
) -> Head:
    """The keypoints of a checkpoint's head: as the user, else the file, else its family says.

    Args:
        estimator: built for ``skeleton``.
        checkpoint: as read.
        skeleton: of the video.
        source: what to call the checkpoint in messages.
        keypoints: the user's word, if any: names, ``same`` or ``person-17``.

    Raises:
        InputError: the user's word does not fit the head; or nobody says, and it may be for two skeletons.
    """
    told = keypoints or checkpoint.keypoints or estimator.origin(checkpoint.tensors).keypoints or ()
    return identify(renamed(estimator, checkpoint), estimator.head, told, skeleton, source)


def load(
    estimator: Estimator, checkpoint: Checkpoint, skeleton: Skeleton, source: str, keypoints: Sequence[str] = ()
) -> list[str]:
    """Put weights into a built estimator, strictly: every parameter must be there and fit.

    Only the head may be for another skeleton: channels whose keypoints agree are kept and the others stay random.

    Args:
        estimator: built for ``skeleton``.
        checkpoint: as read.
        skeleton: of the video.
        source: what to call the checkpoint in messages.
        keypoints: of the head's channels, where the user says: names, ``same`` or ``person-17``.

    Returns:
        The keypoints whose channels were re-initialised.

    Raises:
        InputError: it belongs to another network; the message has the first missing, unexpected and misshapen names.
            Or nobody says which keypoints its head is for, and it matters.
    """
    own, tensors = estimator.state_dict(), renamed(estimator, checkpoint)
    theirs = head_of(estimator, checkpoint, skeleton, source, keypoints).channels
    fresh: list[str] = []
    if theirs is not None and theirs != skeleton.keypoints:
        fresh = refit(tensors, own, estimator.head, theirs, skeleton.keypoints)
    tensors |= {name: tensor for name, tensor in own.items() if name.endswith(COUNTER) and name not in tensors}
    check(own, own, tensors, f"weights {source} do not fit this estimator")
    origin = estimator.origin(checkpoint.tensors)
    estimator.load_state_dict(tensors)
    estimator.normalisation = checkpoint.normalisation or origin.normalisation or estimator.normalisation
    return fresh


def check(own: Mapping[str, Tensor], needed: Iterable[str], tensors: Mapping[str, Tensor], complaint: str) -> None:
    """Refuse tensors that lack something needed, have something else or another shape.

    Args:
        own: the network's parameters.
        needed: names of those that must be there.
        tensors: what was found.
        complaint: how the message begins.

    Raises:
        InputError: with the number and the first of the missing, unexpected and misshapen names.
    """
    wrong = {
        "missing": [name for name in needed if name not in tensors],
        "unexpected": [name for name in tensors if name not in own],
        "misshapen": [
            f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
            for name in own
            if name in tensors and tensors[name].shape != own[name].shape
        ],
    }
    problems = [f"{len(names)} {what} (first: {names[0]})" for what, names in wrong.items() if names]
    if problems:
        raise InputError(f"{complaint}: {'; '.join(problems)}")
