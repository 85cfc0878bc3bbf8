"""Boxes in MOTChallenge's text format: frame from 1 on, id, x, y, width, height, confidence and more."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from vatl_core.errors import InputError
from vatl_core.video import Frames
from vatl_formats import LARGEST
from vatl_video.boxes import Boxes, called

FIELDS: Final = ("frame", "id", "x", "y", "width", "height", "confidence")
"""What a line holds; the last may be missing, and more may follow."""
_LEAST: Final = 6
_UNKNOWN: Final = -1
Row = tuple[int, int, float, float, float, float, float]


def read_mot(path: Path, text: str, frames: Frames, dropped: dict[str, int]) -> Boxes:
    """The boxes that a file lists; id −1 is nobody's, confidence −1 nobody's measure.

    Args:
        path: of the file, for messages.
        text: what it holds.
        frames: of the video.
        dropped: where to count the lines that the file itself says not to consider (confidence 0).

    Raises:
        InputError: a line that cannot be used, or a track twice in a frame; the line's number is told.
    """
    seen: dict[tuple[int, int], int] = {}
    rows: list[Row] = []
    for number, line in _lines(text):
        row = _row(path, number, line)
        frame, track, *_, confidence = row
        if frame > len(frames):
            raise _error(path, number, f"is of frame {frame}, but the video has {len(frames)}, counted from 1")
        if confidence == 0:
            reason = "marked not to be considered (confidence 0)"
            dropped[reason] = dropped.get(reason, 0) + 1
            continue
        if track != _UNKNOWN and (first := seen.setdefault((frame, track), number)) != number:
            raise _error(path, number, f"has id {track} in frame {frame}, as has line {first}: correct one of them")
        rows.append(row)
    return _columns(rows)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither empty nor comments, by number."""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if content:
            yield number, content


def _row(path: Path, number: int, line: str) -> Row:
    values = [value.strip() for value in line.split(",")] if "," in line else line.split()
    if len(values) < _LEAST:
        raise _error(path, number, f"has {len(values)} values: {', '.join(FIELDS[:_LEAST])} are needed, by commas")
    numbers = [_number(path, number, *pair) for pair in zip(FIELDS, values, strict=False)]
    frame, track, *box = numbers
    if not frame.is_integer() or frame < 1:
        raise _error(path, number, f"has frame {values[0]}: frames are whole numbers from 1 on")
    if not track.is_integer() or track < _UNKNOWN:
        raise _error(path, number, f"has id {values[1]}: ids are whole numbers from 0 on, or -1 where there is none")
    confidence = box[4] if len(box) > 4 else _UNKNOWN
    return int(frame), int(track), box[0], box[1], box[2], box[3], 1.0 if confidence == _UNKNOWN else confidence


def _number(path: Path, number: int, field: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        said = f"has {reprlib.repr(text)} where the {field} should be"
        raise _error(path, number, f"{said}: correct it, or begin the line with # if it is no box") from error
    if not abs(value) <= LARGEST:
        raise _error(path, number, f"has {field} {text}, which is no number of pixels or frames: correct it")
    return value


def _error(path: Path, number: int, problem: str) -> InputError:
    return InputError(f"{path}: line {number} {problem}")


def _columns(rows: list[Row]) -> Boxes:
    numbers = np.array(rows, dtype=np.float64).reshape(-1, len(FIELDS))
    frame, track = numbers[:, 0].astype(np.int64) - 1, numbers[:, 1].astype(np.int64)
    named = zip(frame.tolist(), track.tolist(), strict=True)
    ids = [called(*place) if place[1] >= 0 else f"{place[0]:06d}-{i}" for i, place in enumerate(named)]
    return Boxes(frame, track, numbers[:, 2:6], numbers[:, 6], ids)
