"""Putting weights into a network, strictly: all of them, or those of its backbone alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from torch import Tensor

from vatl_core.contracts import Estimator
from vatl_core.errors import InputError
from vatl_core.video import Skeleton
from vatl_core.weights import Checkpoint, check_fit
from vatl_weights.foreign import Trunk, origin_of, renamed, trunk_of
from vatl_weights.heads import identify, refit

STEP_COUNTER: Final = "num_batches_tracked"
"""Batch normalisation's count of steps, which older files lack and which changes no output."""
BACKBONE_ONLY: Final = "only the backbone is loaded: upsampling and head begin with random weights"
"""What the user should know of any backbone."""


def load_weights(
    estimator: Estimator, checkpoint: Checkpoint, skeleton: Skeleton, source: str, keypoints: Sequence[str] = ()
) -> list[str]:
    """Put weights into a built estimator, strictly: every parameter must be there and fit.

    Only the head may be for another skeleton: channels whose keypoints agree are kept and the others stay random. Whose
    they are is as the user, else the file, else its family says.

    Args:
        estimator: built for ``skeleton``.
        checkpoint: as read.
        skeleton: of the video.
        source: what to call the checkpoint in messages.
        keypoints: of the head's channels, where the user says: names, ``same`` or ``person-17``.

    Returns:
        What the user should know about it; nothing where all is as it should be.

    Raises:
        InputError: it belongs to another network; the message has the first missing, unexpected and misshapen names.
            Or what the user says does not fit the head; or nobody says which keypoints it is for, and it matters.
    """
    own, tensors = estimator.state_dict(), renamed(estimator, checkpoint.tensors)
    told = keypoints or checkpoint.keypoints or origin_of(estimator, checkpoint.tensors).keypoints or ()
    theirs, note = identify(tensors, estimator.head, told, skeleton, source)
    fresh: list[str] = []
    if theirs is not None and theirs != skeleton.keypoints:
        fresh = refit(tensors, own, estimator.head, theirs, skeleton.keypoints)
    tensors |= {name: tensor for name, tensor in own.items() if name.endswith(STEP_COUNTER) and name not in tensors}
    check_fit(own, own, tensors, f"weights {source} do not fit this estimator")
    estimator.load_state_dict(tensors)
    _normalise(estimator, checkpoint)
    return [said for said in (note, _coverage(fresh, skeleton)) if said]


def _coverage(fresh: Sequence[str], skeleton: Skeleton) -> str:
    """What a head for another skeleton knows of this one's keypoints."""
    if not fresh:
        return ""
    known, begin = len(skeleton) - len(fresh), f"re-initialised: {', '.join(fresh)}"
    if not known:
        return f"the weights know none of the {len(skeleton)} keypoints and serve as backbone and upsampling; {begin}"
    return f"the weights know {known} of {len(skeleton)} keypoints; {begin}"


def load_backbone(estimator: Estimator, checkpoint: Checkpoint, source: str) -> list[str]:
    """Put a backbone's weights alone into a built estimator, strictly: every parameter of it must be there and fit.

    They were trained on something else, such as naming what a picture shows. What a file holds beside, such as a
    classifier, is left alone. A file that uses other names throughout is matched in the order of its tensors, if their
    kinds and shapes agree one by one.

    Returns:
        What the user should know about it.

    Raises:
        InputError: there is no such backbone, or it is another one; the message has the first of the wrong names.
    """
    trunk, tensors = trunk_of(estimator), renamed(estimator, checkpoint.tensors)
    own = {name: t for name, t in estimator.state_dict().items() if _is_of(trunk, name)}
    if not own:
        raise InputError(f"estimator {type(estimator).__name__} has no backbone that could be loaded alone")
    found = {name: t for name, t in tensors.items() if _is_of(trunk, name)}
    needed = [name for name in own if not name.endswith(STEP_COUNTER) and not _added(trunk, name)]
    notes = [BACKBONE_ONLY]
    if not any(name in found for name in needed) and (matched := _in_order(own, needed, tensors)):
        found = matched
        notes.append(f"the names in {source} are others: its tensors were taken in their order")
    check_fit(own, needed, found, f"weights {source} are not this estimator's backbone")
    estimator.load_state_dict(found, strict=False)
    _normalise(estimator, checkpoint)
    if lacking := sorted({_added(trunk, name) for name in own if name not in found} - {""}):
        notes.append(f"{source} has nothing for these parts of the backbone, which stay random: {', '.join(lacking)}")
    return notes


def _normalise(estimator: Estimator, checkpoint: Checkpoint) -> None:
    """Have the estimator give its network the pictures that these weights expect, where that is known."""
    known = checkpoint.normalisation or origin_of(estimator, checkpoint.tensors).normalisation
    estimator.normalisation = known or estimator.normalisation


def _is_of(trunk: Trunk, name: str) -> bool:
    return name.startswith(trunk.prefixes) and not name.startswith(trunk.left_out)


def _added(trunk: Trunk, name: str) -> str:
    """The part of the network that a usual backbone lacks and that this parameter belongs to; empty if none."""
    parts = name.split(".")
    ends = [i for i, part in enumerate(parts) if part in trunk.added]
    return ".".join(parts[: ends[0] + 1]) if ends else ""


def _in_order(own: Mapping[str, Tensor], needed: list[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's first tensors under the names of ours, if each is of the same kind and shape; else nothing."""
    theirs = [(name, tensor) for name, tensor in tensors.items() if not name.endswith(STEP_COUNTER)]
    pairs = list(zip(needed, theirs, strict=False))
    alike = all(_kind(n) == _kind(m) and own[n].shape == tensor.shape for n, (m, tensor) in pairs)
    return {n: tensor for n, (_, tensor) in pairs} if alike and len(pairs) == len(needed) else {}


def _kind(name: str) -> str:
    """The last word of a parameter's name: ``weight``, ``bias``, ``running_mean``, …"""
    return name.rpartition(".")[2]
