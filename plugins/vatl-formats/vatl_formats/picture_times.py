"""When pictures of a video were taken, as their names tell, and which instances on them follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_core.video import PictureFiles

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


def times_of_names(names: Sequence[str]) -> list[int]:
    """The time of each of n pictures from 0 on, whatever the order of the list: the number in its name.

    Numbers count where names are the same but for them, such as cam1-007.png; where they are the same but for several,
    such as cam1-007.png and cam2-001.png, the last is the time and the others part the pictures, as names do of which
    each belongs to several. The list's order stands where names tell nothing.
    """
    parts: dict[tuple[str, ...], list[int]] = {}
    numbers = []
    for position, name in enumerate(names):
        text, counted = _counted(name)
        parts.setdefault(text, []).append(position)
        numbers.append(counted)
    told = [[numbers[i] for i in part] for part in parts.values()]
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


def _times(numbers: list[Numbers]) -> list[int]:
    """The time of each of n pictures that have m numbers each, no two the same."""
    differing = [place for place in range(len(numbers[0])) if len({row[place] for row in numbers}) > 1]
    if not differing:
        return [0] * len(numbers)
    if len({row[differing[0]] for row in numbers}) == len(numbers):  # the first tells it, such as of frame12_0.48s.png
        first = min(row[differing[0]] for row in numbers)
        return [row[differing[0]] - first for row in numbers]
    parts: dict[Numbers, list[int]] = {}
    for position in sorted(range(len(numbers)), key=numbers.__getitem__):
        parts.setdefault(tuple(numbers[position][place] for place in differing[:-1]), []).append(position)
    last = [[numbers[i][differing[-1]] for i in part] for part in parts.values()]
    order = [i for part in parts.values() for i in part]
    times = dict(zip(order, _apart([n - min(part) for n in part] for part in last), strict=True))
    return [times[i] for i in range(len(numbers))]


def _apart(parts: Iterable[list[int]]) -> list[int]:
    """The times of parts one after the other, between which lies more than within."""
    times: list[int] = []
    begin = 0
    for part in parts:
        times += [begin + time for time in part]
        begin += 2 * max(part) + 2
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
