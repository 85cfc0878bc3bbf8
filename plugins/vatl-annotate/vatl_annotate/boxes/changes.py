"""What the page sends of the tracks, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vatl_annotate.boxes.boxes_file import MOST
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.tracks import Box, Key, Track, rounded
from vatl_annotate.submission import RefusedError

_EDGE: Final = 0.01
"""Pixels that rounding may put a box beyond the edge of its picture."""

Changes = Mapping[int, Track | None]
"""Tracks as they are from now on, by number; None for those that are deleted."""


def read_changes(body: Mapping[str, Any], footage: Footage) -> Changes:
    """The field ``tracks``: an object of track numbers with lists of frame, x, y, width, height, leaves; or null.

    Raises:
        RefusedError: it is something else, or a box lies outside of its picture.
    """
    tracks = body.get("tracks")
    if not isinstance(tracks, dict) or not tracks:
        raise RefusedError(422, "'tracks' must be an object of tracks by number")
    return {_number(name): _track(_number(name), keys, footage) for name, keys in tracks.items()}


def _number(name: str) -> int:
    if not name.isascii() or not name.isdecimal() or len(name) > 6 or str(int(name)) != name:
        raise RefusedError(422, f"a track's number must be a whole number below {MOST}")
    return int(name)


def _track(number: int, keys: object, footage: Footage) -> Track | None:
    if keys is None:
        return None
    if not isinstance(keys, list) or not keys:
        raise RefusedError(422, f"track {number} must be a list of key frames, one at least, or null")
    read = sorted((_key(key, footage) for key in keys), key=lambda key: key.frame)
    if len({key.frame for key in read}) < len(read):
        raise RefusedError(422, f"track {number} has a key frame twice")
    return Track(number, tuple(read))


def _key(key: object, footage: Footage) -> Key:
    if not isinstance(key, list) or len(key) != 6:
        raise RefusedError(422, "a key frame must be frame, x, y, width, height, leaves")
    frame, *box, leaves = key
    if type(frame) is not int or not 0 <= frame < len(footage):
        raise RefusedError(422, f"a key frame's frame must be a whole number from 0 to {len(footage) - 1}")
    if type(leaves) is not bool:
        raise RefusedError(422, "a key frame's leaves must be true or false")
    return Key(frame, _box(box, footage.size_of(frame)), leaves)


def _box(values: list[Any], size: tuple[int, int]) -> Box:
    if any(type(value) not in (int, float) for value in values):
        raise RefusedError(422, "a box must be x, y, width, height in pixels")
    x, y, width, height = values
    for start, extent, side in ((x, width, size[0]), (y, height, size[1])):
        if not (-_EDGE <= start < side and extent > 0 and start + extent <= side + _EDGE):  # no for NaN, too
            raise RefusedError(422, "a box must have an area and lie in the picture")
    box = rounded((float(x), float(y), float(width), float(height)))
    if min(box[2:]) <= 0:
        raise RefusedError(422, "a box must have an area and lie in the picture")
    return box
