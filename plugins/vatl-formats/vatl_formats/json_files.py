"""JSON files that others wrote: read whole, or told apart from what is missing, empty or half a download."""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from vatl_core.errors import InputError
from vatl_formats.recognition import recognised


def read_json(path: Path, wanted: str = "an annotation file", unread: Collection[str] = ()) -> Any:
    """What a file holds.

    Args:
        path: the file.
        wanted: what should be there, for messages.
        unread: fields of objects that are forgotten as soon as they are parsed, so that they never fill the memory.

    Raises:
        InputError: it cannot be read, is empty, ends in the middle, is no JSON, or has a key twice in one object.
    """
    return _parse(path, _read(path), wanted, unread)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: give the path of the annotations") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: give the path of the annotation file in it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _parse(path: Path, data: bytes, wanted: str, unread: Collection[str]) -> Any:
    if not data.strip():
        raise InputError(f"{path} is empty: is it complete?")
    try:
        return json.loads(data, object_pairs_hook=partial(_object, unread))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        if known := recognised(path):
            raise InputError(f"{path} is {known}; {wanted} is expected") from error
        if isinstance(error, UnicodeDecodeError):
            raise InputError(f"{path} is not JSON (byte {error.start} is no text): give {wanted}") from error
        place = f"line {error.lineno}, column {error.colno}: {error.msg}"
        if _is_cut_off(error):
            raise InputError(f"{path} ends in the middle ({place}): is the file complete?") from error
        raise InputError(f"{path} is not JSON ({place}): give {wanted}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists a thousand deep
        raise InputError(f"{path} is JSON that cannot be read ({error}): correct it") from error


def _object(fields: Collection[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without these fields; of a key that stands twice JSON would keep the last without a word."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError(f"{_twice(pairs)!r} stands twice in one object, {reprlib.repr(row)}")
    for field in fields:
        row.pop(field, None)
    return row


def _twice(pairs: Collection[tuple[str, Any]]) -> str:
    return next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    """Whether the text stopped making sense where it ends, or in a word, number or string that reaches to its end."""
    text = error.doc.rstrip()
    return error.pos > 0 and (error.pos >= len(text) or text[-1] not in "}]")
