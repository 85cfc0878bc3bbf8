"""Frames from a video file."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Frames
from vatl_frames.decoding import Finding, Torn, as_shown, decode_from, examined, frame_times

if TYPE_CHECKING:
    from av import VideoFrame


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

    def seconds(self, index: int) -> float:
        """When frame ``index`` is shown, on the file's own clock, as far as it has one."""
        self._check(index)
        return float(self.times[index] * (self._unit or 1))

    def size(self, index: int) -> tuple[int, int]:
        self._check(index)
        self._size = self._size or super().size(index)
        return self._size

    def reader(self) -> VideoFile:
        """The same file with a decoder of its own."""
        other = copy.copy(self)
        other._decoder = None
        return other

    @property
    def decoder(self) -> str:
        return f"PyAV {version('av')}"

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
