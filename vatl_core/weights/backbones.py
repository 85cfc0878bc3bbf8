"""Loading a backbone alone: weights trained on something else, such as naming what a picture shows."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vatl_core.contracts import Estimator, Trunk
from vatl_core.errors import InputError
from vatl_core.weights.checkpoints import COUNTER, check


def load_backbone(estimator: Estimator, tensors: Mapping[str, Tensor], source: str) -> list[str]:
    """Put a backbone's weights into a built estimator, strictly: every parameter of its backbone must be there and fit.

    What a file holds beside, such as a classifier, is left alone. A file that uses other names throughout is matched
    in the order of its tensors, if their kinds and shapes agree one by one.

    Args:
        estimator: built; its normalisation is not touched.
        tensors: under the network's own names, as far as they could be renamed.
        source: what to call the checkpoint in messages.

    Returns:
        What the user should know about it.

    Raises:
        InputError: there is no such backbone, or it is another one; the message has the first of the wrong names.
    """
    own = {name: t for name, t in estimator.state_dict().items() if _of(estimator.trunk, name)}
    if not own:
        raise InputError(f"estimator {type(estimator).__name__} has no backbone that could be loaded alone")
    found = {name: t for name, t in tensors.items() if _of(estimator.trunk, name)}
    needed = [name for name in own if not _may_lack(estimator.trunk, name)]
    notes = []
    if not any(name in found for name in needed) and (matched := _in_order(own, needed, tensors)):
        found, notes = matched, [f"the names in {source} are others: its tensors were taken in their order"]
    check(own, needed, found, f"weights {source} are not this estimator's backbone")
    estimator.load_state_dict(found, strict=False)
    lacking = sorted({_module(estimator.trunk, name) for name in own if name not in found} - {""})
    if lacking:
        notes.append(f"{source} has nothing for these parts of the backbone, which stay random: {', '.join(lacking)}")
    return notes


def _of(trunk: Trunk, name: str) -> bool:
    return name.startswith(trunk.prefixes) and not name.startswith(trunk.left_out)


def _may_lack(trunk: Trunk, name: str) -> bool:
    return name.endswith(COUNTER) or bool(_module(trunk, name))


def _module(trunk: Trunk, name: str) -> str:
    """The part of the network that a usual backbone lacks and that this parameter belongs to; empty if none."""
    parts = name.split(".")
    ends = [i for i, part in enumerate(parts) if part in trunk.added]
    return ".".join(parts[: ends[0] + 1]) if ends else ""


def _in_order(own: Mapping[str, Tensor], needed: list[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's first tensors under the names of ours, if each is of the same kind and shape; else nothing."""
    theirs = [(name, tensor) for name, tensor in tensors.items() if not name.endswith(COUNTER)]
    pairs = list(zip(needed, theirs, strict=False))
    alike = all(_kind(n) == _kind(m) and own[n].shape == tensor.shape for n, (m, tensor) in pairs)
    return {n: tensor for n, (_, tensor) in pairs} if alike and len(pairs) == len(needed) else {}


def _kind(name: str) -> str:
    """The last word of a parameter's name: ``weight``, ``bias``, ``running_mean``, …"""
    return name.rpartition(".")[2]
