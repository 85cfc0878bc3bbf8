"""The crops of many videos as if they were one's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import torch
from torch import Tensor

from vatl_core.estimation import Crops
from vatl_core.video import Skeleton


@attrs.frozen(eq=False)
class JoinedCrops:
    """The crops of several videos' instances under one numbering: the second video's follow the first's.

    Attributes:
        parts: one a video, all of one size, margin and skeleton.
    """

    parts: Sequence[Crops]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the crop box in crop pixels."""
        return self.parts[0].size

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of what :meth:`get` returns."""
        return self.parts[0].picture_size

    @property
    def skeleton(self) -> Skeleton:
        """What the videos' poses are made of."""
        return self.parts[0].skeleton

    def matrices(self, index: Tensor) -> Tensor:
        """As :meth:`Crops.matrices`."""
        return _in_order([(here, part.matrices(own)) for here, own, part in self._parts(index)])

    def get(self, index: Tensor) -> Tensor:
        """As :meth:`Crops.get`."""
        return _in_order([(here, part.get(own)) for here, own, part in self._parts(index)])

    def fill(self, index: Tensor) -> None:
        """As :meth:`Crops.fill`."""
        for _, own, part in self._parts(index):
            part.fill(own)

    def _parts(self, index: Tensor) -> Iterator[tuple[Tensor, Tensor, Crops]]:
        """For each video concerned: places in ``index``, its own numbers of those instances, its crops."""
        sizes = torch.tensor([len(part.video.instances) for part in self.parts], device=index.device)
        ends = sizes.cumsum(0)
        which = torch.bucketize(index, ends, right=True)
        for number in which.unique().tolist():
            here = torch.nonzero(which == number).flatten()
            yield here, index[here] - (ends[number] - sizes[number]), self.parts[number]


def _in_order(answers: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Rows put at their places."""
    places = torch.cat([here for here, _ in answers])
    return torch.cat([rows for _, rows in answers])[torch.argsort(places)]
