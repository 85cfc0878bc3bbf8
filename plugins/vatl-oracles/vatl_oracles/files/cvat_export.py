"""CVAT's export for images, as XML or in the zip that CVAT makes, read back."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError

import attrs
from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from vatl_core.errors import InputError
from vatl_oracles.files.names import clean
from vatl_oracles.files.replies import (
    NOBODY,
    POSE,
    Declined,
    Reply,
    box_of,
    flaw,
    keypoint,
    number,
    on_picture,
    paired,
    posed,
    word,
)
from vatl_oracles.files.task import Box, Item, Task

_INNER: Final = "annotations.xml"
_LARGEST: Final = 1 << 29
"""Bytes of an XML file; a larger one is no answer to a query."""


def read(path: Path, task: Task) -> list[tuple[Item, Reply]]:
    """What an export says of each item, in the task's order.

    Raises:
        InputError: it cannot be read, or does not answer what was asked; the message names file and item.
    """
    root = _parsed(path)
    if root.tag != "annotations" or root.find("track") is not None or root.find("image") is None:
        raise InputError(f"{path} holds no annotated images: export it from CVAT as 'CVAT for images 1.1'")
    shapes = list(_shapes(root))
    skeletons = [(name, (image, shape)) for name, image, shape in shapes if shape.tag == "skeleton"]
    found = paired(path, task, skeletons)
    boxes = _boxes(path, task, [(name, shape) for name, _, shape in shapes if shape.tag == "box"])
    who = _annotator(root)
    return [
        (item, Reading(path, task, item).reply(image, shape, boxes.get(item.name), who))
        for item, (image, shape) in found
    ]


def _shapes(root: Element) -> Iterator[tuple[str, Element, Element]]:
    """Skeletons and boxes, with the instance that each names and its image."""
    for image in root.iter("image"):
        for shape in image:
            if shape.tag in ("skeleton", "box"):
                name = _attributes(shape).get("instance") or ""
                nameless = f"a {shape.tag} on '{image.get('name')}' without instance"
                yield (name if name.strip() else nameless), image, shape


def _boxes(path: Path, task: Task, given: list[tuple[str, Element]]) -> dict[str, Element]:
    """The boxes by the item that they belong to; one may be missing."""
    boxes: dict[str, Element] = {}
    items = {item.name for item in task.items}
    for name, shape in ((clean(name), shape) for name, shape in given):
        if name not in items:
            raise InputError(f"{path}: a box is of '{name}', which was not asked for: correct its attribute instance")
        if name in boxes:
            raise InputError(f"{path}: instance '{name}' has two boxes: delete one")
        boxes[name] = shape
    return boxes


def _attributes(shape: Element) -> dict[str, str]:
    return {part.get("name", ""): part.text or "" for part in shape.findall("attribute")}


def _annotator(root: Element) -> str:
    """To whom the task or job was assigned; empty where the file does not say."""
    for place in ("meta/task/assignee", "meta/job/assignee", "meta/project/assignee"):
        name = root.findtext(f"{place}/username") or root.findtext(place) or ""
        if name.strip():
            return name.strip()
    return ""


@attrs.frozen
class Reading:
    """One item of an export being read.

    Attributes:
        path: of the file, for messages.
        task, item: what was asked.
    """

    path: Path
    task: Task
    item: Item

    def reply(self, image: Element, skeleton: Element, box: Element | None, who: str) -> Reply:
        """What its skeleton, and its box if it has one, say."""
        size = (self._number(image, side) for side in ("width", "height"))
        on_picture(self.path, self.item, image.get("name"), *size)
        answer = word(self.path, self.item, _attributes(skeleton).get("answer") or None)
        if answer != POSE:
            return Declined(answer == NOBODY, who)
        return posed(self.path, self.task, self.item, self._points(skeleton), self._box(box), who)

    def _points(self, skeleton: Element) -> dict[int, tuple[float, float, int]]:
        """x, y in pixels and v, by keypoint."""
        points: dict[int, tuple[float, float, int]] = {}
        for part in skeleton.findall("points"):
            k = keypoint(f"{self.path}: instance '{self.item.name}'", self.task, part.get("label"))
            if k in points:
                raise flaw(self.path, self.item, f"has the keypoint '{self.task.keypoints[k]}' twice: delete one")
            x, y = self._place(part)
            points[k] = x, y, 0 if self._flag(part, "outside") else 1 if self._flag(part, "occluded") else 2
        return points

    def _flag(self, part: Element, name: str) -> bool:
        value = part.get(name, "0")
        if value not in ("0", "1"):
            raise flaw(self.path, self.item, f"has {name}='{value}' at '{part.get('label')}': it must be 0 or 1")
        return value == "1"

    def _place(self, part: Element) -> list[float]:
        name, text = part.get("label"), part.get("points") or ""
        values = [_as_number(value) for value in text.split(",")]
        if len(values) != 2:
            raise flaw(self.path, self.item, f"has the points '{text[:40]}' at '{name}': they must be x,y")
        return [number(self.path, self.item, f"a coordinate of '{name}'", value) for value in values]

    def _box(self, box: Element | None) -> Box | None:
        if box is None:
            return None
        if _as_number(box.get("rotation") or "0") != 0:
            raise flaw(self.path, self.item, "has a turned box: turn it back")
        left, top, right, bottom = (
            number(self.path, self.item, "a side of its box", _as_number(box.get(side) or ""))
            for side in ("xtl", "ytl", "xbr", "ybr")
        )
        return box_of(self.path, self.item, (left, top, right - left, bottom - top))

    def _number(self, element: Element, name: str) -> object:
        text = element.get(name)
        return None if text is None else _as_number(text)


def _as_number(text: str) -> object:
    """A float where the text is one, else the text."""
    try:
        return float(text)
    except ValueError:
        return text


# -------------------------------------------------------------------------------------------------------------- parsing
def _parsed(path: Path) -> Element:
    """The root of an XML file, or of the one in a zip.

    Raises:
        InputError: it cannot be read, is cut off, or is made to exhaust whoever reads it.
    """
    try:
        root: Element = fromstring(_bytes(path), forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(f"{path} declares entities or a document type, which no export of CVAT does") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path} is not XML ({error}): is it complete?") from error
    return root


def _bytes(path: Path) -> bytes:
    try:
        if not zipfile.is_zipfile(path):
            return _limited(path, path.stat().st_size, path.read_bytes)
        with zipfile.ZipFile(path) as archive:
            inner = [info for info in archive.infolist() if Path(info.filename).name == _INNER]
            if len(inner) != 1:
                raise InputError(f"{path} holds {len(inner)} files called {_INNER}: export one task from CVAT")
            return _limited(path, inner[0].file_size, lambda: archive.read(inner[0]))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{path} is a damaged zip ({error}): is it complete?") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error


def _limited(path: Path, size: int, load: Callable[[], bytes]) -> bytes:
    if size > _LARGEST:
        raise InputError(f"{path} holds {size} bytes of XML, more than the {_LARGEST} that are read")
    return load()
