"""The pictures: a video file, or a folder of picture files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Frames
from vatl_formats import Indices, NumberedPictures, Numbers, times_of_names
from vatl_frames import PICTURE_SUFFIXES, PictureFiles, VideoFile, pictures_in

_BLOCKS: Final = 64
_BLOCK: Final = 1 << 20
_PICTURE_BLOCK: Final = 1 << 12


@attrs.frozen
class Footage:
    """What is adapted to, without the instances.

    Attributes:
        path: the video file, or the folder.
        files: the video file, or the picture files in frame order.
        frames: the pictures.
    """

    path: Path
    files: Sequence[Path]
    frames: Frames

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()

    def sizes(self, frame: Indices) -> Numbers:
        """(n, 2) width and height in pixels of the pictures at (n,) ``frame``."""
        different, place = np.unique(frame, return_inverse=True)
        sizes = [self.frames.size(i) for i in different.tolist()]
        return np.array(sizes, dtype=np.float64).reshape(-1, 2)[place]

    def fingerprint(self) -> str:
        """The same for the same pictures wherever they lie: from the files' sizes and parts of their contents.

        A video is read at 64 places, all of it up to 64 MiB; pictures at one place each, and their names count.
        """
        digest = hashlib.sha256()
        for file in self.files:
            name = file.name if self.is_folder else ""
            digest.update(f"{name} {file.stat().st_size}\n".encode())
            for part in _parts(file, *((1, _PICTURE_BLOCK) if self.is_folder else (_BLOCKS, _BLOCK))):
                digest.update(part)
        return digest.hexdigest()


def open_footage(path: Path) -> Footage:
    """Find the pictures.

    Raises:
        InputError: there are none.
    """
    if not exists(path):
        raise InputError(f"{path} does not exist: give a video file or a folder of pictures as -o dataset.path=…")
    if not path.is_dir():
        return Footage(path, [path], VideoFile(path))
    files = pictures_in(path)
    if not files:
        suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
        raise InputError(f"{path} has no picture files ({suffixes}): give the folder they lie in, or a video file")
    return Footage(path, files, _numbered(files))


def _numbered(files: Sequence[Path]) -> PictureFiles:
    """The pictures at the times that their names tell, if those go on as the pictures do."""
    times = times_of_names([file.name for file in files])
    return NumberedPictures(files, numbers=times, begin=times[0]) if times == sorted(times) else PictureFiles(files)


def _parts(path: Path, count: int, length: int) -> Iterator[bytes]:
    """``count`` blocks spread over a file from its beginning to its end, or all of it where it is no longer."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= count * length:
            yield file.read()
            return
        for number in range(count):
            file.seek((size - length) * number // max(count - 1, 1))
            yield file.read(length)
