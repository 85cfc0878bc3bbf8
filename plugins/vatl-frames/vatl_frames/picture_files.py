"""Frames from picture files."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import exists, remedy
from vatl_core.video import Frames


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

    @property
    def decoder(self) -> str:
        import cv2

        return f"OpenCV {cv2.__version__}"

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


def is_plain_jpeg(path: Path) -> bool:
    """Whether it is a JPEG file of colours or greys, upright as it lies; one that :func:`picture_size` takes."""
    from PIL import ExifTags, Image

    with Image.open(path) as picture:
        upright = picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
        return picture.format == "JPEG" and picture.mode in ("RGB", "L") and upright
