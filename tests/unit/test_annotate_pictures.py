"""Pictures: cut to the pixel, black beyond the frame, and made once however many ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vatl_annotate.pictures import LARGEST, Darkroom, Picture, Region, cut, jpeg, region_around, size_of
from vatl_core.errors import InputError
from vatl_core.video import Frames

WIDTH, HEIGHT = 90, 70
SOON = 10.0


def gradient(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """No two pixels alike, none of them black."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 200 + 20, y % 200 + 20, (x + y) % 200 + 20], -1).astype(np.uint8)


numbers = st.floats(-200, 300)
extents = st.floats(1, 400)


class TestCutting:
    @given(st.integers(-150, 200), st.integers(-150, 200), st.integers(1, 250), st.integers(1, 250))
    def test_every_pixel_is_the_frames_or_black(self, left: int, top: int, width: int, height: int) -> None:
        frame = gradient()
        picture = cut(frame, (left, top, width, height), (width, height))
        assert picture.shape == (height, width, 3)
        padded = np.zeros((HEIGHT + 700, WIDTH + 700, 3), np.uint8)
        padded[300 : 300 + HEIGHT, 300 : 300 + WIDTH] = frame
        assert (picture == padded[300 + top : 300 + top + height, 300 + left : 300 + left + width]).all()

    def test_a_smaller_picture_shows_the_same(self) -> None:
        frame = cv2.resize(gradient(), (1800, 1400), interpolation=cv2.INTER_NEAREST)
        region = (-200.0, -100.0, 2048.0, 1536.0)
        assert size_of(region) == (1024, 768)
        picture = cut(np.asarray(frame, np.uint8), region, size_of(region))
        assert (picture[:50] == 0).all()
        assert (picture[:, :100] == 0).all()
        x, y = 611, 307
        assert picture[(y + 100) // 2, (x + 200) // 2] == pytest.approx(frame[y, x], abs=12)

    def test_a_jpeg_has_the_colours(self) -> None:
        red = np.zeros((16, 16, 3), np.uint8)
        red[..., 0] = 255
        decoded = cv2.imdecode(np.frombuffer(jpeg(red), np.uint8), cv2.IMREAD_COLOR)
        assert decoded[8, 8] == pytest.approx([0, 0, 255], abs=4), "OpenCV gives blue, green, red"

    @given(numbers, numbers, extents, extents, st.floats(0, 5))
    def test_a_region_holds_its_box_and_what_is_about_it_in_the_frame(
        self, x: float, y: float, width: float, height: float, context: float
    ) -> None:
        size = (300, 200)
        left, top, wide, tall = region_around((x, y, width, height), context, size)
        assert (left, top, wide, tall) == tuple(map(int, (left, top, wide, tall)))
        assert wide >= 1
        assert tall >= 1
        edge = context * max(width, height)
        for start, extent, first, length, side in ((x, width, left, wide, size[0]), (y, height, top, tall, size[1])):
            assert first <= start <= start + extent <= first + length, "the box is shown"
            assert first <= max(0, start - edge)
            assert first + length >= min(side, start + extent + edge)
            assert length <= max(side * 1.6, extent) + abs(start) + 60, "but not a desert of black"

    def test_a_box_of_a_pixel_is_shown_with_its_surroundings(self) -> None:
        assert region_around((100, 100, 1, 1), 0.35, (300, 200)) == (76, 76, 49, 49)

    def test_any_context_of_a_whole_frame_fits_into_memory(self) -> None:
        """Five times 4K on every side would be 1.7 thousand million pixels."""
        region = region_around((0, 0, 3840, 2160), 5.0, (3840, 2160))
        assert region == (-480, -480, 4800, 3120)

    @given(st.integers(1, 20000), st.integers(1, 20000))
    def test_a_picture_is_no_larger_than_need_be(self, width: int, height: int) -> None:
        wide, tall = size_of((0, 0, width, height))
        assert 1 <= wide <= min(width, LARGEST)
        assert 1 <= tall <= min(height, LARGEST)
        assert wide == width or max(wide, tall) == LARGEST


@attrs.define(eq=False)
class Slides(Frames):
    """Grey frames; one of them damaged; it counts how often each is decoded, and whether two decode at once."""

    damaged: int = -1
    decoded: list[int] = attrs.field(factory=list)
    busy: threading.Lock = attrs.field(factory=threading.Lock)
    slow: float = 0.0

    def __len__(self) -> int:
        return 8

    def read(self, index: int) -> Tensor:
        assert self.busy.acquire(blocking=False), "two threads read from one decoder"
        try:
            self.decoded.append(index)
            time.sleep(self.slow)
            if index == self.damaged:
                raise InputError(f"frame {index} cannot be read")
            return torch.full((3, HEIGHT, WIDTH), 20 * index + 10, dtype=torch.uint8)
        finally:
            self.busy.release()


def grey(path: Path) -> int:
    picture = cv2.imread(str(path))
    assert picture is not None
    return int(picture[picture.shape[0] // 2, picture.shape[1] // 2, 0])


@pytest.fixture
def slides() -> Slides:
    return Slides()


@pytest.fixture
def room(slides: Slides) -> Iterator[Darkroom]:
    room = Darkroom(slides)
    yield room
    room.close()


REGION: Region = (10, 10, 40, 30)


class TestDarkroom:
    def test_a_picture_is_the_region_of_its_frame(self, room: Darkroom) -> None:
        path = room.want(3, REGION).result(SOON)
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape == (30, 40, 3)
        assert grey(path) == pytest.approx(70, abs=2)
        whole = cv2.imread(str(room.want(3, None).result(SOON)))
        assert whole is not None
        assert whole.shape == (HEIGHT, WIDTH, 3)

    def test_many_who_want_one_picture_get_the_same(self, room: Darkroom, slides: Slides) -> None:
        slides.slow = 0.05
        with ThreadPoolExecutor(16) as pool:
            paths = list(pool.map(lambda _: room.want(5, REGION).result(SOON), range(64)))
        assert len(set(paths)) == 1
        assert slides.decoded == [5]

    def test_many_pictures_at_once_are_all_right(self, room: Darkroom) -> None:
        orders = [(frame, (10 + n, 10, 40, 30)) for frame in range(8) for n in range(5)]
        room.expect(orders[::-1])
        with ThreadPoolExecutor(8) as pool:
            paths = list(pool.map(lambda order: room.want(*order).result(SOON), orders))
        for (frame, _), path in zip(orders, paths, strict=True):
            assert grey(path) == pytest.approx(20 * frame + 10, abs=2)

    def test_a_damaged_frame_is_told_and_the_next_one_is_shown(self) -> None:
        room = Darkroom(Slides(damaged=2))
        room.expect([(2, REGION), (3, REGION)])
        with pytest.raises(InputError, match="frame 2"):
            room.want(2, None).result(SOON)
        with pytest.raises(InputError, match="frame 2"):
            room.want(2, REGION).result(SOON)
        assert grey(room.want(4, REGION).result(SOON)) == pytest.approx(90, abs=2)
        assert grey(room.want(3, REGION).result(SOON)) == pytest.approx(70, abs=2)
        room.close()

    def test_nobody_can_cancel_what_others_wait_for(self, room: Darkroom, slides: Slides) -> None:
        slides.slow = 0.1
        future = room.want(1, REGION)
        assert not future.cancel()
        assert future.result(SOON).is_file()

    def test_what_is_forgotten_is_made_again(self, room: Darkroom) -> None:
        first = room.want(1, REGION).result(SOON)
        room.forget()
        assert not first.exists()
        assert room.want(1, REGION).result(SOON).is_file()

    def test_closing_tells_those_who_wait_and_leaves_nothing(self) -> None:
        before = set(threading.enumerate())
        room = Darkroom(Slides(slow=0.2))
        done = room.want(0, REGION).result(SOON)
        waiting = [room.want(frame, REGION) for frame in range(1, 6)]
        room.close()
        for future in waiting:
            assert future.exception(SOON) is not None
        assert not done.parent.exists()
        assert not set(threading.enumerate()) - before, "its threads have ended"


@settings(max_examples=25)
@given(st.floats(-50, 200), st.floats(-50, 200), st.floats(1, 300), st.floats(1, 300))
def test_a_keypoint_lies_in_the_picture_where_it_lies_in_the_frame(x: float, y: float, w: float, h: float) -> None:
    """What a page draws at (x − left) · scale is what the picture shows there."""
    frame = np.zeros((160, 240, 3), np.uint8)
    frame[83:86, 123:126] = 255
    region = region_around((x, y, w, h), 0.35, (240, 160))
    left, top, width, height = region
    picture = cut(frame, region, (int(width), int(height)))
    bright = np.argwhere(picture[..., 0] > 0)
    if left <= 123 and top <= 83 and left + width >= 126 and top + height >= 86:
        assert bright.mean(0)[::-1].tolist() == [124 - left, 84 - top]
