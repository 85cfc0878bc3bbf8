"""Where rendered videos are kept: a folder for each, which appears whole or not at all."""

from __future__ import annotations

import atexit
import glob
import hashlib
import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from filelock import FileLock

from vatl_core.files import temporary_folder
from vatl_core.video import Instances
from vatl_frames import VideoFile
from vatl_synthetic.truth import columns

PICTURES: Final = "video.mp4"
TRUTH: Final = "instances.npz"
_COLUMNS: Final = ("frame", "track", "boxes", "keypoints", "visible")
_DAMAGE: Final = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file may raise."""


@cache
def _spare() -> Path:
    """A folder for this process, for when the cache cannot be written."""
    kept_open = ExitStack()
    atexit.register(kept_open.close)
    return kept_open.enter_context(temporary_folder())


def writable(folder: Path) -> Path:
    """``folder``, made where it is missing, or a temporary one where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _spare()


@attrs.frozen
class Shelf:
    """One video's place.

    Attributes:
        folder: holds the video and, in a file of its own, its instances.
    """

    folder: Path

    @property
    def video(self) -> Path:
        """The file with the pictures."""
        return self.folder / PICTURES

    def read(self) -> Instances | None:
        """The instances, if they and the video beside them are complete; else None."""
        try:
            with np.load(self.folder / TRUTH, allow_pickle=False) as stored:
                if str(stored["digest"]) != digest(self.video):
                    return None
                frame, track, boxes, keypoints, visible = (stored[name] for name in _COLUMNS)
        except _DAMAGE:
            return None
        return columns(frame, track, boxes, keypoints, visible)

    def fill(self, make: Callable[[Path], Instances]) -> None:
        """Have the video made and put it here, unless somebody else was faster.

        Args:
            make: writes the pictures to the path it is given and returns the instances.
        """
        with FileLock(self.folder.with_name(f".{self.folder.name}.lock")):
            if self.read() is not None:
                return
            for left in self.folder.parent.glob(f".{glob.escape(self.folder.name)}.{'?' * 32}"):  # of one killed here
                shutil.rmtree(left, ignore_errors=True)
            with _beside(self.folder) as fresh:
                _write(make(fresh / PICTURES), fresh)
                self._clear()
                _put(fresh, self.folder)

    def _clear(self) -> None:
        """Take away what is damaged: aside first, so that nobody sees half of it."""
        if self.folder.exists():
            with _beside(self.folder) as aside:
                _put(self.folder, aside / "damaged")

    def frames(self) -> VideoFile:
        """The pictures."""
        return VideoFile(self.video)


def _put(folder: Path, place: Path) -> None:
    """Rename; another process that did the same at the same time is welcome to have won."""
    try:
        folder.rename(place)
    except OSError:
        if not place.exists() and folder.exists():
            raise


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A new folder next to ``folder``, gone at the end if it is still there."""
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    fresh.mkdir()
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write(found: Instances, folder: Path) -> None:
    stored = {name: getattr(found, name).numpy() for name in _COLUMNS}
    np.savez(folder / TRUTH, digest=np.array(digest(folder / PICTURES)), **stored)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
