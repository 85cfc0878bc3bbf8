"""What a data set gives, held to its contract: columns that belong together, pictures of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from vatl_core.contracts import Dataset
from vatl_core.errors import PluginError
from vatl_core.plugins import whose
from vatl_core.video import Frames, Instances, Video


def names_of(dataset: Dataset) -> Sequence[str]:
    """What there is to adapt to.

    Raises:
        PluginError: these are no names.
    """
    names: object = dataset.videos()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise PluginError(
            f"data set {type(dataset).__name__} names its videos by a {type(names).__name__}: videos() is to return a "
            f"list of text{whose(dataset)}"
        )
    return names


def loaded(dataset: Dataset, name: str) -> Video:
    """The video of this name, as the data set loads it.

    Raises:
        InputError: there is none.
        PluginError: what it gives is no video, or one whose instances break the contract.
    """
    video: object = dataset.load(name)
    if not isinstance(video, Video):
        raise _breach(dataset, name, f"is a {type(video).__name__}: load is to return a Video")
    if flaw := _flaw(video.instances, len(video.skeleton)):
        raise _breach(dataset, name, f"has {flaw}")
    return video


def read(frames: Frames, numbers: Sequence[int]) -> Iterator[Tensor]:
    """These frames one after the other, (3, H, W) uint8 each.

    Raises:
        InputError: one cannot be read.
        PluginError: what comes is no such picture, or there are fewer.
    """
    given: object = frames.read_many(numbers)
    pictures = iter(given if isinstance(given, Iterable) else ())
    for number in numbers:
        picture: object = next(pictures, None)
        if flaw := _flaw_of_picture(picture):
            raise _unreadable(frames, f"frame {number} as {flaw}: a tensor (3, H, W) of uint8 is expected")
        yield picture  # type: ignore[misc]  # it has no flaw
    if next(pictures, None) is not None:
        raise _unreadable(frames, f"more frames than the {len(numbers)} it was asked for")


def _breach(dataset: Dataset, name: str, flaw: str) -> PluginError:
    return PluginError(f"data set {type(dataset).__name__}: video '{name}' {flaw}{whose(dataset)}")


def _unreadable(frames: Frames, read: str) -> PluginError:
    return PluginError(f"{type(frames).__name__}, the frames of a video, read {read}{whose(frames)}")


def _flaw(instances: Instances, keypoints: int) -> str | None:
    """What is wrong with the instances of a skeleton of K ``keypoints``, in words."""
    count = len(instances)
    columns = {
        "frame": (torch.int64, (count,)), "track": (torch.int64, (count,)), "boxes": (torch.float32, (count, 4)),
        "previous": (torch.int64, (count,)), "next": (torch.int64, (count,)),
        "keypoints": (torch.float32, (count, keypoints, 2)), "visible": (torch.bool, (count, keypoints)),
        "known": (torch.bool, (count,)),
    }  # fmt: skip
    for name, (kind, shape) in columns.items():
        column = getattr(instances, name)
        if not (column is None and name in ("keypoints", "visible")) and not _fits(column, kind, shape):
            return f"{name} {_form(column)}: {kind} of shape {shape} on the CPU is expected"
    return _flaw_of_numbers(instances)


def _flaw_of_numbers(instances: Instances) -> str | None:
    """As :func:`_flaw`, of columns that have the right form."""
    count, boxes = len(instances), instances.boxes
    if len(instances.ids) != count:
        return f"{len(instances.ids)} ids for {count} instances"
    neighbours = torch.cat([instances.previous, instances.next])
    if ((neighbours < -1) | (neighbours >= count)).any():
        return "neighbours in time that are no instances of it: make Instances by Instances.of(…)"
    flat = ~(boxes.isfinite().all(1) & (boxes[:, 2:] > 0).all(1))
    if flat.any():
        return f"{int(flat.sum())} boxes without an area: drop such instances, and count them in Video.dropped"
    points, visible = instances.keypoints, instances.visible
    if (points is None) != (visible is None):
        return "keypoints without visible, or the reverse: give both, or neither where no truth is known"
    unknown = ~instances.known
    if bool(instances.known.any() if visible is None else visible[unknown].any()):
        return "keypoints and known at odds: what is not known has no visible keypoint, what is known has keypoints"
    if points is not None and visible is not None and not points[visible].isfinite().all():
        return "annotated keypoints that are NaN or infinite: visible is to be False where one is not known"
    return None


def _fits(column: object, kind: torch.dtype, shape: tuple[int, ...]) -> bool:
    """Whether it is a column of this kind and shape on the CPU; that keypoints are more precise does no harm."""
    if not isinstance(column, Tensor) or column.shape != shape or column.device.type != "cpu":
        return False
    return column.dtype == kind or (len(shape) == 3 and column.dtype == torch.float64)


def _form(column: object) -> str:
    """A column's form, in words."""
    if not isinstance(column, Tensor):
        return f"that are a {type(column).__name__}"
    return f"of {column.dtype} of shape {tuple(column.shape)} on {column.device}"


def _flaw_of_picture(picture: object) -> str | None:
    if picture is None:
        return "nothing"
    if not isinstance(picture, Tensor):
        return f"a {type(picture).__name__}"
    if picture.dtype != torch.uint8 or picture.ndim != 3 or len(picture) != 3 or picture.is_meta:
        return f"{tuple(picture.shape)} of {picture.dtype} on {picture.device}"
    return None
