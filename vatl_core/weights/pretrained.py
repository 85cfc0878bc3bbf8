"""What a criterion learnt before any run: a file that says what it is for, and is found again by that."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs
import platformdirs
import safetensors
from safetensors.torch import save as serialise
from torch import Tensor

from vatl_core.contracts import Criterion
from vatl_core.errors import InputError
from vatl_core.files import write_whole
from vatl_core.plugins import option_fields
from vatl_core.video import Skeleton

_ABOUT: Final = "vatl.criterion"
"""The entry of the file's metadata that says what it holds, as JSON."""
_converter: Final = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook(Tensor, lambda tensor, _: tensor)  # they do not stand in the JSON


@attrs.frozen
class Purpose:
    """What something was learnt for; it serves nothing else.

    Attributes:
        criterion: its name.
        options: its options, but for the one that says which file to take.
        keypoints, edges: of the skeleton.
    """

    criterion: str
    options: dict[str, Any]
    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, name: str, criterion: Criterion, skeleton: Skeleton) -> Purpose:
        """What ``criterion`` would learn for on this skeleton."""
        options = {
            field: getattr(criterion, field) for field in option_fields(type(criterion)) if field != "pretrained"
        }
        plain = json.loads(json.dumps(options, default=str))
        return cls(name, plain, skeleton.keypoints, skeleton.edges)

    @property
    def path(self) -> Path:
        """Where ``vatl fit`` keeps it and ``auto`` looks for it: in the user's data folder, by a digest of all this."""
        digest = hashlib.sha256(json.dumps(attrs.astuple(self), sort_keys=True).encode()).hexdigest()[:16]
        return Path(platformdirs.user_data_dir("vatl")) / "criteria" / f"{self.criterion}-{digest}.safetensors"

    def unlike(self, other: Purpose) -> str:
        """In which way the other is for something else; empty if it is not."""
        if self.criterion != other.criterion:
            return f"it is for criterion '{other.criterion}', not '{self.criterion}'"
        if self.keypoints != other.keypoints:
            strange = next((n for n in other.keypoints if n not in self.keypoints), "the same in another order")
            ours, theirs = len(self.keypoints), len(other.keypoints)
            return f"it is for another skeleton: {theirs} keypoints ({strange}, …), not these {ours}"
        if self.edges != other.edges:
            return f"it is for the same keypoints with other edges: {len(other.edges)}, not these {len(self.edges)}"
        names = sorted({*self.options, *other.options})
        differing = [n for n in names if self.options.get(n) != other.options.get(n)]
        return "; ".join(f"it was made with {n} = {other.options.get(n)}, not {self.options.get(n)}" for n in differing)


@attrs.frozen
class Learnt:
    """What a criterion learnt, and from what.

    Attributes:
        purpose: what it serves.
        tensors: by name, on the CPU.
        dataset, dataset_options, split, validation: what it was learnt from and validated on, in words.
        poses: how many it learnt from and was validated on.
        figures: the last errors, ``{name: value}``.
        seed: of every random choice.
        versions: of what made it.
    """

    purpose: Purpose
    tensors: dict[str, Tensor]
    dataset: str
    dataset_options: dict[str, Any]
    split: str
    validation: str
    poses: tuple[int, int]
    figures: dict[str, float]
    seed: int
    versions: dict[str, str]

    @property
    def about(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON's types."""
        plain: dict[str, Any] = _converter.unstructure(attrs.evolve(self, tensors={}))
        return {name: value for name, value in plain.items() if name != "tensors"}

    @property
    def data(self) -> bytes:
        """The file."""
        data: bytes = serialise(
            self.tensors, {_ABOUT: json.dumps(self.about)}
        )  # one entry: several have no fixed order
        return data

    @property
    def description(self) -> str:
        """What it is, in words, with the beginning of the file's SHA-256."""
        digest = hashlib.sha256(self.data).hexdigest()[:16]
        return f"what `vatl fit` learnt from {self.poses[0]} poses ({self.split} of {self.dataset}, sha256 {digest}…)"

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_whole(path, self.data)


def read(path: Path) -> Learnt:
    """Read a file of ``vatl fit``.

    Raises:
        InputError: missing, damaged, or something else.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_ABOUT, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — it is no dict
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise InputError(f"{path}: damaged, truncated or no safetensors ({error}): make it again") from error
    if about is None:
        raise InputError(f"{path}: it was not written by `vatl fit`")
    try:
        return attrs.evolve(_converter.structure(about | {"tensors": {}}, Learnt), tensors=tensors)
    except (cattrs.BaseValidationError, TypeError) as error:
        raise InputError(f"{path}: written by another version of vatl: make it again with `vatl fit`") from error


def found(name: str, criterion: Criterion, skeleton: Skeleton) -> Learnt | None:
    """What the criterion's option ``pretrained`` asks for; None where that is nothing.

    Raises:
        InputError: a file that cannot be used, or serves something else.
    """
    if criterion.pretrained == "none":
        return None
    purpose = Purpose.of(name, criterion, skeleton)
    path = purpose.path if criterion.pretrained == "auto" else Path(criterion.pretrained).expanduser()
    if criterion.pretrained == "auto" and not path.exists():
        return None
    learnt = read(path)
    if difference := purpose.unlike(learnt.purpose):
        raise InputError(f"{path}: {difference}: give -o {name}.pretrained another file, or fit one with `vatl fit`")
    return learnt


def give(name: str, criterion: Criterion, skeleton: Skeleton, learnt: Learnt) -> None:
    """Let the criterion begin with it.

    Raises:
        InputError: it does not hold what it says.
    """
    try:
        criterion.begin_with(skeleton, learnt.tensors)
    except InputError as error:
        raise InputError(
            f"what '{name}' learnt from '{learnt.split}' of '{learnt.dataset}' cannot be used: {error}: "
            f"fit it again with `vatl fit {name}`"
        ) from error
