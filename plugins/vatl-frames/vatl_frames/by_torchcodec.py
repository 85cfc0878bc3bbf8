"""Frames as torchcodec decodes them: on a GPU where its build can (NVDEC for videos, nvJPEG for JPEG files)."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import numpy as np
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import Frames
from vatl_frames.picture_files import PictureFiles, is_plain_jpeg
from vatl_frames.video_file import VideoFile

if TYPE_CHECKING:
    from torchcodec.decoders import VideoDecoder

T = TypeVar("T")

TOGETHER: Final = 16
"""How many frames are decoded in one call."""


def by_torchcodec(frames: Frames, device: torch.device) -> Frames | None:
    """The same frames decoded by torchcodec, on the device if it can be; None of what it does not know.

    Raises:
        InputError: it is not installed, or does not find these frames.
    """
    try:
        importlib.import_module("torchcodec.decoders")
    except (ImportError, RuntimeError, OSError) as error:  # a library that it is linked to is not there
        told = str(error).strip().splitlines() or [type(error).__name__]
        hint = "pip install 'vatl-frames[torchcodec]', or take --decoder exact"
        raise InputError(f"torchcodec cannot be imported ({told[0][:200]}): {hint}") from error
    if isinstance(frames, VideoFile):
        return VideoByTorchcodec(frames, device)
    return PicturesByTorchcodec(frames, device) if isinstance(frames, PictureFiles) else None


class ByTorchcodec(Frames):
    """What frames are, and where in time, is as the data set has it; their pixels are torchcodec's."""

    frames: VideoFile | PictureFiles
    device: torch.device

    def __len__(self) -> int:
        return len(self.frames)

    def name(self, index: int) -> str:
        return self.frames.name(index)

    def time(self, index: int) -> float:
        return self.frames.time(index)

    def size(self, index: int) -> tuple[int, int]:
        return self.frames.size(index)

    @property
    def decoder(self) -> str:
        return f"torchcodec {version('torchcodec')} on {self.device}"

    def read(self, index: int) -> Tensor:
        return next(self.read_many([index]))

    def read_many(self, indices: Sequence[int]) -> Iterator[Tensor]:
        for begin in range(0, len(indices), TOGETHER):
            yield from self._decoded(indices[begin : begin + TOGETHER])

    @abstractmethod
    def _decoded(self, indices: Sequence[int]) -> Sequence[Tensor]:
        """These frames, (3, H, W) uint8 each."""


@attrs.define(eq=False)
class VideoByTorchcodec(ByTorchcodec):
    """Frames of a video file.

    Raises:
        InputError: torchcodec does not find the same frames in it.
    """

    frames: VideoFile
    device: torch.device
    _decoder: VideoDecoder = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if self.frames.finding != "seek":
            raise self._other("finds no frame in a file that has to be read from its beginning")
        try:
            self.device, self._decoder = tried(self._opened, self.device)
        except RuntimeError as error:
            raise self._other(f"cannot read it ({_first_line(error)})") from error
        if len(self._decoder) != len(self.frames):
            raise self._other(f"counts {len(self._decoder)} frames where {len(self.frames)} are shown")

    def reader(self) -> VideoByTorchcodec:
        """The same frames by a decoder of their own, which no two threads may share."""
        return VideoByTorchcodec(self.frames, self.device)

    def _opened(self, device: torch.device) -> VideoDecoder:
        from torchcodec.decoders import VideoDecoder

        path = self.frames.path.absolute()  # or FFmpeg takes a name such as `concat:a.mp4` for an instruction
        decoder = VideoDecoder(path, device=device, num_ffmpeg_threads=0)
        decoder.get_frame_at(0)  # only then it is known whether the device decodes such files
        return decoder

    def _decoded(self, indices: Sequence[int]) -> Sequence[Tensor]:
        wanted = [self.frames.seconds(index) for index in indices]
        try:
            found = self._decoder.get_frames_at(list(indices))
        except (RuntimeError, IndexError) as error:
            raise self._other(f"cannot read frame {indices[0]} or one behind it ({_first_line(error)})") from error
        for index, time, there in zip(indices, wanted, found.pts_seconds.tolist(), strict=True):
            if abs(time - there) > 1e-4:
                raise self._other(f"gives one at {there:.3f} s as frame {index}, which is shown at {time:.3f} s")
        pictures: Tensor = found.data
        return pictures.unbind()

    def _other(self, what: str) -> InputError:
        return InputError(f"{self.frames.path}: torchcodec {what}: take --decoder exact")


@attrs.define(eq=False)
class PicturesByTorchcodec(ByTorchcodec):
    """Frames of picture files: JPEG as cameras write it by torchcodec, all else as ever."""

    frames: PictureFiles
    device: torch.device

    def __attrs_post_init__(self) -> None:
        import cv2

        black = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
        self.device, _ = tried(partial(self._jpegs, [black]), self.device)

    def _decoded(self, indices: Sequence[int]) -> Sequence[Tensor]:
        plain = [index for index in indices if self._is_plain(index)]
        found: dict[int, Tensor] = {}
        try:
            files = [self.frames.paths[index].read_bytes() for index in plain]
            found = dict(zip(plain, self._jpegs(files, self.device) if plain else [], strict=True))
        except (RuntimeError, OSError):  # which of them is damaged, and how, is told by who reads them one by one
            pass
        return [found[index] if index in found else self.frames.read(index) for index in indices]

    def _is_plain(self, index: int) -> bool:
        self.frames.size(index)  # says what is wrong with a file that is none
        return is_plain_jpeg(self.frames.paths[index])

    def _jpegs(self, files: Sequence[bytes], device: torch.device) -> list[Tensor]:
        from torchcodec.decoders import decode_jpeg

        decoded: list[Tensor] = decode_jpeg(list(files), device=device)
        return decoded


def tried(use: Callable[[torch.device], T], device: torch.device) -> tuple[torch.device, T]:
    """Where something can be done, the device or else the CPU, and what came of it."""
    if device.type == "cuda":
        try:
            return device, use(device)
        except Exception:  # drivers, builds and cards lack what they lack in their own ways
            pass
    cpu = torch.device("cpu")
    return cpu, use(cpu)


def _first_line(error: Exception) -> Any:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
