"""Reading and writing weights, safely: safetensors of our own, and pickles only as plain tensors."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import attrs
import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.files import whole
from vatl_core.skeleton import Skeleton

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training programs put a network's parameters beside other things."""


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
    metadata = {
        "keypoints": json.dumps(skeleton.keypoints),
        "normalisation": json.dumps(attrs.asdict(estimator.normalisation)),
    }
    with whole(path) as beside:
        save_file(tensors, beside, metadata)


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
            metadata = file.metadata() or {}
        tensors = load_file(path)
        names = tuple(json.loads(metadata["keypoints"])) if "keypoints" in metadata else None
        normalisation = _normalisation(metadata.get("normalisation"))
    except (safetensors.SafetensorError, ValueError, TypeError, OSError) as error:
        raise InputError(f"weights {path}: damaged or truncated ({error}): fetch or make them again") from error
    return Checkpoint(tensors, names, normalisation)


def _normalisation(text: str | None) -> Normalisation | None:
    if text is None:
        return None
    values = json.loads(text)
    return Normalisation(tuple(values["mean"]), tuple(values["std"]))


def _read_pickle(path: Path) -> Checkpoint:
    try:
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
    are kept and the others stay random.

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
    tensors = {estimator.rename(name): tensor for name, tensor in checkpoint.tensors.items()}
    fresh: list[str] = []
    if checkpoint.keypoints is not None and checkpoint.keypoints != skeleton.keypoints:
        fresh = _fit_head(estimator.head, tensors, own, checkpoint.keypoints, skeleton.keypoints)
    _check(own, tensors, source)
    estimator.load_state_dict(tensors)
    if checkpoint.normalisation is not None:
        estimator.normalisation = checkpoint.normalisation
    return fresh


def _fit_head(
    head: str, tensors: dict[str, Tensor], own: Mapping[str, Tensor], theirs: tuple[str, ...], ours: tuple[str, ...]
) -> list[str]:
    """Replace the head's tensors by ours with their channels of the same keypoints; return the names without one."""
    for name in [n for n in tensors if n.startswith(f"{head}.")]:
        if name in own and tensors[name].shape[1:] == own[name].shape[1:] and len(tensors[name]) == len(theirs):
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
