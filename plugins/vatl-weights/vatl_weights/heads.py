"""Which keypoint each channel of a checkpoint's head is for, and what another skeleton can keep of it.

Keypoints are the same if and only if their names are. A head that names none and could be for two skeletons is refused:
taken for the wrong one, it would put every keypoint in another's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton

SAME: Final = "same"
"""In place of names: the video's keypoints, in its order."""
_REMEDY = f"give --weights-keypoints (their names, or {PERSON_17.name}) to keep those that this video has too"


Channels = tuple[str, ...] | None
"""A head's keypoints, in order; empty text where nobody knows one; None for no head, or one of several sizes."""


def identify(
    tensors: Mapping[str, Tensor], head: str, told: Sequence[str], skeleton: Skeleton, source: str
) -> tuple[Channels, str]:
    """The keypoints of a checkpoint's head, and what the user should know about them, if anything.

    Args:
        tensors: under the network's own names.
        head: the module with one output channel a keypoint.
        told: what the file, its family or the user says of it: names, ``same`` or the name of the usual 17 keypoints
            of a person; nothing where nobody says.
        skeleton: of the video.
        source: what to call the checkpoint in messages.

    Raises:
        InputError: what was told does not fit the head; or nothing was told, and it may be for two skeletons.
    """
    sizes = {len(tensor) for name, tensor in tensors.items() if name.startswith(f"{head}.") and tensor.ndim}
    if len(sizes) != 1:
        return None, ""
    (count,) = sizes
    if told:
        return _checked(told, count, skeleton, source), ""
    if count != len(skeleton):
        return ("",) * count, f"nothing says which keypoints the {count} channels of {source} are: {_REMEDY}"
    if skeleton.keypoints != PERSON_17.keypoints and count == len(PERSON_17):
        raise InputError(
            f"weights {source} do not say which keypoints their {count} channels are, and this video's {count} are not "
            f"the usual ones of a person: add --weights-keypoints {PERSON_17.name} if the weights are for those "
            f"({', '.join(PERSON_17.keypoints[:3])}, …), --weights-keypoints {SAME} if they are for this video's "
            f"({', '.join(skeleton.keypoints[:3])}, …), or give their names"
        )
    named = skeleton.keypoints == PERSON_17.keypoints
    note = f"the channels of {source} have no names and are taken for this video's keypoints"
    return skeleton.keypoints, "" if named else note


def _checked(told: Sequence[str], count: int, skeleton: Skeleton, source: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in told)
    if names in ((SAME,), (PERSON_17.name,)):
        names = skeleton.keypoints if names == (SAME,) else PERSON_17.keypoints
    if len(names) != count:
        raise InputError(f"weights {source} have {count} channels, but {len(names)} keypoints are named for them")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"weights {source}: these keypoints are named for two channels: {', '.join(twice)}")
    return names


def refit(
    tensors: dict[str, Tensor], own: Mapping[str, Tensor], head: str, theirs: Sequence[str], ours: Sequence[str]
) -> list[str]:
    """Replace a checkpoint's tensors of a ``head`` by the network's ``own``, with their channels of the same keypoints.

    Returns:
        Those of ``ours`` that have no channel in ``theirs``: they stay as they are in ``own``.
    """
    shared = [(i, theirs.index(keypoint)) for i, keypoint in enumerate(ours) if keypoint in theirs]
    for name in [n for n in tensors if n.startswith(f"{head}.")]:
        if name in own and tensors[name].shape == (len(theirs), *own[name].shape[1:]):
            mixed = own[name].clone()
            for here, there in shared:
                mixed[here] = tensors[name][there]
            tensors[name] = mixed
    return [keypoint for keypoint in ours if keypoint not in theirs]
