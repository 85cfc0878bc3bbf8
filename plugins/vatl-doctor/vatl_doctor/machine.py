"""Folders that can be written, and how much room there is in them and in memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

import platformdirs
import psutil

from vatl_doctor.findings import Finding, advice, fine, wrong

_GIB: Final = 2**30
_LITTLE_MEMORY: Final = 3 * _GIB
_LITTLE_DISK: Final = 5 * _GIB
_NO_DISK: Final = _GIB // 5


def caches() -> list[Finding]:
    """Where weights, embedded videos and what was found in videos are kept, and what criteria were fitted to."""
    remedy = "make it writable, or set XDG_CACHE_HOME and XDG_DATA_HOME to folders that are"
    places = {Path(platformdirs.user_cache_dir("vatl")), Path(platformdirs.user_data_dir("vatl"))}
    return [room(place, remedy) for place in sorted(places)]


def runs(folder: Path) -> list[Finding]:
    """Where runs are to be kept."""
    return [room(folder.absolute(), "make it writable, or give another folder: --runs FOLDER")]


def room(folder: Path, remedy: str) -> Finding:
    """Whether a folder can be written, or else made, and how much fits into it; nothing is left there."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return wrong(f"{folder} cannot be written: {error.strerror or error}", remedy)
    found = f"{folder}, {free / _GIB:.1f} GiB free"
    if free < _NO_DISK:
        return wrong(found, "make room: a run needs more")
    return advice(found, "make room: weights and long videos need more") if free < _LITTLE_DISK else fine(found)


def memory() -> list[Finding]:
    """How much memory is free."""
    now = psutil.virtual_memory()
    found = f"{now.available / _GIB:.1f} of {now.total / _GIB:.1f} GiB free"
    if now.available < _LITTLE_MEMORY:
        return [advice(found, "end other programs, or run with a smaller --batch and --cache-mb")]
    return [fine(found)]
