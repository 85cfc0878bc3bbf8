"""Cutting the pictures that the page shows, ahead of their being asked for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from queue import PriorityQueue
from typing import Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from vatl_core.files import temporary_folder
from vatl_core.video import Frames

Region = tuple[float, float, float, float]
"""x, y, width, height in pixels of the frame."""
Picture = NDArray[np.uint8]
"""(height, width, 3) RGB."""

LARGEST: Final = 1024
"""Pixels of a crop's longer side at the most."""
WIDEST: Final = 1600
"""Pixels of a whole frame's longer side at the most."""
_SMALLEST: Final = 48.0
"""Pixels of the frame that a crop shows at the least."""
_MARGIN: Final = 0.125
"""Shown beyond the frame's edges at the most, as a share of its longer side; more where a box lies there."""
_QUALITY: Final = 90
_TICK: Final = 0.01
"""Seconds between two looks at whether anybody waits."""
_PATIENCE: Final = 5.0
"""Seconds that a picture under way has to be done when the room is closed."""
SHOWN: Final = 0
"""How urgent a picture is that somebody looks at."""
AHEAD: Final = 1
"""One that comes next."""
_LATER: Final = 2


def region_around(box: Region, context: float, size: tuple[int, int]) -> Region:
    """The part of a frame of ``size`` to show of an instance: its box with ``context`` times its longer side about it.

    Whole pixels, so that one picture of a region is exactly as large as the next. There is nothing to see beyond the
    frame's edges, so that no more is shown of that than a margin, and what the box takes.
    """
    edge = context * max(box[2:])
    margin = _MARGIN * max(size)
    (left, right), (top, bottom) = (
        _span(start, extent, edge, -margin, side + margin)
        for start, extent, side in zip(box[:2], box[2:], size, strict=True)
    )
    return left, top, right - left, bottom - top


def _span(start: float, extent: float, edge: float, low: float, high: float) -> tuple[int, int]:
    """From and to, in whole pixels: an extent with an edge on both sides, which ends at ``low`` and ``high``."""
    more = max(edge, (_SMALLEST - extent) / 2)
    first, last = start - more, start + extent + more
    first, last = max(first, min(start, low)), min(last, max(start + extent, high))
    return math.floor(first), math.ceil(last)


def promised() -> Future[Path]:
    """A picture to come, which whoever waits for it cannot cancel: others wait as well."""
    promise: Future[Path] = Future()
    promise.set_running_or_notify_cancel()
    return promise


def size_of(region: Region, longest: int = LARGEST) -> tuple[int, int]:
    """Width and height of a region's picture, in its own pixels."""
    scale = min(1.0, longest / max(region[2:]))
    return max(1, round(region[2] * scale)), max(1, round(region[3] * scale))


def cut(frame: Picture, region: Region, size: tuple[int, int]) -> Picture:
    """A region of a frame, black beyond its edges, scaled to ``size`` (width, height)."""
    left, top, width, height = (int(v) for v in region)
    inside = frame[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    whole = np.zeros((height, width, 3), dtype=np.uint8)
    down, right = max(0, -top), max(0, -left)
    whole[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    if (width, height) == size:
        return whole
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def jpeg(picture: Picture) -> bytes:
    """A picture as a JPEG file."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data.tobytes())


@attrs.frozen(order=True)
class Order:
    """Something to cut.

    Attributes:
        urgency: lower comes first.
        frame: index.
        region: of it; None for the whole frame.
    """

    urgency: int
    frame: int
    region: Region | None = attrs.field(order=False)

    @property
    def name(self) -> str:
        """What tells it from other pictures."""
        part = "whole" if self.region is None else "-".join(f"{v:g}" for v in self.region)
        return f"{self.frame}-{part}"


@attrs.define(eq=False)
class Darkroom:
    """Two threads that decode frames and cut pictures: one for what somebody waits for, one for what will be wanted.

    Each has a reader of its own, since a video file that is read here and there decodes much in vain; the second goes
    through the frames in order. Pictures lie in a folder that vanishes with the room.

    Attributes:
        frames: of the video.
    """

    frames: Frames
    _temporary: ExitStack = attrs.field(init=False, factory=ExitStack)
    _folder: Path = attrs.field(init=False)
    _made: dict[str, Future[Path]] = attrs.field(init=False, factory=dict)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _orders: tuple[PriorityQueue[Order], PriorityQueue[Order]] = attrs.field(init=False)
    _closed: bool = attrs.field(init=False, default=False)
    _threads: list[threading.Thread] = attrs.field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self._folder = self._temporary.enter_context(temporary_folder())
        self._orders = PriorityQueue(), PriorityQueue()
        shared = threading.Lock()
        for orders in self._orders:
            reader = self.frames.reader()
            lock = shared if reader is self.frames else threading.Lock()
            self._threads.append(threading.Thread(target=self._work, args=(orders, reader, lock), daemon=True))
        for thread in self._threads:
            thread.start()

    def want(self, frame: int, region: Region | None, urgency: int = SHOWN) -> Future[Path]:
        """A picture that somebody waits for, or soon will."""
        return self._order(Order(urgency, frame, region))

    def expect(self, pictures: Iterable[tuple[int, Region | None]]) -> None:
        """Pictures that will be wanted, in any order."""
        for frame, region in pictures:
            self._order(Order(_LATER, frame, region))

    def forget(self) -> None:
        """Remove the pictures that are made; one that is wanted again is made again."""
        with self._lock:
            old = [future for future in self._made.values() if future.done()]
            self._made = {name: future for name, future in self._made.items() if not future.done()}
        for future in old:
            if future.exception() is None:
                future.result().unlink(missing_ok=True)

    def close(self) -> None:
        """Stop working and remove the pictures; who waits for one is told."""
        self._closed = True
        for orders in self._orders:
            orders.put(Order(-1, -1, None))
        with self._lock:
            for future in self._made.values():
                if not future.done():
                    future.set_exception(RuntimeError("the page is closed"))
        for thread in self._threads:
            thread.join(_PATIENCE)  # a decoder that is at work when the program ends aborts it
        self._temporary.close()

    def _order(self, order: Order) -> Future[Path]:
        later = order.urgency == _LATER
        with self._lock:
            known = self._made.get(order.name)
            if known is None:
                known = self._made[order.name] = promised()
            elif known.done() or later:
                return known
        self._orders[1 if later else 0].put(order)
        return known

    def _work(self, orders: PriorityQueue[Order], frames: Frames, lock: threading.Lock) -> None:
        last: tuple[int, Picture] = (-1, np.zeros((0, 0, 3), dtype=np.uint8))
        while not self._closed:
            order = orders.get()
            if order.urgency == _LATER:
                self._let_others_first()
            if self._closed:
                return
            future = self._made.get(order.name)
            try:
                if future is not None and not future.done():
                    if order.frame != last[0]:
                        with lock:
                            last = order.frame, frames.read(order.frame).permute(1, 2, 0).contiguous().numpy()
                    self._fulfil(order, last[1], future)
            except Exception as error:  # whoever waits is told; the thread lives on
                with self._lock:
                    if future is not None and not future.done():
                        future.set_exception(error)
            orders.task_done()

    def _let_others_first(self) -> None:
        """Both would share the machine."""
        while self._orders[0].unfinished_tasks and not self._closed:
            time.sleep(_TICK)

    def _fulfil(self, order: Order, frame: Picture, future: Future[Path]) -> None:
        region = order.region or (0, 0, frame.shape[1], frame.shape[0])
        data = jpeg(cut(frame, region, size_of(region, LARGEST if order.region else WIDEST)))
        path = self._folder / f"{order.name}-{threading.get_ident()}.jpg"
        path.write_bytes(data)
        with self._lock:
            if not future.done():
                future.set_result(path)
