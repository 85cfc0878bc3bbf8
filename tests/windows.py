"""What Windows does not let a program do with files, on other systems: for tests, which run on one system alone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

FORBIDDEN = frozenset('<>:"|?*\\')
"""Characters that no name of a file can have."""


def as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the test ends, open folders, synchronise what is only read, move or delete open files, or fork: refused."""
    monkeypatch.setattr(shutil, "_use_fd_functions", False)  # so that whole paths are deleted
    for name in ("rename", "replace", "unlink", "remove", "rmdir"):
        monkeypatch.setattr(os, name, _unless_open(getattr(os, name), fresh=name == "rename"))
    monkeypatch.setattr(os, "open", _no_folder(os.open))
    monkeypatch.setattr(os, "fsync", _written(os.fsync))
    monkeypatch.setattr(os, "fork", _missing)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "sysconf", raising=False)


def bad_names(folder: Path) -> list[str]:
    """What lies in a folder, however deep, under a name that Windows could not give it."""
    return sorted(path.name for path in folder.rglob("*") if FORBIDDEN & set(path.name) or path.name[-1] in ". ")


def in_use(path: str) -> bool:
    """Whether this process has the file, or one in the folder, open or mapped into memory."""
    there = os.path.realpath(path)
    return any(name == there or name.startswith(f"{there}{os.sep}") for name in (*_opened(), *_mapped()))


def _opened() -> Iterator[str]:
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the list itself
            yield str(handle.readlink())


def _mapped() -> Iterator[str]:
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        yield f"/{line.partition('/')[2]}"


def _unless_open(change: Callable[..., None], fresh: bool) -> Callable[..., None]:
    def changed(path: Any, *target: Any, **where: Any) -> None:
        for each in (path, *target):
            if isinstance(each, str | os.PathLike) and in_use(os.fspath(each)):
                raise PermissionError(errno.EACCES, "another handle of it is open", os.fspath(each))
        if fresh and target and os.path.lexists(target[0]):
            raise FileExistsError(errno.EEXIST, "it is there already", os.fspath(target[0]))
        change(path, *target, **where)

    return changed


def _no_folder(opening: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, *how: Any, **where: Any) -> int:
        if Path(path).is_dir() and str(sys._getframe(1).f_globals.get("__name__")).startswith("vatl"):
            raise PermissionError(errno.EACCES, "a folder cannot be opened", os.fspath(path))
        return opening(path, *how, **where)

    return opened


def _written(synchronise: Callable[[int], None]) -> Callable[[int], None]:
    def synchronised(file: int) -> None:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "it is only read")
        synchronise(file)

    return synchronised


def _missing() -> None:
    raise AttributeError("module 'os' has no attribute 'fork'")
