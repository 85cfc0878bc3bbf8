"""Mutations of files as such: cut off, flipped bytes, emptied, gone, a folder or a link in their place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypothesis import strategies as st


def mutate_file(draw: st.DrawFn, path: Path) -> None:
    """Mutate one file in one of these ways."""
    draw(st.sampled_from(WAYS))(draw, path)


def truncate(draw: st.DrawFn, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: draw(st.integers(0, max(0, len(data) - 1)))])


def flip(draw: st.DrawFn, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(draw(st.integers(1, 3)) if data else 0):
        data[draw(st.integers(0, len(data) - 1))] ^= draw(st.sampled_from([1, 4, 16, 32, 128, 255]))
    path.write_bytes(data)


def repeat(draw: st.DrawFn, path: Path) -> None:
    """Some bytes are there twice."""
    data = path.read_bytes()
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    path.write_bytes(data[:end] + data[start:end] + data[end:])


def empty(draw: st.DrawFn, path: Path) -> None:
    path.write_bytes(draw(st.sampled_from([b"", b"\n", b"\0" * 512, b"\xff\xfe", b"null", b"{}", b"[]"])))


def link(draw: st.DrawFn, path: Path) -> None:
    """To itself, to nothing, to a folder, or to the same file elsewhere, which changes nothing."""
    elsewhere = path.with_name(f"elsewhere-{path.name}")
    path.rename(elsewhere)
    path.symlink_to(draw(st.sampled_from([path.name, "nowhere", "..", elsewhere.name])))


def folder(draw: st.DrawFn, path: Path) -> None:
    path.unlink()
    path.mkdir()


def gone(draw: st.DrawFn, path: Path) -> None:
    path.unlink()


def another(draw: st.DrawFn, path: Path) -> None:
    """The file beside it under its name."""
    others = sorted(file for file in path.parent.iterdir() if file.is_file() and file != path)
    if others:
        shutil.copyfile(draw(st.sampled_from(others)), path)


WAYS: Final[tuple[Callable[[st.DrawFn, Path], None], ...]] = (
    truncate, truncate, flip, flip, flip, repeat, empty, link, folder, gone, another,
)  # fmt: skip
