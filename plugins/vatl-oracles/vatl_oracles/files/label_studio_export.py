"""Label Studio's JSON export, read back."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.errors import InputError
from vatl_formats import read_json
from vatl_oracles.files.replies import (
    NOBODY,
    Declined,
    Reply,
    box_of,
    flaw,
    keypoint,
    number,
    on_picture,
    paired,
    posed,
)
from vatl_oracles.files.task import Box, Item, Task

OCCLUDED: Final = "occluded"
"""The choice that marks a keypoint as hidden."""
KINDS: Final = ("keypointlabels", "rectanglelabels", "choices")
"""What regions are read of; the field of their value that says what they are is called the same."""
_ROUNDING: Final = 1e-3
"""Per cent that a keypoint may lie beyond the picture's edge."""

Region = Mapping[str, Any]


def read(path: Path, task: Task) -> list[tuple[Item, Reply]]:
    """What an export says of each item, in the task's order.

    Where several people labelled one, the latest annotation counts.

    Raises:
        InputError: it cannot be read, or does not answer what was asked; the message names file and item.
    """
    content = read_json(path, "Label Studio's JSON export")
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise InputError(f"{path} is no JSON export of Label Studio: it must be a list of tasks")
    if any("annotations" not in row and "annotation_id" in row for row in content):
        raise InputError(f"{path} is JSON-MIN, which does not say which keypoints are {OCCLUDED}: export it as JSON")
    found = paired(path, task, [(_name(row, place), row) for place, row in enumerate(content, 1)])
    return [(item, Reading(path, task, item).reply(row)) for item, row in found]


def _name(row: Mapping[str, Any], place: int) -> str:
    data = row.get("data")
    name = data.get("instance") if isinstance(data, dict) else None
    return f"no. {place} of the file, which names no instance" if name is None else str(name)


@attrs.frozen
class Reading:
    """One task of an export being read.

    Attributes:
        path: of the file, for messages.
        task, item: what was asked.
    """

    path: Path
    task: Task
    item: Item

    def reply(self, row: Mapping[str, Any]) -> Reply:
        """What its latest annotation says."""
        on_picture(self.path, self.item, row["data"].get("picture"))
        given = self._objects(row.get("annotations"), "annotations")
        if not given:
            raise self._flaw("has no annotation: submit or skip its task, then export again")
        kept = [annotation for annotation in given if not annotation.get("was_cancelled")]
        latest = max(kept or given, key=_time)
        who = _annotator(latest.get("completed_by"))
        if not kept:
            return Declined(absent=False, annotator=who)
        result = self._objects(latest.get("result"), "result")
        self._refuse_mistaken(result)
        chosen = {choice for region in result for choice in self._labels(region, "choices")}
        if NOBODY in chosen:
            return Declined(absent=True, annotator=who)
        seconds = number(self.path, self.item, "lead_time", latest.get("lead_time") or 0.0)
        return posed(self.path, self.task, self.item, self._points(result), self._box(result), who, max(seconds, 0.0))

    def _refuse_mistaken(self, result: Sequence[Region]) -> None:
        """Regions of an unknown type are of no concern, but not where they hold what a known one does."""
        for region in result:
            value, kind = region.get("value"), region.get("type")
            held = next((known for known in KINDS if isinstance(value, dict) and known in value), kind)
            if held != kind:
                raise self._flaw(f"has a region of type {reprlib.repr(kind)} that holds {held}: correct its type")

    def _points(self, result: Sequence[Region]) -> dict[int, tuple[float, float, int]]:
        """x, y in pixels and v, by keypoint."""
        hidden = {str(region.get("id")) for region in result if OCCLUDED in self._labels(region, "choices")}
        points: dict[int, tuple[float, float, int]] = {}
        for region, name in self._labelled(result, "keypointlabels"):
            k = keypoint(f"{self.path}: instance '{self.item.name}'", self.task, name)
            if k in points:
                raise self._flaw(f"has the keypoint '{self.task.keypoints[k]}' twice: delete one")
            x, y = self._pixels(region, ("x", "y"), within=True)
            points[k] = x, y, 1 if str(region.get("id")) in hidden else 2
        return points

    def _box(self, result: Sequence[Region]) -> Box | None:
        boxes = [region for region, _ in self._labelled(result, "rectanglelabels")]
        if len(boxes) > 1:
            raise self._flaw(f"has {len(boxes)} boxes: delete all but its own")
        if not boxes:
            return None
        if self._value(boxes[0]).get("rotation"):
            raise self._flaw("has a turned box: turn it back")
        return box_of(self.path, self.item, self._pixels(boxes[0], ("x", "y", "width", "height")))

    def _labelled(self, result: Sequence[Region], kind: str) -> Iterator[tuple[Region, str]]:
        """The regions of a kind, each with its one label."""
        for region in result:
            if region.get("type") == kind:
                labels = self._labels(region, kind)
                if len(labels) != 1:
                    raise self._flaw(f"has a region of {kind} with {len(labels)} labels: give it one")
                yield region, labels[0]

    def _pixels(self, region: Region, sides: Sequence[str], within: bool = False) -> list[float]:
        """Places or lengths of a region, from per cent; ``within`` the picture."""
        on_picture(self.path, self.item, None, region.get("original_width"), region.get("original_height"))
        found = []
        for side in sides:
            value = number(self.path, self.item, f"{side} of {_called(region)}", self._value(region).get(side))
            if within and not -_ROUNDING <= value <= 100 + _ROUNDING:
                raise self._flaw(f"has {side} = {value} % at {_called(region)}: it must be 0 to 100")
            found.append(value * self.item.size[side in ("y", "height")] / 100)
        return found

    def _labels(self, region: Region, kind: str) -> list[str]:
        """The labels or choices of a region, none where it is of another kind."""
        if region.get("type") != kind:
            return []
        labels = self._value(region).get(kind, [])
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise self._flaw(f"has {kind} {reprlib.repr(labels)}: they must be a list of names")
        return labels

    def _value(self, region: Region) -> Mapping[str, Any]:
        value = region.get("value")
        if not isinstance(value, dict):
            raise self._flaw(f"has a region without a value: {reprlib.repr(dict(region))}")
        return value

    def _objects(self, value: object, what: str) -> list[Region]:
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise self._flaw(f"has {what} that are no list of objects: export the project as JSON")
        return value

    def _flaw(self, problem: str) -> InputError:
        return flaw(self.path, self.item, problem)


def _called(region: Region) -> str:
    """A region's label, for messages."""
    labels = region["value"].get("keypointlabels") or ["its box"]
    return f"'{labels[0]}'" if region.get("type") == "keypointlabels" else "its box"


def _time(annotation: Mapping[str, Any]) -> str:
    """When an annotation was last changed; ISO dates sort as text."""
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _annotator(who: object) -> str:
    """Who completed an annotation: an account, or its number."""
    if isinstance(who, dict):
        return str(who.get("email") or who.get("username") or who.get("id") or "")
    return "" if who is None else f"Label Studio user {who}"
