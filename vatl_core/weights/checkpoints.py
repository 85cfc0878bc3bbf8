"""The weights of an estimator, and what a criterion learnt before any run, as files: safetensors that say what for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import attrs
import safetensors
import torch
from safetensors.torch import save as serialise
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.files import reading, remedy, write_whole
from vatl_core.video import Skeleton

_ABOUT: Final = "vatl"
"""The entry of a safetensors file's metadata that says what its weights are for, as JSON."""
_LEARNT: Final = "vatl.criterion"
"""The same of what a criterion learnt."""
_AGAIN: Final = "weights that are damaged, truncated, no safetensors or another version's are to be made again"
RANDOM: Final = "random"
"""Where weights came from that came from nowhere."""
BUT_FOR_BACKBONE: Final = f"{RANDOM} but for the backbone of "
"""How it is told where a backbone alone came from."""
GIVEN: Final = "its own"
"""Whence the weights of an estimator came that was given as an object with its layers made."""


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
    write_whole(path, _as_safetensors(estimator.state_dict(), _ABOUT, about))


def _as_safetensors(tensors: Mapping[str, Tensor], entry: str, about: object) -> bytes:
    """A file of tensors, with what there is to say about them as one ``entry``: several have no fixed order."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return cast(bytes, serialise(plain, {entry: json.dumps(about)}))


def _read_safetensors(path: Path, entry: str) -> tuple[dict[str, Tensor], Any]:
    """Copies of a file's tensors, so that it can be replaced anywhere, and what its ``entry`` says, or None."""
    if not path.is_file():
        raise InputError(f"weights {path}: there is no such file")
    with reading(path, f"{_AGAIN}: {remedy(path)}"), safetensors.safe_open(path, framework="pt") as file:
        about = json.loads((file.metadata() or {}).get(entry, "null"))
        return {name: file.get_tensor(name).clone() for name in file.keys()}, about  # noqa: SIM118 - it is no dict


def read_checkpoint(path: Path) -> Checkpoint:
    """Read what :func:`save_checkpoint` wrote, or any other safetensors.

    Raises:
        InputError: missing, damaged or truncated.
    """
    tensors, about = _read_safetensors(path, _ABOUT)
    if about is None:
        return Checkpoint(tensors)
    with reading(path, _AGAIN):
        normalisation = Normalisation(**{k: tuple(v) for k, v in about["normalisation"].items()})
        normalisation(torch.zeros(1, 3, 1, 1))
        keypoints, notes = tuple(map(str, about["keypoints"])), tuple(map(str, about.get("notes", ())))
        return Checkpoint(tensors, keypoints, normalisation, str(about.get("begun_with") or "") or None, notes)


def load_checkpoint(estimator: Estimator, skeleton: Skeleton, path: Path) -> Checkpoint:
    """Put the weights that a run kept back into an estimator that was built for the same ``skeleton``.

    Raises:
        InputError: the file is missing or damaged, or belongs to another network or other keypoints.
    """
    checkpoint, own = read_checkpoint(path), estimator.state_dict()
    if checkpoint.keypoints != skeleton.keypoints:
        raise InputError(f"weights {path} are not for the keypoints of skeleton '{skeleton.name}'")
    check_fit(own, own, checkpoint.tensors, f"weights {path} do not fit this estimator")
    estimator.load_state_dict(checkpoint.tensors)
    estimator.normalisation = checkpoint.normalisation or estimator.normalisation
    return checkpoint


def check_fit(own: Mapping[str, Tensor], needed: Iterable[str], tensors: Mapping[str, Tensor], complaint: str) -> None:
    """Refuse tensors that lack something needed, or have something else or another shape than the network's own.

    Raises:
        InputError: with the number and the first of the missing, unexpected and misshapen names.
    """
    misshapen = [name for name in own if name in tensors and tensors[name].shape != own[name].shape]
    wrong = {
        "missing": [name for name in needed if name not in tensors],
        "unexpected": [name for name in tensors if name not in own],
        "misshapen": [f"{n} {tuple(tensors[n].shape)} instead of {tuple(own[n].shape)}" for n in misshapen],
    }
    problems = [f"{len(names)} {what} (first: {names[0]})" for what, names in wrong.items() if names]
    if problems:
        raise InputError(f"{complaint}: {'; '.join(problems)}")


def is_random(weights: str) -> bool:
    """Whether weights that came from there have a head and an upsampling that know nothing."""
    return weights == RANDOM or weights.startswith(BUT_FOR_BACKBONE)


@attrs.frozen
class PreTrained:
    """What a criterion was pre-trained to.

    Attributes:
        tensors: by name, on the CPU: what :meth:`vatl_core.Criterion.begin_with` is given.
        about: what there is to say of it, as JSON's types; ``what`` it is in a few words.
    """

    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @property
    def data(self) -> bytes:
        """The file."""
        return _as_safetensors(self.tensors, _LEARNT, self.about)

    @property
    def description(self) -> str:
        """What it is, in words, with the beginning of the file's SHA-256."""
        return f"{self.about['what']}, sha256 {hashlib.sha256(self.data).hexdigest()[:16]}…"


def read_pretrained(path: Path) -> PreTrained:
    """Read a file of :attr:`PreTrained.data`.

    Raises:
        InputError: missing, damaged, or something else.
    """
    tensors, about = _read_safetensors(path, _LEARNT)
    if not isinstance(about, dict) or "what" not in about:
        raise InputError(f"{path} holds nothing that a criterion was pre-trained to")
    return PreTrained(tensors, about)
