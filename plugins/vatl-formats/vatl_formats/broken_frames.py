"""Frames that cannot be read, and who is on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.progress import bar
from vatl_core.video import Frames, Instances, Video


def broken_frames(frames: Frames, numbers: Iterable[int]) -> set[int]:
    """Which of these frames cannot be read; all of them are."""
    left, broken = sorted(numbers), set[int]()
    while True:  # what a video's damage reaches is known once it was met: what came before is read again
        with bar("look for damage", len(left)) as step:
            found = {number for number in left if not _can_be_read(frames, number, step)}
        broken |= found
        left = [number for number in left if number not in found]
        if not found:
            return broken


def _can_be_read(frames: Frames, number: int, step: Callable[[], None]) -> bool:
    step()
    try:
        frames.read(number)
    except InputError:
        return False
    return True


def without_broken(video: Video, broken: Set[int] | None = None) -> Video:
    """The video without the instances on frames that cannot be read, which are counted.

    Args:
        video: as it is.
        broken: these frames, where they are known; else every frame with an instance is read.

    Raises:
        InputError: nobody is left.
    """
    if broken is None:
        broken = broken_frames(video.frames, video.instances.frame.unique().tolist())
    whole = ~torch.isin(video.instances.frame, torch.tensor(sorted(broken), dtype=torch.int64))
    if whole.all():
        return video
    shown = sorted(broken & set(video.instances.frame.tolist()))
    why = f"on frames that cannot be read ({len(shown)}, from {shown[0]} to {shown[-1]})"
    if not whole.any():
        raise InputError(f"video '{video.name}': everybody is {why}: is its file complete?")
    dropped = {**video.dropped, why: int((~whole).sum())}
    place, by = (whole.cumsum(0) - 1).tolist(), video.labelled_by
    by = None if by is None else {place[i]: who for i, who in by.items() if whole[i]}
    return attrs.evolve(video, instances=rows_of(video.instances, whole), dropped=dropped, labelled_by=by)


def rows_of(instances: Instances, rows: Tensor) -> Instances:
    """Those of the instances at ``rows`` (N,) bool; whose neighbour in time is not among them has none there."""
    place = torch.full((len(instances) + 1,), -1)  # of nobody, who is at -1, too
    place[:-1][rows] = torch.arange(int(rows.sum()))
    columns = {
        field.name: column[rows]
        for field in attrs.fields(Instances)
        if isinstance(column := getattr(instances, field.name), Tensor)
    }
    columns |= {name: place[columns[name]] for name in ("previous", "next")}
    names = tuple(name for name, kept in zip(instances.ids, rows.tolist(), strict=True) if kept)
    return attrs.evolve(instances, ids=names, **columns)


@attrs.define
class Covered(Frames):
    """Frames of which those that cannot be read show what was shown before, as players cover it up.

    Attributes:
        frames: as they are.
        broken: which of them cannot be read.
    """

    frames: Frames
    broken: Set[int]

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, index: int) -> Tensor:
        return self.frames.read(self._whole(index))

    def size(self, index: int) -> tuple[int, int]:
        return self.frames.size(self._whole(index))

    def reader(self) -> Frames:
        return Covered(self.frames.reader(), self.broken)

    def name(self, index: int) -> str:
        return self.frames.name(index)

    def time(self, index: int) -> float:
        return self.frames.time(index)

    def _whole(self, index: int) -> int:
        """The nearest frame before that can be read, or else behind."""
        before, behind = range(index, -1, -1), range(index, len(self))
        return next((i for i in (*before, *behind) if i not in self.broken), index)
