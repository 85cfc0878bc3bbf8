"""Frames as pictures for the page on which boxes are drawn."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import torch

from tests.beginning import SOON
from tests.footage import turn
from vatl_annotate.boxes.drawing import Drawing, beside
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.interface import Interface, application
from vatl_annotate.boxes.reel import Reel
from vatl_annotate.boxes.session import next_command
from vatl_annotate.serving import Served
from vatl_drawing import write_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of forty frames."""
    path = tmp_path / "clip.mp4"
    write_video(path, (torch.full((3, 48, 80), 6 * i, dtype=torch.uint8) for i in range(40)))
    return path


def test_a_turned_camera_s_frames_are_upright(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, (torch.full((3, 48, 80), 90, dtype=torch.uint8) for _ in range(3)))
    turn(path, 90)
    footage = Footage.open(path)
    reel = Reel(footage)
    pictures = [reel.want(1, full).result(SOON) for full in (False, True)]
    reel.close()
    assert footage.size == (48, 80)
    for picture in pictures:
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (80, 48, 3)


def test_a_picture_that_one_of_two_does_not_wait_for_any_more_comes_to_the_other(clip: Path) -> None:
    reel = Reel(Footage.open(clip))
    with reel._change:  # in which the thread does not begin
        one, other, alone = reel.want(9), reel.want(9), reel.want(30)
        reel.forget(one)
        reel.forget(alone)
        assert list(reel._wanted) == [(9, False)]
    assert other.result(SOON)
    assert one.cancelled()
    assert alone.cancelled()
    assert reel.want(31).result(SOON), "the thread lives on"
    reel.close()


def test_a_page_that_is_gone_is_not_waited_for(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole server: what stands between must not hide that the connection is closed."""
    forgotten = threading.Event()
    footage = Footage.open(clip)
    reel, drawing = Reel(footage), Drawing.open(footage, beside(footage), None, None)[0]
    monkeypatch.setattr(Reel, "want", lambda *_: Future())
    monkeypatch.setattr(Reel, "forget", lambda *_: forgotten.set())
    do = Interface(drawing, reel, next_command(drawing))
    served = Served.begin("127.0.0.1", 0, clip.with_name("keys"), "", lambda keys, hosts: application(do, keys, hosts))
    with httpx.Client() as client:
        client.get(served.link)
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"http://127.0.0.1:{served.port}/api/frames/3", timeout=0.2)
    assert forgotten.wait(SOON)
    served.end()
    reel.close()
