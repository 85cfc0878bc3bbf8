"""Where the pictures of a video come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from torch import Tensor


class Frames(ABC):
    """A lazy, seekable source of pictures. Reading forward must be cheap; jumping may cost more."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames."""

    @abstractmethod
    def read(self, index: int) -> Tensor:
        """Frame ``index`` as (3, H, W) uint8 RGB, on the CPU unless it was decoded elsewhere.

        Raises:
            InputError: the frame does not exist or cannot be decoded; the message names the file and the frame.
        """

    def read_many(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """These frames one after the other; worth overriding where several can be decoded side by side."""
        return map(self.read, indices)

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of frame ``index`` in pixels, as it is read; worth overriding where a header tells.

        Raises:
            InputError: as :meth:`read`.
        """
        _, height, width = self.read(index).shape
        return width, height

    def reader(self) -> Frames:
        """The same frames for a second thread to read; worth overriding where reading changes anything."""
        return self

    @property
    def decoder(self) -> str:
        """What decodes them, with its version, for the record of a run; nothing where nobody does."""
        return ""

    def name(self, index: int) -> str:
        """What other programs would call frame ``index``: its file, or its number."""
        return f"{index:06d}"

    def time(self, index: int) -> float:
        """When frame ``index`` is shown: seconds from the first, or its number where the source knows no seconds."""
        return float(index)
