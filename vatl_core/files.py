"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vatl_core.errors import InputError, VatlError


def remedy(path: Path) -> str:
    """What to say of a file that cannot be read: Git LFS leaves a pointer where the file itself was never fetched."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        if file.read(23) == b"version https://git-lfs":
            return "it is a Git LFS pointer: fetch the file itself by `git lfs pull`"
    return "is it complete?"


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; no for names that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for those


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to; it becomes ``path`` when the block ends well, else it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part{path.suffix}")  # nobody can lay a link there
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield beside
        with beside.open("rb+") as file:  # Windows synchronises only what may be written
            os.fsync(file.fileno())
        beside.replace(path)
        keep_names(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def keep_names(folder: Path) -> None:
    """Have what was renamed in a folder survive a power cut; Windows, which opens no folder, sees to it itself."""
    with suppress(PermissionError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def discard(folder: Path, unlock: Callable[[], None]) -> None:
    """Delete a folder whose lock is held, so that nobody begins anything in it, and let go of it."""
    shutil.rmtree(folder, ignore_errors=True)
    unlock()
    shutil.rmtree(folder, ignore_errors=True)  # Windows keeps the lock, and the folder with it, while it is held


def write_whole(path: Path, data: bytes | str) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with whole(path) as beside:
        beside.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def reading(path: Path, remedy: str = "it is damaged, or something else wrote it") -> Iterator[None]:
    """Have whatever a file's contents make its reader stumble over told by the file's name.

    Raises:
        InputError: something in the block failed.
    """
    try:
        yield
    except VatlError as error:
        raise type(error)(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except Exception as error:  # bytes may make a reader raise anything
        cause = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise InputError(f"{path} cannot be read ({cause}): {remedy}") from error


def append_line(path: Path, line: str) -> None:
    """Append a line, whole or not at all; what a torn write left is cut off."""
    write_whole(path, "".join(f"{each}\n" for each in [*whole_lines(path), line]))


def whole_lines(path: Path) -> list[str]:
    """The complete lines of a file; none where there is none."""
    return [line.decode() for line in (path.read_bytes() if path.exists() else b"").split(b"\n")[:-1]]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone after the block; that of a process which was killed goes when another is made."""
    made = tempfile.TemporaryDirectory(prefix="vatl-", ignore_cleanup_errors=True)
    with made as name, FileLock(f"{name}/.lock", thread_local=False):
        for lock in Path(name).parent.glob("vatl-*/.lock"):
            with suppress(Timeout, OSError):  # somebody else's, at work, or gone by now
                if lock.parent.lstat().st_uid == Path(name).stat().st_uid:
                    with FileLock(lock, timeout=0):
                        pass  # nobody has it; Windows deletes no file that somebody has
                    shutil.rmtree(lock.parent, ignore_errors=True)
        yield Path(name)
