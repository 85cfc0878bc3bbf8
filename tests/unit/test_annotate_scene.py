"""What the page is shown of a run whose frames are not alike, and of one run after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.beginning import SOON, Beginning
from tests.conftest import stick_video
from vatl_annotate.access import Keys
from vatl_annotate.application import application
from vatl_annotate.scene import Scene
from vatl_core.store import RunFolder
from vatl_frames import PictureFiles

SIZES = {0: (160, 120), 1: (600, 400), 2: (160, 120)}
"""Width and height of each frame."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Beginning]:
    """Two stick figures in three pictures, of which one has another size."""
    for frame, (width, height) in SIZES.items():
        cv2.imwrite(str(tmp_path / f"{frame}.png"), np.full((height, width, 3), 40 * frame, np.uint8))
    video = attrs.evolve(stick_video(3), frames=PictureFiles([tmp_path / f"{frame}.png" for frame in SIZES]))
    video.instances.boxes[video.instances.frame == 1] += 250.0  # where the smaller pictures have nothing
    beginning = Beginning(RunFolder(tmp_path), video)
    yield beginning
    beginning.desk.fail(KeyboardInterrupt())


@pytest.fixture
def client(run: Beginning) -> Iterator[TestClient]:
    """A browser that has opened the page, with every instance asked for."""
    scene = Scene.of(run.desk, 0.35, "owner")
    with TestClient(application(scene, Keys("t" * 43, 7000), frozenset())) as client:
        client.get("/", params={"token": "t" * 43})
        run.ask(list(range(len(run.video.instances))))
        yield client
    scene.room.close()


def posted(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"/api/{path}", json={"tab": "a"} | body, headers={"X-Vatl": "1"})


def test_each_instance_is_shown_and_labelled_in_its_own_frame(run: Beginning, client: TestClient) -> None:
    for instance, frame in enumerate(run.video.instances.frame.tolist()):
        task = client.get(f"/api/tasks/{instance}").json()["task"]
        assert tuple(task["frame_size"]) == SIZES[frame]
        assert client.get(task["picture"]["url"]).status_code == 200
        shown = np.frombuffer(client.get(task["frame_url"]).content, np.uint8)
        assert cv2.imdecode(shown, cv2.IMREAD_COLOR).shape[:2] == SIZES[frame][::-1]


def test_a_pose_and_a_box_are_held_to_their_own_frame(run: Beginning, client: TestClient) -> None:
    (large, *_), (small, *_) = ((run.video.instances.frame == frame).nonzero().flatten().tolist() for frame in (1, 0))
    pose = [[580.0, 390.0, 2]] * len(run.video.skeleton)
    label = {"keypoints": pose, "cycle": 0, "seconds": 1.0, "annotator": "ann"}
    assert posted(client, "labels", instance=large, submission="l", **label).status_code == 200
    assert posted(client, "labels", instance=small, submission="s", **label).status_code == 422
    box = [500.0, 300.0, 90.0, 90.0]
    other = next(i for i, frame in enumerate(run.video.instances.frame.tolist()) if frame == 1 and i != large)
    assert client.get("/api/task", params={"tab": "a"}).json()["task"]["instance"] == small
    assert posted(client, "box", instance=small, box=box).status_code == 422
    run.desk.queue.release("a")
    assert posted(client, "box", instance=other, box=box).status_code == 200
    assert posted(client, "labels", instance=10**9, submission="n", **label).status_code == 404


def test_what_browsers_keep_is_of_this_run(run: Beginning, client: TestClient, tmp_path: Path) -> None:
    other = Beginning(RunFolder(tmp_path / "other"), run.video)
    other.estimate()
    scene = Scene.of(other.desk, 0.35, "owner")
    task, same = client.get("/api/task", params={"tab": "a"}).json()["task"], scene.task(0)
    scene.room.close()
    assert (task["instance"], task["picture"]["region"]) == (0, same["picture"]["region"])
    for one, another in ((task, same), (task["picture"], same["picture"]), (task["after"], same["after"])):
        key = "frame_url" if "frame_url" in one else "url"
        answer = client.get(one[key])
        assert answer.headers["cache-control"] == "private, max-age=600"
        assert one[key] != another[key]


def test_whoever_looks_at_an_earlier_label_is_waited_for(run: Beginning, client: TestClient) -> None:
    run.desk.pause = 0.5
    for instance in range(len(run.video.instances)):
        task = client.get(f"/api/tasks/{instance}").json()["task"]
        body = {"keypoints": [[*p[:2], 2] for p in task["proposal"]], "cycle": 0, "seconds": 1.0, "annotator": "ann"}
        assert posted(client, "labels", instance=instance, submission=str(instance), **body).status_code == 200
    for _ in range(4):
        assert not run.outcome.done()
        with pytest.raises(TimeoutError):
            run.outcome.result(0.3)
        client.get("/api/state", params={"tab": "a", "correcting": "1"})
    assert run.outcome.result(SOON) == list(range(len(run.video.instances)))
