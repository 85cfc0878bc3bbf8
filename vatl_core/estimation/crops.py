"""Crops of a video's instances, cut on the device and kept there as bytes while there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Final, TypeVar

import attrs
import torch
from torch import Tensor

from vatl_core.compute import onto
from vatl_core.estimation.side_stream import SideStream
from vatl_core.promises import checked_pictures
from vatl_core.video import Skeleton, Video, crop_boxes, crop_matrices, warp

T = TypeVar("T")

PIXELS: Final = 2**25
"""Of pictures that are warped in one call, 400 MB as numbers: sixteen of 1920 × 1080."""


@attrs.define(eq=False, slots=False)
class Crops:
    """The crops of a video's instances, (3, H, W) uint8 each.

    A crop is cut once and then kept on the device until ``budget`` is used up; those that found no room are cut
    again whenever they are asked for. What comes back is the same either way.

    Attributes:
        video: without its truth.
        size: height and width of the crop box in crop pixels.
        device: where frames are warped and crops are kept.
        budget: bytes for kept crops.
        margin: how much larger than the crop box the picture is, about its centre: room for augmentation.
    """

    video: Video
    size: tuple[int, int]
    device: torch.device
    budget: int
    margin: float = 1.0
    boxes: Tensor = attrs.field(init=False, repr=False)
    _kept: Tensor | None = attrs.field(init=False, default=None, repr=False)
    _slot: Tensor = attrs.field(init=False, repr=False)
    _used: int = attrs.field(init=False, default=0)
    _aside: SideStream = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._aside = SideStream(self.device)
        self.boxes = crop_boxes(self.video.instances.boxes.to(self.device), self.size)
        self._slot = torch.full((len(self.video.instances),), -1, dtype=torch.int64)

    @property
    def skeleton(self) -> Skeleton:
        """What the video's poses are made of."""
        return self.video.skeleton

    @cached_property
    def times(self) -> Tensor:
        """(N,) float64 on the device, when each instance is: see :meth:`vatl_core.Frames.time`."""
        frame = self.video.instances.frame.tolist()
        time = {number: self.video.frames.time(number) for number in set(frame)}
        return torch.tensor([time[number] for number in frame], dtype=torch.float64).to(self.device)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of what :meth:`get` returns, margin included."""
        return round(self.size[0] * self.margin), round(self.size[1] * self.margin)

    @property
    def capacity(self) -> int:
        """How many crops the budget has room for."""
        height, width = self.picture_size
        return min(len(self._slot), self.budget // (3 * height * width))

    def matrices(self, index: Tensor) -> Tensor:
        """(B, 2, 3) maps from a pixel of the picture that :meth:`get` returns to a pixel of the frame."""
        matrices = crop_matrices(self.boxes[index], self.size)
        for axis, side, picture in zip((1, 0), self.size, self.picture_size, strict=True):
            matrices[:, axis, 2] -= matrices[:, axis, axis] * ((picture - side) / 2)  # neither turned nor sheared
        return matrices

    def get(self, index: Tensor) -> Tensor:
        """Crops of these instances, (B, 3, H, W) uint8 on the device.

        Raises:
            InputError: a frame cannot be read.
        """
        return self.coming(index)()

    def coming(self, index: Tensor) -> Callable[[], Tensor]:
        """What to ask for crops as those of :meth:`get` when they are needed; on a GPU they are made beside its work.

        Raises:
            InputError: a frame cannot be read.
        """
        return self._aside.begin(partial(self._get, index.cpu()))

    def _get(self, index: Tensor) -> Tensor:
        slot = self._slot[index]
        there, missing = torch.nonzero(slot >= 0).flatten(), torch.nonzero(slot < 0).flatten()
        if self._kept is not None and not len(missing):
            return self._kept[onto(self.device, slot)]
        result = torch.empty((len(index), 3, *self.picture_size), dtype=torch.uint8, device=self.device)
        if self._kept is not None and len(there):
            result[onto(self.device, there)] = self._kept[onto(self.device, slot[there])]
        cut = self._cut(index[missing])
        result[onto(self.device, missing)] = cut
        self._keep(index[missing], cut)
        return result

    def redraw(self, index: int) -> None:
        """Cut the crop of an instance anew if it is kept, since its box has changed.

        Raises:
            InputError: its frame cannot be read.
        """
        box = self.video.instances.boxes[index : index + 1].to(self.device)
        self.boxes[index] = crop_boxes(box, self.size)[0]
        if self._kept is not None and (slot := int(self._slot[index])) >= 0:
            self._kept[slot] = self._cut(torch.tensor([index]))[0]
        self._aside.catch_up()

    def fill(self, index: Tensor) -> None:
        """Keep the crops of these instances while there is room, each frame read once and in order."""
        index = index.cpu()
        missing = index[self._slot[index] < 0].unique()
        missing = missing[torch.argsort(self.video.instances.frame[missing], stable=True)]
        for part in missing[: self.capacity - self._used].split(64):
            self.get(part)

    def _cut(self, index: Tensor) -> Tensor:
        """Warp these instances out of their frames, each frame read once, in order."""
        result = torch.empty((len(index), 3, *self.picture_size), dtype=torch.uint8, device=self.device)
        matrices = self.matrices(onto(self.device, index))
        wanted, which = torch.unique(self.video.instances.frame[index], return_inverse=True)
        begin, one_by_one = 0, self.device.type == "cpu"  # whose kernel for volumes is many times as slow
        read = checked_pictures(self.video.frames, wanted.tolist())
        for pictures in together((onto(self.device, picture) for picture in read), 0 if one_by_one else PIXELS):
            within = which - begin
            here = torch.nonzero((within >= 0) & (within < len(pictures))).flatten()
            there, own = onto(self.device, here), None if one_by_one else onto(self.device, within[here])
            result[there] = warp(pictures, matrices[there], self.picture_size, own)
            begin += len(pictures)
        return result

    def _keep(self, index: Tensor, cut: Tensor) -> None:
        room = min(self.capacity - self._used, len(index))
        if room <= 0:
            return
        if self._kept is None:
            self._kept = torch.empty((self.capacity, 3, *self.picture_size), dtype=torch.uint8, device=self.device)
        self._kept[self._used : self._used + room] = cut[:room]
        self._slot[index[:room]] = torch.arange(self._used, self._used + room)
        self._used += room


def together(pictures: Iterable[Tensor], pixels: int) -> Iterator[Tensor]:
    """Pictures (3, H, W) of one size behind each other, (F, 3, H, W), as long as they have no more ``pixels``."""
    held: list[Tensor] = []
    for picture in pictures:
        if held and (picture.shape != held[0].shape or (len(held) + 1) * picture[0].numel() > pixels):
            yield _stacked(held)
            held = []
        held.append(picture)
    if held:
        yield _stacked(held)


def _stacked(pictures: list[Tensor]) -> Tensor:
    return torch.stack(pictures) if len(pictures) > 1 else pictures[0][None]


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, each made in a second thread while its predecessor is in use."""
    iterator, done = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, done)
        while (item := coming.result()) is not done:
            coming = pool.submit(next, iterator, done)
            yield item  # type: ignore[misc]  # `done` has been told apart above
