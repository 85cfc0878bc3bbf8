"""When pictures of a video were taken, as their names tell, and which instances on them follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_frames import PictureFiles

_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_ROBOFLOW: Final = re.compile(r"_(?:bmp|jpe?g|png|tiff?|webp)\.rf\.\w+$", re.ASCII | re.IGNORECASE)
"""What Roboflow adds to a name, with a hash in which digits count nothing."""
_LARGEST: Final = 2**53
_NEAR: Final = 0.25
"""By which part of itself a step may differ from the usual one: what is named by a clock does not tick evenly."""

Numbers = tuple[int, ...]


@attrs.define
class NumberedPictures(PictureFiles):
    """Pictures that are frames of a video, some of which are left out between them.

    Attributes:
        numbers: the number of each there, ascending.
        begin: the number at time 0.
        names: what each is called in the data set, its folder included; None where it is the file's own name.
    """

    numbers: Sequence[int] = attrs.field(kw_only=True)
    begin: int = attrs.field(kw_only=True, default=0)
    names: Sequence[str] | None = attrs.field(kw_only=True, default=None)

    def time(self, index: int) -> float:
        return float(self.numbers[index] - self.begin)


def frames_of_names(names: Sequence[str]) -> list[int] | None:
    """The frame of its video that each of n pictures of one folder is: the number in which alone their names differ.

    The first does where they differ in several and no two have the same first, as in frame12_0.48s.png. None where
    names do not tell.
    """
    counted = [_counted(PurePath(name).name) for name in names]
    if len({(PurePath(name).parent, text) for name, (text, _) in zip(names, counted, strict=True)}) != 1:
        return None
    frames = _of_one_number([numbers for _, numbers in counted])
    return frames if frames and max(frames) < _LARGEST else None


def times_of_names(names: Sequence[str]) -> list[int]:
    """The time of each of n pictures, whatever the order of the list: its frame, where names tell it.

    Where names differ in several numbers, such as cam1-007.png and cam2-001.png, the last is the time and the others
    part the pictures, as folders and texts do of which each belongs to several. Then times begin at 0. The list's order
    stands where names tell nothing.
    """
    frames = frames_of_names(names)
    if frames is not None:
        return frames
    parts: dict[tuple[str, ...], list[int]] = {}
    counted = [_counted(name) for name in names]
    for position, (text, _) in enumerate(counted):
        parts.setdefault(text, []).append(position)
    told = [[counted[i][1] for i in part] for part in parts.values()]
    alone = len(parts) > 1 and any(len(part) == 1 for part in told)
    if alone or any(len(set(part)) < len(part) for part in told):
        return list(range(len(names)))
    times = dict(zip((i for part in parts.values() for i in part), _apart(map(_times, told)), strict=True))
    if max(times.values(), default=0) >= _LARGEST:  # none that a clock ticks
        times = {i: place for place, i in enumerate(sorted(times, key=times.__getitem__))}
    return [times[i] for i in range(len(names))]


def _counted(name: str) -> tuple[tuple[str, ...], Numbers]:
    """What stands between a name's numbers, and the numbers."""
    stem = _ROBOFLOW.sub("", str(PurePath(name).with_suffix("")) if PurePath(name).name else name)
    return tuple(_NUMBER.split(stem)), tuple(int(number.lstrip("0")[:4000] or 0) for number in _NUMBER.findall(stem))


def _of_one_number(numbers: list[Numbers]) -> list[int] | None:
    """That of m numbers which tells n rows apart: the first that differs, if no two have the same."""
    differing = _differing(numbers)
    told = [row[differing[0]] if differing else row[-1] for row in numbers if row]
    return told if len(set(told)) == len(numbers) else None


def _differing(numbers: list[Numbers]) -> list[int]:
    return [place for place in range(len(numbers[0])) if len({row[place] for row in numbers}) > 1]


def _times(numbers: list[Numbers]) -> list[int]:
    """The time of each of n pictures that have m numbers each, no two the same."""
    if (told := _of_one_number(numbers)) or not numbers[0]:
        return told or [0]
    *others, last = _differing(numbers)
    parts: dict[Numbers, list[int]] = {}
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    for i in order:
        parts.setdefault(tuple(numbers[i][place] for place in others), []).append(i)
    times = dict(zip(order, _apart([numbers[i][last] for i in part] for part in parts.values()), strict=True))
    return [times[i] for i in range(len(numbers))]


def _apart(parts: Iterable[list[int]]) -> list[int]:
    """The times of parts one after the other, from 0 on; between them lies more than within."""
    times: list[int] = []
    begin = 0
    for part in parts:
        times += [begin + time - min(part) for time in part]
        begin += 2 * (max(part) - min(part)) + 2
    return times


def neighbours_in_time(time: Tensor, track: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of each instance's neighbours, (n,) each, −1 where there is none.

    Neighbours follow each other at the video's usual step: that which at least half of the steps within tracks are, but
    for a quarter of it, and three at the least. Of pictures picked here and there none is usual: 1 is.

    Args:
        time: (n,) whole numbers.
        track: (n,) which individual.
    """
    order = torch.argsort(time, stable=True)
    order = order[torch.argsort(track[order], stable=True)]
    step = time[order].diff()
    same = (track[order].diff() == 0) & (step > 0)
    follows = same & (step <= _longest(step[same]))
    previous, following = torch.full_like(order, -1), torch.full_like(order, -1)
    previous[order[1:][follows]] = order[:-1][follows]
    following[order[:-1][follows]] = order[1:][follows]
    return previous, following


def _longest(steps: Tensor) -> float:
    """The longest step that is none across a gap."""
    usual = float(steps.median()) if len(steps) else 1.0
    near = int(((steps - usual).abs() <= _NEAR * usual).sum())
    return (1 + _NEAR) * usual if near >= 3 and 2 * near >= len(steps) else 1.0
