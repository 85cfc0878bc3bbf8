"""Images of a video that do not say which frame they are."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from vatl_formats.rows import Rows

_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_REMEDY: Final = "give each its frame_index, from 0 on"
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


def _number(name: object) -> int | None:
    """The last number in a file's name."""
    found = _NUMBER.findall(PurePath(name).stem) if isinstance(name, str) else []
    return int(found[-1][-_DIGITS:]) if found else None
