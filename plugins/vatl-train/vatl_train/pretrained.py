"""What ``vatl fit`` learnt: a file that says what it serves, and is found again by that."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs
import platformdirs
from torch import Tensor

from vatl_core.contracts import Criterion
from vatl_core.errors import InputError
from vatl_core.plugins import option_fields
from vatl_core.video import Skeleton
from vatl_core.weights import PreTrained, read_pretrained

_converter: Final = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook(Tensor, lambda tensor, _: tensor)  # they do not stand in the JSON


@attrs.frozen
class PreTrainedFor:
    """The criterion, its options and the skeleton that a pre-training serves; it serves nothing else.

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
    def of(cls, name: str, criterion: Criterion, skeleton: Skeleton) -> PreTrainedFor:
        """What a pre-training of ``criterion`` on this skeleton serves."""
        options = {field: getattr(criterion, field) for field in option_fields(type(criterion))}
        options.pop("pretrained", None)
        return cls(name, json.loads(json.dumps(options, default=str)), skeleton.keypoints, skeleton.edges)

    @property
    def path(self) -> Path:
        """Where ``vatl fit`` keeps it and ``auto`` looks for it: in the user's data folder, by a digest of all this."""
        digest = hashlib.sha256(json.dumps(attrs.astuple(self), sort_keys=True).encode()).hexdigest()[:16]
        return Path(platformdirs.user_data_dir("vatl")) / "criteria" / f"{self.criterion}-{digest}.safetensors"

    def unlike(self, other: PreTrainedFor) -> str:
        """In which way the other is for something else; empty if it is not."""
        if self.criterion != other.criterion:
            return f"it is for criterion '{other.criterion}', not '{self.criterion}'"
        if self.keypoints != other.keypoints:
            strange = next((n for n in other.keypoints if n not in self.keypoints), "the same in another order")
            ours, theirs = len(self.keypoints), len(other.keypoints)
            return f"it is for another skeleton: {theirs} keypoints ({strange}, …), not these {ours}"
        if self.edges != other.edges:
            return f"it is for the same keypoints with other edges: {len(other.edges)}, not these {len(self.edges)}"
        differing = [n for n in sorted(self.options | other.options) if self.options.get(n) != other.options.get(n)]
        return "; ".join(f"it was made with {n} = {other.options.get(n)}, not {self.options.get(n)}" for n in differing)


@attrs.frozen
class Learnt:
    """What a criterion was pre-trained to, and on what.

    Attributes:
        serves: what it can be used for.
        tensors: by name, on the CPU.
        dataset, dataset_options, split, validation: what it was learnt from and validated on, in words.
        poses: how many it learnt from and was validated on.
        figures: the last errors, ``{name: value}``.
        seed: of every random choice.
        versions: of what made it.
    """

    serves: PreTrainedFor
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
    def kept(self) -> PreTrained:
        """As runs begin with it."""
        what = f"what `vatl fit` learnt from {self.poses[0]} poses ({self.split} of {self.dataset})"
        return PreTrained(self.tensors, {"what": what, **self.about})


def read_learnt(path: Path) -> Learnt:
    """Read a file of ``vatl fit``.

    Raises:
        InputError: missing, damaged, or something else.
    """
    kept = read_pretrained(path)
    about = {name: value for name, value in kept.about.items() if name != "what"}
    try:
        return attrs.evolve(_converter.structure(about | {"tensors": {}}, Learnt), tensors=kept.tensors)
    except (cattrs.BaseValidationError, TypeError) as error:
        raise InputError(f"{path}: written by another version of vatl: make it again with `vatl fit`") from error


def find_learnt(name: str, criterion: Criterion, skeleton: Skeleton) -> Learnt | None:
    """What the criterion's option ``pretrained`` asks for; None where that is nothing.

    Raises:
        InputError: a file that cannot be used, or serves something else.
    """
    wanted, asked = PreTrainedFor.of(name, criterion, skeleton), criterion.pretrained
    path = wanted.path if asked == "auto" else Path(os.path.expanduser(asked))  # noqa: PTH111
    if asked == "none" or (asked == "auto" and not path.exists()):
        return None
    learnt = read_learnt(path)
    if difference := wanted.unlike(learnt.serves):
        raise InputError(f"{path}: {difference}: give -o {name}.pretrained another file, or fit one with `vatl fit`")
    return learnt
