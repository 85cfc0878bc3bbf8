"""Pictures of frames at once: the one asked for last first, and those about it while nobody waits."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from vatl_annotate.boxes.footage import Footage
from vatl_annotate.pictures import Picture, cut, jpeg, size_of
from vatl_core.errors import InputError
from vatl_frames import VideoFile, as_shown, decode_from

if TYPE_CHECKING:
    from av import VideoFrame

WIDEST: Final = 1280
"""Pixels of a scaled picture's longer side at the most."""
_ROOM: Final = 256 * 2**20
"""Bytes of pictures that are kept."""
_BEHIND: Final = 40
"""Frames before the one asked for that are kept, since they are decoded on the way to it."""
_AHEAD: Final = 60
"""Frames after it that are decoded while nobody waits."""
_NEAR: Final = 48
"""Frames further on that are reached by decoding on rather than by looking for a key frame."""

Order = tuple[int, bool]
"""A frame, and whether it is wanted in its own size rather than scaled."""


@attrs.define(eq=False)
class Reel:
    """A thread that decodes frames and makes JPEG pictures of them.

    Attributes:
        footage: whose.
    """

    footage: Footage
    _made: OrderedDict[Order, bytes] = attrs.field(init=False, factory=OrderedDict)
    _bytes: int = attrs.field(init=False, default=0)
    _wanted: dict[Order, list[Future[bytes]]] = attrs.field(init=False, factory=dict)
    _change: threading.Condition = attrs.field(init=False, factory=threading.Condition)
    _closed: bool = attrs.field(init=False, default=False)
    _film: Iterator[tuple[int, Picture | VideoFrame]] = attrs.field(init=False, factory=lambda: iter(()))
    _next: int = attrs.field(init=False, default=-1)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def want(self, frame: int, full: bool = False) -> Future[bytes]:
        """A frame's picture as JPEG; before all that was wanted earlier."""
        order = frame, full
        with self._change:
            future: Future[bytes] = Future()
            if order in self._made:
                self._made.move_to_end(order)
                future.set_result(self._made[order])
            elif self._closed:
                future.cancel()
            else:
                self._wanted[order] = [*self._wanted.pop(order, ()), future]
                self._change.notify()
            return future

    def forget(self, future: Future[bytes]) -> None:
        """Whoever got this does not wait any more; what nobody else waits for is not made."""
        with self._change:
            for order, waiting in list(self._wanted.items()):
                waiting[:] = [other for other in waiting if other is not future]
                if not waiting:
                    del self._wanted[order]
        future.cancel()

    def close(self) -> None:
        """Stop; whoever waits is told."""
        with self._change:
            self._closed = True
            for future in chain.from_iterable(self._wanted.values()):
                future.cancel()
            self._wanted.clear()
            self._change.notify()

    # ------------------------------------------------------------------------------------------------------ the thread
    def _work(self) -> None:
        while (order := self._newest()) is not None:
            try:
                self._develop(order)
                self._run_ahead(order[0])
            except Exception as error:  # whoever waits is told; the thread lives on
                self._fail(order, error)

    def _newest(self) -> Order | None:
        with self._change:
            self._change.wait_for(lambda: self._closed or self._wanted)
            return None if self._closed else next(reversed(self._wanted))

    def _develop(self, order: Order) -> None:
        """Decode up to a frame and make its picture; given up when something newer is wanted meanwhile."""
        wanted, full = order
        if full or self._next < 0 or not self._next <= wanted < self._next + _NEAR:
            self._go_to(wanted)
        for frame, raw in self._film:
            self._next = frame + 1
            if frame == wanted:
                return self._keep(order, _developed(raw, full))
            if frame > wanted:
                break
            if frame >= wanted - _BEHIND:
                self._scaled(frame, raw)
            if self._is_late(order):
                return None
        self._go_to(None)
        raise InputError(f"frame {wanted} cannot be decoded")

    def _run_ahead(self, frame: int) -> None:
        """Go on decoding while nobody waits."""
        if self._wanted:
            return
        for after, raw in islice(self._film, max(frame + _AHEAD - self._next, 0)):
            self._next = after + 1
            self._scaled(after, raw)
            if self._wanted or self._closed:
                return

    def _go_to(self, frame: int | None) -> None:
        self._next = -1 if frame is None else frame
        frames = self.footage.frames
        if frame is None:
            self._film = iter(())
        elif isinstance(frames, VideoFile):
            self._film = _decoded(frames, frame)
        else:
            pictures = (frames.read(i).permute(1, 2, 0).contiguous().numpy() for i in range(frame, len(frames)))
            self._film = enumerate(pictures, frame)

    def _is_late(self, order: Order) -> bool:
        with self._change:
            return self._closed or (bool(self._wanted) and next(reversed(self._wanted)) != order)

    def _scaled(self, frame: int, raw: Picture | VideoFrame) -> None:
        if (frame, False) not in self._made:
            self._keep((frame, False), _developed(raw, False))

    def _keep(self, order: Order, data: bytes) -> None:
        with self._change:
            self._made[order] = data
            self._bytes += len(data)
            while self._bytes > _ROOM:
                self._bytes -= len(self._made.popitem(last=False)[1])
            waiting = self._wanted.pop(order, ())
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(data)

    def _fail(self, order: Order, error: Exception) -> None:
        self._go_to(None)
        with self._change:
            waiting = self._wanted.pop(order, ())
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)


def _decoded(film: VideoFile, index: int) -> Iterator[tuple[int, VideoFrame]]:
    """Frames from the key frame at or before ``index`` on, as the decoder gives them: converting costs the most."""
    for time, picture in decode_from(film.path, film.times[index], film.finding):
        if picture is not None:
            yield bisect_left(film.times, time), picture


def _developed(raw: Picture | VideoFrame, full: bool) -> bytes:
    """A decoded frame as JPEG; a video's is scaled before it is converted, which is quick."""
    if isinstance(raw, np.ndarray):
        whole = (0, 0, raw.shape[1], raw.shape[0])
        return jpeg(raw if full else cut(raw, whole, size_of(whole, WIDEST)))
    width, height = size_of((0, 0, raw.width, raw.height), max(raw.width, raw.height) if full else WIDEST)
    return jpeg(as_shown(raw, width=width, height=height, interpolation="AREA"))
