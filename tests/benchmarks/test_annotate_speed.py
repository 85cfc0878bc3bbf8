"""How long a person waits for the labelling page: its first instance, and each next one, with a thousand queued."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.annotator import Annotator, enter
from tests.beginning import Beginning
from vatl_annotate.application import application
from vatl_annotate.scene import Scene
from vatl_annotate.serving import Served
from vatl_core.store import RunFolder
from vatl_core.video import Instances, Skeleton, Video
from vatl_drawing import write_video
from vatl_frames import VideoFile

FRAMES, QUEUED, LABELS = 40, 1000, 30
WIDTH, HEIGHT = 3840, 2160
FIRST, NEXT = 1.0, 0.1
"""Seconds that the first and each next instance may take."""
SEVENTEEN = Skeleton("seventeen", tuple(f"k{i}" for i in range(17)), tuple((i, i + 1) for i in range(16)))


def clip(folder: Path) -> Path:
    """A 4K video that moves."""
    small = np.random.default_rng(0).integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
    picture = torch.from_numpy(np.kron(small, np.ones((16, 16, 1), np.uint8))).permute(2, 0, 1)

    def pictures() -> Iterator[Tensor]:
        for frame in range(FRAMES):
            yield picture.roll(4 * frame, 2)

    write_video(folder / "clip.mp4", pictures())
    return folder / "clip.mp4"


def video_of(path: Path) -> Video:
    """A thousand people of 150 to 600 pixels, anywhere."""
    chance = torch.Generator().manual_seed(0)
    size = torch.rand(QUEUED, 2, generator=chance) * 450 + 150
    place = torch.rand(QUEUED, 2, generator=chance) * (torch.tensor([WIDTH, HEIGHT]) - size)
    frame = torch.arange(QUEUED) % FRAMES
    boxes = torch.cat([place, size], 1)
    keypoints = place[:, None] + size[:, None] * torch.rand(QUEUED, 17, 2, generator=chance)
    instances = Instances.of(
        frame.sort().values, torch.arange(QUEUED), boxes, None, keypoints, torch.ones(QUEUED, 17) > 0
    )
    return Video("people", SEVENTEEN, VideoFile(path), instances)


@attrs.define
class Timed:
    """Seconds of what a page asks for."""

    first: dict[str, float]
    following: list[float]
    pictures: list[float]


@pytest.fixture
def people(tmp_path: Path) -> Video:
    return video_of(clip(tmp_path))


def seconds(client: httpx.Client, path: str) -> tuple[float, httpx.Response]:
    started = time.perf_counter()
    response = client.get(path)
    response.raise_for_status()
    return time.perf_counter() - started, response


def work(link: str) -> Timed:
    """Open the page, and label as it would, pictures fetched ahead."""
    first: dict[str, float] = {}
    person = Annotator(enter(link), {})
    for name, path in (("page", "/"), ("run", "/api/run"), ("state", "/api/state?tab=x"), ("task", "/api/task?tab=x")):
        first[name], response = seconds(person.client, path)
    task = response.json()["task"]
    first["picture"], shown = seconds(person.client, task["picture"]["url"])
    print(f"\nthe first picture is of {len(shown.content) / 1024:.0f} KiB")
    following, pictures = [], []
    for _ in range(LABELS):
        body = person.body(task, tab="x", keypoints=[[x, y, 2] for x, y, _ in task["proposal"]])
        started = time.perf_counter()
        content = person.write("labels", body).json()
        following.append(time.perf_counter() - started)
        task = content["task"]
        pictures.extend(seconds(person.client, url)[0] for url in content["ahead"][:3])
    return Timed(first, following, pictures)


def test_the_first_instance_takes_a_second_and_the_next_a_tenth(tmp_path: Path, people: Video) -> None:
    run = Beginning(RunFolder(tmp_path), people)
    query = random.Random(0).sample(range(QUEUED), QUEUED)
    scene = Scene.of(run.desk, 0.35, "somebody")
    run.desk.on_open = scene.prepare
    served = Served.begin("127.0.0.1", 0, tmp_path / "keys", "", lambda keys, hosts: application(scene, keys, hosts))
    try:
        started = time.perf_counter()
        run.ask(query)
        opened = time.perf_counter() - started
        time.sleep(1.0)  # a person takes longer to open a page
        timed = work(served.link)
    finally:
        run.desk.fail(KeyboardInterrupt())
        served.end()
        scene.room.close()
    total, following = sum(timed.first.values()), statistics.median(timed.following)
    print(f"opening the queue: {opened:.3f} s; first instance: {total:.3f} s, {timed.first}")
    print(f"next: median {following:.4f} s, longest {max(timed.following):.4f} s")
    print(f"pictures ahead: median {statistics.median(timed.pictures):.3f} s, longest {max(timed.pictures):.3f} s")
    assert total < FIRST
    assert following < NEXT
