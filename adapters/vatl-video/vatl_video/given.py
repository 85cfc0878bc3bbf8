"""Boxes that somebody gave: COCO's JSON or MOT's text, told apart by what the file begins with."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs

from vatl_core.errors import InputError
from vatl_formats import Sieve, again, alike, recognised
from vatl_video.coco_boxes import CocoBoxes, read_coco_boxes
from vatl_video.footage import Footage
from vatl_video.mot import read_mot


def beside(path: Path) -> Path:
    """Where boxes that were drawn for a video lie: ``clip.boxes.json`` beside ``clip.mp4``."""
    there = path.absolute()  # a folder may be called "."
    return there.parent / f"{there.stem if there.is_file() else there.name}.boxes.json"


def read_boxes(path: Path, footage: Footage) -> CocoBoxes:
    """The boxes of a file.

    Raises:
        InputError: it cannot be read, lists no box, or lists one that cannot be used.
    """
    text = _text(path)
    if text.lstrip()[:1] in ("{", "["):
        read = read_coco_boxes(path, footage)
    else:
        dropped: dict[str, int] = {}
        if known := recognised(path):
            raise InputError(f"{path} is {known}; boxes are COCO's JSON or MOT's text (frame, id, x, y, width, height)")
        read = CocoBoxes(path, read_mot(path, text, footage.frames, dropped), None, dropped)
    sieve = Sieve.of(len(read.boxes), read.dropped)
    repeated = again(read.boxes.frame, alike(read.boxes.xywh))
    sieve.drop(repeated & (read.boxes.track < 0), "the same as another in its frame")
    read = attrs.evolve(read, boxes=read.boxes.take(sieve.left))
    refuse_none(read, footage.path)
    return read


def refuse_none(read: CocoBoxes, video: Path) -> None:
    """Make sure that there is a box, also of what is left of them.

    Raises:
        InputError: there is none; the message says why those that the file has were dropped.
    """
    if not len(read.boxes):
        reasons = "".join(f"; {count} dropped: {reason}" for reason, count in read.dropped.items())
        drawing = f"`vatl annotate {shlex.quote(str(video))}`"
        raise InputError(f"{read.path} has no boxes{reasons}: draw some ({drawing}), or give another file")


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: give the path of the boxes") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: give the path of the file of boxes") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is {recognised(path) or 'no text'}: boxes are COCO's JSON or MOT's text (frame, id, x, y, w, h)"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not text.strip():
        raise InputError(f"{path} is empty: is it complete?")
    return text
