"""The video whose boxes are drawn: a file, or a folder of pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_frames import PICTURE_SUFFIXES, PictureFiles, VideoFile, picture_size, pictures_in

RATE: Final = 25.0
"""Frames a second at which pictures are shown, and videos that do not say."""

Size = tuple[int, int]
"""Width and height in pixels."""


@attrs.frozen(eq=False)
class Footage:
    """What boxes are drawn in.

    Attributes:
        path: the video file, or the folder.
        frames: the pictures.
        size: of the first frame.
        others: sizes of the frames that have another one.
        rate: frames a second.
    """

    path: Path
    frames: VideoFile | PictureFiles
    size: Size
    others: Mapping[int, Size]
    rate: float

    @classmethod
    def open(cls, path: Path) -> Footage:
        """Find the pictures; in a folder, 2.png comes before 10.png.

        Raises:
            InputError: there are none.
        """
        if not exists(path):
            raise InputError(f"{path} does not exist: give a run, a video file or a folder of pictures")
        if not path.is_dir():
            video = VideoFile(path)
            _, height, width = video.read(0).shape
            return cls(path, video, (width, height), {}, _rate(path))
        files = pictures_in(path)
        if not files:
            raise InputError(
                f"{path} has no config.toml and no pictures ({', '.join(sorted(PICTURE_SUFFIXES))}): "
                "give a run, a video file or a folder of pictures"
            )
        sizes = [picture_size(file) for file in files]
        others = {frame: size for frame, size in enumerate(sizes) if size != sizes[0]}
        return cls(path, PictureFiles(files), sizes[0], others, RATE)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def name(self) -> str:
        """What boxes drawn for it are called by."""
        return self.path.stem if self.path.is_file() else self.path.absolute().name

    def size_of(self, frame: int) -> Size:
        """A frame's width and height in pixels."""
        return self.others.get(frame, self.size)

    def stamp(self) -> str:
        """Another one when the files change, so that no browser shows pictures that it kept of others."""
        files = [self.path] if isinstance(self.frames, VideoFile) else self.frames.paths
        stamps = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files if (stat := file.stat())]
        return hashlib.sha256(repr(stamps).encode()).hexdigest()[:12]


def _rate(path: Path) -> float:
    import av

    with av.open(str(path.absolute())) as container:
        rate = container.streams.video[0].average_rate
    return float(rate) if rate else RATE
