"""Images of a video that do not say which frame they are."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from vatl_formats.rows import Rows

_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_REMEDY: Final = "give each its frame_index, from 0 on"
_ROBOFLOW: Final = re.compile(r"_(?:bmp|jpe?g|png|tiff?|webp)\.rf\.\w+$", re.ASCII | re.IGNORECASE)
"""What Roboflow adds to a name, with a hash in which digits count nothing."""
_DIGITS: Final = 15
"""Of a number that a frame can have."""


def by_position(images: Rows) -> list[int]:
    """The frame of each image where no ``frame_index`` tells it: its position in the list.

    Raises:
        InputError: the images' names count otherwise, as where only some frames are listed.
    """
    numbers = [_number(row.get("file_name")) for row in images.objects]
    told = [number for number in numbers if number is not None]
    if len(set(told)) == len(images):  # else they are the video's own name, or none
        for position, number in enumerate(told):
            if number - told[0] != position:
                name = images.objects[position]["file_name"]
                raise images.error(position, f"is called '{name}', but is no. {position + 1} of them: {_REMEDY}")
    return list(range(len(images)))


def by_name(images: Rows) -> list[int]:
    """The place in time of each of n picture files: as their names count, whatever the order of the list.

    Names count where they are the same but for their numbers, such as cam1-007.png; else the list's order stands.
    """
    counted = [_counted(str(row.get("file_name"))) for row in images.objects]
    texts, numbers = {text for text, _ in counted}, [number for _, number in counted]
    if len(texts) > 1 or len(set(numbers)) < len(numbers):
        return list(range(len(numbers)))
    place = {number: i for i, number in enumerate(sorted(numbers))}
    return [place[number] for number in numbers]


def _counted(name: str) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """What stands between a name's numbers, and the numbers, which compare as such however many digits they have."""
    stem = _ROBOFLOW.sub("", str(PurePath(name).with_suffix("")) if PurePath(name).name else name)
    digits = [number.lstrip("0") for number in _NUMBER.findall(stem)]
    return tuple(_NUMBER.split(stem)), tuple((len(number), number) for number in digits)


def _number(name: object) -> int | None:
    """The last number in a file's name."""
    found = _NUMBER.findall(PurePath(name).stem) if isinstance(name, str) else []
    return int(found[-1][-_DIGITS:]) if found else None
