"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to; it becomes ``path`` when the block ends well, else it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)  # so that the renaming survives a power cut
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes | str) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with whole(path) as beside:
        beside.write_bytes(data.encode() if isinstance(data, str) else data)


def append_line(path: Path, line: str) -> None:
    """Append a line, whole or not at all; what a torn write left is cut off."""
    write_whole(path, _whole_part(path) + line.encode() + b"\n")


def whole_lines(path: Path) -> list[str]:
    """The complete lines of a file."""
    return _whole_part(path).decode().splitlines()


def _whole_part(path: Path) -> bytes:
    """A file up to the end of its last complete line; nothing where there is none."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1]
