"""Frames from picture files and from video files."""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import remedy
from vatl_core.video.decoding import Finding, Torn, as_shown, decode_from, examined, frame_times
from vatl_core.video.source import Frames

if TYPE_CHECKING:
    from av import VideoFrame


@attrs.define
class PictureFiles(Frames):
    """One picture file a frame.

    Attributes:
        paths: the files, in frame order.
    """

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> Tensor:
        import cv2

        path = self._path(index)
        if not exists(path) or path.is_dir():
            raise InputError(f"frame {index} is missing: {path} is no file")
        picture_size(path)  # a header may promise more pixels than there is memory
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"frame {index} cannot be read: {path} is damaged or no picture: {remedy(path)}")
        return torch.from_numpy(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).permute(2, 0, 1)

    def _path(self, index: int) -> Path:
        if not 0 <= index < len(self):
            raise InputError(f"there is no frame {index}: there are {len(self)} pictures")
        return self.paths[index]

    def size(self, index: int) -> tuple[int, int]:
        return picture_size(self._path(index))

    def read_many(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """These frames one after the other, the next ones being decoded in threads while one is in use."""
        workers = min(len(indices), 8, os.cpu_count() or 1)  # more gain nothing
        if workers < 2:
            yield from map(self.read, indices)
            return
        with ThreadPoolExecutor(workers) as pool:
            coming: deque[Future[Tensor]] = deque()
            for index in indices:
                coming.append(pool.submit(self.read, index))
                if len(coming) > workers:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()


@attrs.define
class VideoFile(Frames):
    """The frames of one video file, decoded as they are asked for.

    Reading forward decodes each frame once; reading backward goes to the key frame before the one that is wanted.

    Attributes:
        path: the file.
        times: when each frame is shown, in the file's own unit, or its number: see ``finding``.
        torn: the times of frames that damage reaches; None while none has been met.

    Raises:
        InputError: the file is missing or no video.
    """

    path: Path = attrs.field(converter=Path)
    times: list[int] = attrs.field(init=False, repr=False)
    finding: Finding = attrs.field(init=False, repr=False)
    torn: Torn = attrs.field(init=False, repr=False)
    _unit: Fraction | None = attrs.field(init=False, repr=False)
    _next: int = attrs.field(init=False, default=0, repr=False)
    _decoder: Iterator[tuple[int, VideoFrame | None]] | None = attrs.field(init=False, default=None, repr=False)
    _size: tuple[int, int] | None = attrs.field(init=False, default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if not exists(self.path) or self.path.is_dir():
            raise InputError(f"{self.path} is no file: give the path of a video")
        self.times, self._unit, self.finding, self.torn = frame_times(self.path)

    def __len__(self) -> int:
        return len(self.times)

    def name(self, index: int) -> str:
        return self.path.name

    def time(self, index: int) -> float:
        self._check(index)
        unit = self._unit
        return super().time(index) if unit is None else float((self.times[index] - self.times[0]) * unit)

    def size(self, index: int) -> tuple[int, int]:
        self._check(index)
        self._size = self._size or super().size(index)
        return self._size

    def reader(self) -> VideoFile:
        """The same file with a decoder of its own."""
        other = copy.copy(self)
        other._decoder = None
        return other

    def read(self, index: int) -> Tensor:
        self._check(index)
        far = 100 if self.finding == "seek" else len(self)
        if self._decoder is None or not self._next <= index < self._next + far:
            self._decoder = decode_from(self.path, self.times[index], self.finding, self.torn or ())
        wanted = self.times[index]
        for time, picture in self._decoder:
            if picture is None:
                if self.torn is None:  # it takes a while to find out what the damage reaches
                    self._decoder, self.torn = None, examined(self.path)[1]
                    return self.read(index)
            elif time == wanted:
                self._next = index + 1
                return torch.from_numpy(as_shown(picture)).permute(2, 0, 1)
            elif time > wanted:
                break
        self._decoder = None
        flaw = f"frame {index} of {len(self)} is damaged, or the file not complete"
        raise InputError(f"{self.path}: {flaw}; --skip-broken leaves out whoever is on such frames")

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise InputError(f"{self.path} has {len(self)} frames, and frame {index} was asked for")


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; no for names that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for those


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as :class:`PictureFiles` decodes it, from the file's header alone.

    Raises:
        InputError: it is missing, no picture, or one of more pixels than Pillow holds to be meant.
    """
    from PIL import ExifTags, Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            lies = picture.getexif().get(ExifTags.Base.Orientation, 1) >= 5  # how the camera was held
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large a picture, or damaged ({error}): give a smaller one") from error
    except Exception as error:  # each of its dozens of readers stumbles in its own way
        raise InputError(f"{path} is damaged or no picture: {remedy(path)}") from error
    return (height, width) if lies else (width, height)
