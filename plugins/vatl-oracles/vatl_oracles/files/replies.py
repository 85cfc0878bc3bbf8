"""What came back for each item, held to what was asked, and as the core takes it."""

from __future__ import annotations

import difflib
import reprlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import attrs
import torch

from vatl_core.contracts import Labels, Redrawn, Refusal
from vatl_core.errors import InputError
from vatl_formats import LARGEST
from vatl_oracles.files.names import clean, listed
from vatl_oracles.files.task import Box, Item, Point, Task

SMALLEST: Final = 2.0
"""Pixels that a side of a redrawn box has at least."""
_REMEDY: Final = ": positions are pixels from its upper left corner"
STILL: Final = 0.5
"""Pixels within which a keypoint or a side of a box counts as not moved."""

POSE: Final = "pose"
NOBODY: Final = "nobody is here"
SKIPPED: Final = "skipped"
WORDS: Final = (POSE, NOBODY, SKIPPED)
"""What an item may be answered with, where a format has a field for it."""

T = TypeVar("T")


@attrs.frozen
class Posed:
    """An item that was labelled.

    Attributes:
        keypoints: K points in pixels, 0 0 where not annotated.
        values: K times 0 (not annotated), 1 (hidden), 2 (visible).
        box: x, y, width, height in pixels; None where there is none any more.
        annotator: who; empty where the file does not say.
        seconds: spent on it.
    """

    keypoints: tuple[Point, ...]
    values: tuple[int, ...]
    box: Box | None
    annotator: str = ""
    seconds: float = 0.0


@attrs.frozen
class Declined:
    """An item that gets no label.

    Attributes:
        absent: whether nobody is there; else it was skipped.
        annotator: who; empty where the file does not say.
    """

    absent: bool
    annotator: str = ""


Reply = Posed | Declined


def answers(item: Item, reply: Reply, annotator: str) -> Iterator[Labels | Redrawn | Refusal]:
    """A reply as the core takes it; ``annotator`` is who gave it where the file does not say."""
    who = reply.annotator or annotator
    if isinstance(reply, Declined):
        yield Refusal(item.index, who, reply.absent)
        return
    if reply.box and _is_moved(reply.box, item.box):
        yield Redrawn(item.index, reply.box, who)
    points, proposal = (torch.tensor(p, dtype=torch.float32)[None] for p in (reply.keypoints, item.proposal))
    values = torch.tensor(reply.values)[None]
    moved = ((points - proposal).abs().amax(2) > STILL) | (values == 0)
    yield Labels(
        index=torch.tensor([item.index]),
        keypoints=points,
        visible=values > 0,
        annotator=who,
        seconds=torch.tensor([reply.seconds]),
        occluded=values == 1,
        moved=moved.sum(1),
        proposals=proposal,
    )


def _is_moved(box: Box, asked: Box) -> bool:
    return any(abs(a - b) > STILL for a, b in zip(box, asked, strict=True))


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


# ------------------------------------------------------------------------------------------------------ what was asked
def paired(path: Path, task: Task, given: Sequence[tuple[str, T]]) -> list[tuple[Item, T]]:
    """Each item with what an answer holds for it, in the task's order.

    Args:
        path: of the answer, for messages.
        task: what was asked.
        given: names as the answer has them, each with what stands there.

    Raises:
        InputError: an item is missing, there twice, or was not asked for.
    """
    found = [(clean(name), part) for name, part in given]
    names = [item.name for item in task.items]
    count = Counter(name for name, _ in found)
    missing, extra = [n for n in names if n not in count], [n for n in count if n not in set(names)]
    flaws = {
        "missing": missing,
        "not asked for": extra,
        "there more than once": [name for name, times in count.items() if times > 1],
    }
    said = [f"{len(which)} {what} ({listed(which)})" for what, which in flaws.items() if which]
    if said:
        raise InputError(f"{path} does not answer what was asked: {'; '.join(said)}{_renamed(missing, extra)}")
    parts = dict(found)
    return [(item, parts[item.name]) for item in task.items]


def _renamed(missing: Sequence[str], extra: Sequence[str]) -> str:
    for name in extra:
        near = difflib.get_close_matches(name, missing, n=1, cutoff=0.5)
        if near:
            return f"; was '{near[0]}' renamed to '{name}'?"
    return ""


# ----------------------------------------------------------------------------------------------------------- in a reply
def flaw(path: Path, item: Item, problem: str) -> InputError:
    """The error for what an answer says of an item; ``problem`` continues a sentence that begins with its name."""
    return InputError(f"{path}: instance '{item.name}' {problem}")


def number(path: Path, item: Item, what: str, value: object) -> float:
    """A number that stands for pixels or per cents.

    Raises:
        InputError: it is none, NaN, or too large to be one.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:  # no for NaN, too
        return float(value)
    raise flaw(path, item, f"has {reprlib.repr(value)} as {what}: it must be a number")


def box_of(path: Path, item: Item, sides: Sequence[object]) -> Box:
    """A box x, y, width, height in pixels.

    Raises:
        InputError: a side is no number, or it was redrawn without area or outside of the picture.
    """
    x, y, width, height = box = tuple(number(path, item, "a side of its box", side) for side in sides)
    if _is_moved((x, y, width, height), item.box):
        if width < SMALLEST or height < SMALLEST:
            raise flaw(path, item, f"has a box without area, {_numbers(box)}: draw it again")
        for start, extent, side in ((x, width, item.size[0]), (y, height, item.size[1])):
            if not (-side <= start < side and 0 < start + extent <= 2 * side):
                raise flaw(path, item, f"has the box {_numbers(box)}, which is not in its picture{_REMEDY}")
    return x, y, width, height


def fits_its_own(path: Path, task: Task, item: Item, box: Box) -> None:
    """Make sure that an answer's box is of the instance that the answer is taken for.

    Args:
        path: of the answer, for messages.
        task: what was asked.
        item: whom the answer is taken for.
        box: x, y, width, height in pixels.

    Raises:
        InputError: it fits another instance that is asked for in the same picture better.
    """
    others = [other for other in task.items if other.picture == item.picture and other is not item]
    best = max(others, key=lambda other: _overlap(box, other.box), default=item)
    if _is_moved(box, item.box) and _overlap(box, best.box) > _overlap(box, item.box):
        said = f"has the box {_numbers(box)}, which fits instance '{best.name}' of its picture better"
        raise flaw(path, item, f'{said}: were ids given anew? Restore them, or name who is meant in "instance"')


def _overlap(a: Box, b: Box) -> float:
    """The intersection over the union of two boxes x, y, w, h; one without extent counts as a pixel wide and high."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = ((x, y, max(w, 1.0), max(h, 1.0)) for x, y, w, h in (a, b))
    width, height = min(ax + aw, bx + bw) - max(ax, bx), min(ay + ah, by + bh) - max(ay, by)
    common = max(width, 0.0) * max(height, 0.0)
    return common / (aw * ah + bw * bh - common)


def on_picture(path: Path, item: Item, picture: object, width: object = None, height: object = None) -> None:
    """Make sure that an item was labelled on its own picture, as it was written.

    Raises:
        InputError: it was not; None, or no name at all, says nothing.
    """
    name = item.picture if picture in (None, "") else str(picture).replace("\\", "/").rpartition("/")[2]
    if name != item.picture:
        raise flaw(path, item, f"is on picture '{name}', but belongs on '{item.picture}'")
    for side, given, asked in (("wide", width, item.size[0]), ("high", height, item.size[1])):
        if given is not None and number(path, item, f"how {side} its picture is", given) != asked:
            raise flaw(path, item, f"was labelled on a picture {given} pixels {side}, but '{name}' is {asked}")


def posed(
    path: Path,
    task: Task,
    item: Item,
    points: Mapping[int, tuple[float, float, int]],
    box: Box | None,
    annotator: str = "",
    seconds: float = 0.0,
) -> Posed:
    """A pose.

    Args:
        path: of the answer, for messages.
        task: what was asked.
        item: whose pose it is.
        points: x, y in pixels and v of those keypoints that the answer has.
        box: x, y, width, height in pixels; None where there is none.
        annotator: who; empty where the file does not say.
        seconds: spent on it.

    Raises:
        InputError: no keypoint is annotated, or one is far outside of the picture.
    """
    triples = [points.get(k, (0.0, 0.0, 0)) for k in range(len(task.keypoints))]
    for name, (x, y, v) in zip(task.keypoints, triples, strict=True):
        if v and not all(-side <= place <= 2 * side for place, side in zip((x, y), item.size, strict=True)):
            raise flaw(path, item, f"has '{name}' at {_numbers((x, y))}, far outside of its picture{_REMEDY}")
    if not any(v for _, _, v in triples):
        raise flaw(path, item, f"has no keypoint: place one, or answer '{NOBODY}' or '{SKIPPED}'")
    places = tuple((x, y) if v else (0.0, 0.0) for x, y, v in triples)
    return Posed(places, tuple(v for _, _, v in triples), box, annotator, seconds)


def keypoint(where: str, task: Task, name: object) -> int:
    """The index of a keypoint; ``where`` says what names it, for messages.

    Raises:
        InputError: there is none of that name.
    """
    text = clean(str(name))
    if text in task.keypoints:
        return task.keypoints.index(text)
    near = difflib.get_close_matches(text, task.keypoints, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {listed(task.keypoints)}"
    raise InputError(f"{where} has a keypoint '{text}', which is none of the skeleton's: {hint}")


def word(path: Path, item: Item, given: object) -> str:
    """One of :data:`WORDS`, the first where nothing is given.

    Raises:
        InputError: it is another.
    """
    text = POSE if given is None else clean(str(given))
    if text not in WORDS:
        raise flaw(path, item, f"is answered '{text}': it must be {', '.join(WORDS[:-1])} or {WORDS[-1]}")
    return text
