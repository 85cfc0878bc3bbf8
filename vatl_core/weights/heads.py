"""Which keypoint each channel of a checkpoint's head is for, and what another skeleton can keep of it.

Keypoints are the same if and only if their names are. A head that names none and could be for two skeletons is refused:
taken for the wrong one, it would put every keypoint in another's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton

SAME: Final = "same"
"""In place of names: the video's keypoints, in its order."""
_REMEDY = f"give --weights-keypoints (their names, or {PERSON_17.name}) to keep those that this video has too"


@attrs.frozen
class Head:
    """What is known of a checkpoint's head.

    Attributes:
        channels: its keypoints' names, in order; empty for a channel whose keypoint nobody knows; None where the
            file has no head, or one of several sizes.
        note: what the user should know about it.
    """

    channels: tuple[str, ...] | None = None
    note: str | None = None


def identify(tensors: Mapping[str, Tensor], head: str, told: Sequence[str], skeleton: Skeleton, source: str) -> Head:
    """The keypoints of a checkpoint's head.

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
        return Head()
    (count,) = sizes
    if told:
        return Head(_checked(_names(told, skeleton), count, source))
    if count != len(skeleton):
        return Head(("",) * count, f"nothing says which keypoints the {count} channels of {source} are: {_REMEDY}")
    if skeleton.keypoints != PERSON_17.keypoints and count == len(PERSON_17):
        raise InputError(
            f"weights {source} do not say which keypoints their {count} channels are, and this video's {count} are not "
            f"the usual ones of a person: add --weights-keypoints {PERSON_17.name} if the weights are for those "
            f"({', '.join(PERSON_17.keypoints[:3])}, …), --weights-keypoints {SAME} if they are for this video's "
            f"({', '.join(skeleton.keypoints[:3])}, …), or give their names"
        )
    if skeleton.keypoints == PERSON_17.keypoints:
        return Head(skeleton.keypoints)
    return Head(skeleton.keypoints, f"the channels of {source} have no names and are taken for this video's keypoints")


def _names(told: Sequence[str], skeleton: Skeleton) -> tuple[str, ...]:
    short: dict[tuple[str, ...], tuple[str, ...]] = {
        (SAME,): skeleton.keypoints,
        (PERSON_17.name,): PERSON_17.keypoints,
    }
    names = tuple(name.strip() for name in told)
    return short.get(names, names)


def _checked(names: tuple[str, ...], count: int, source: str) -> tuple[str, ...]:
    if len(names) != count:
        raise InputError(f"weights {source} have {count} channels, but {len(names)} keypoints are named for them")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"weights {source}: these keypoints are named for two channels: {', '.join(twice)}")
    return names


def refit(
    tensors: dict[str, Tensor], own: Mapping[str, Tensor], head: str, theirs: Sequence[str], ours: Sequence[str]
) -> list[str]:
    """Replace a head's tensors by ours with their channels of the same keypoints.

    Args:
        tensors: of the checkpoint, under the network's names; changed.
        own: the network's present parameters.
        head: the module.
        theirs, ours: names of the channels' keypoints.

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
