"""A video from what a script has at hand: pictures in memory, and boxes or keypoints."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video.geometry import boxes_around
from vatl_core.video.instances import Instances
from vatl_core.video.skeleton import Skeleton
from vatl_core.video.source import Frames


@attrs.frozen(eq=False)
class Pictures(Frames):
    """Frames that are in memory.

    Attributes:
        pictures: (F, 3, H, W) uint8 RGB, on any device.
    """

    pictures: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> Tensor:
        return self.pictures[index].cpu()


def frames_of(source: Any) -> Frames:
    """Frames from a tensor or array (F, 3, H, W) uint8 RGB.

    Raises:
        InputError: it is nothing of the kind.
    """
    if isinstance(source, Frames):
        return source
    try:
        pictures = torch.as_tensor(source)
    except (TypeError, ValueError, RuntimeError) as error:
        meant = "give pictures, or vatl_frames.opened(…) of their files or of a video"
        raise InputError(f"a {type(source).__name__} holds no frames: {meant}") from error
    if pictures.ndim != 4 or pictures.shape[1] != 3 or pictures.dtype != torch.uint8:
        found = f"{tuple(pictures.shape)} of {str(pictures.dtype).removeprefix('torch.')}"
        raise InputError(f"frames in memory must be (F, 3, H, W) of uint8, RGB; these are {found}")
    return Pictures(pictures)


def instances_of(
    pictures: Frames, skeleton: Skeleton, boxes: Any, frame: Any, track: Any, keypoints: Any, visible: Any, known: Any
) -> Instances:
    """The instances on these pictures, of columns that :meth:`Video.of` documents."""
    points, seen, told = _truth(keypoints, visible, known, skeleton) if keypoints is not None else (None, None, None)
    around = _boxes(boxes, points, seen)
    count = len(around)
    when = _when(frame, count, len(pictures))
    alone = when * 0 if frame is None else torch.arange(count)  # one instance a frame: one individual
    who = alone if track is None else _column(track, count, "track")
    if points is not None and len(points) != count:
        raise InputError(f"there are {count} boxes, but keypoints of {len(points)} instances")
    return Instances.of(when, who, around, None, points, seen, told)


def _truth(keypoints: Any, visible: Any, known: Any, skeleton: Skeleton) -> tuple[Tensor, Tensor, Tensor]:
    """Keypoints (N, K, 2), which are annotated (N, K) and whose are known (N,): what is finite, and what is said."""
    points = torch.as_tensor(keypoints).detach().cpu().float()
    if points.ndim != 3 or points.shape[1:] != (len(skeleton), 2):
        wanted = f"(N, {len(skeleton)}, 2) for skeleton '{skeleton.name}'"
        raise InputError(f"keypoints must be {wanted}; these are {tuple(points.shape)}")
    finite = points.isfinite().all(2)
    told = finite.any(1) if known is None else _flags(known, (len(points),), "known", "an instance")
    seen = finite if visible is None else finite & _flags(visible, tuple(finite.shape), "visible", "a keypoint")
    return points, seen & told[:, None], told


def _flags(values: Any, shape: tuple[int, ...], name: str, each: str) -> Tensor:
    flags = torch.as_tensor(values).detach().cpu() > 0
    if flags.shape != shape:
        raise InputError(f"{name} must be {shape}, one flag {each}; it is {tuple(flags.shape)}")
    return flags


def _boxes(boxes: Any, keypoints: Tensor | None, visible: Tensor | None) -> Tensor:
    """(N, 4), around the keypoints where none are given."""
    if boxes is not None:
        given = torch.as_tensor(boxes).detach().cpu().float()
        if given.ndim != 2 or given.shape[1] != 4:
            raise InputError(f"boxes must be (N, 4), x, y, width, height in pixels; these are {tuple(given.shape)}")
    elif keypoints is None or visible is None:
        raise InputError("a video needs boxes, or keypoints to lay boxes around")
    else:
        given = boxes_around(keypoints.nan_to_num(0.0, 0.0, 0.0), visible)
    flat = torch.nonzero(~(given.isfinite().all(1) & (given[:, 2:] > 0).all(1))).flatten()
    if len(flat):
        raise InputError(f"the box of instance {int(flat[0])} has no area, and so {len(flat)} of {len(given)}")
    return given


def _when(frame: Any, count: int, frames: int) -> Tensor:
    if frame is not None:
        return _column(frame, count, "frame")
    if count != frames:
        raise InputError(f"there are {count} instances on {frames} frames: give `frame`, the frame of each")
    return torch.arange(count)


def _column(values: Any, count: int, name: str) -> Tensor:
    column = torch.as_tensor(values).detach().cpu()
    if column.shape != (count,) or column.is_floating_point() or column.dtype == torch.bool:
        raise InputError(f"`{name}` must be {count} whole numbers, one for each instance")
    return column.long()
