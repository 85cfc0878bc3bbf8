"""Whole runs on the data set ``video``, which knows no truth: a person answers for it, here played by an oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import attrs
import pytest
import torch

from tests.conftest import Registered, configured
from tests.unit.test_video_detection import FRAMES, BrightRectangles, picture
from vatl_core.config import RunConfig
from vatl_core.contracts import Labels, Oracle, Request
from vatl_core.plugins import Component
from vatl_core.run import PastRun, execute
from vatl_drawing import write_video
from vatl_video.detectors import Detector

BOXES = "\n".join(f"{frame + 1},7,{4 + 3 * frame},56,24,32,1" for frame in range(0, FRAMES, 2))


@attrs.define
class Diligent(Oracle):
    """A person who finds every proposal right, and may leave in the middle."""

    leaves: ClassVar[int] = -1

    def annotate(self, request: Request) -> Iterator[Labels]:
        if request.cycle == self.leaves:
            raise KeyboardInterrupt
        assert not request.video.instances.has_truth
        seen = torch.ones(request.proposals.shape[:2], dtype=torch.bool)
        yield Labels(request.indices, request.proposals, seen, "diligent", torch.ones(len(request)))


ORACLE = Component("oracle", "diligent", "Finds everything right", "tests.unit.test_video_run:Diligent")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_video(path, (picture(frame) for frame in range(FRAMES)))
    return path


def test_a_run_adapts_to_given_boxes_without_truth(clip: Path, tmp_path: Path, registered: Registered) -> None:
    (tmp_path / "boxes.txt").write_text(BOXES)
    registry = registered(ORACLE)
    options = {
        "dataset": {"video": {"path": str(clip), "boxes": str(tmp_path / "boxes.txt")}},
        "estimator": {"simplebaseline": {"backbone": "resnet18", "input_size": [64, 64]}},
    }
    settings = {
        "dataset": "video",
        "estimator": "simplebaseline",
        "weights": "none",
        "oracle": "diligent",
        "query": "thc",
    }
    record = execute(configured(registry, tmp_path / "runs", options=options, **settings), registry)
    assert record.labelled == 8
    assert record.instances == FRAMES // 2


def test_a_run_with_a_detector_goes_on_with_the_instances_it_began_with(
    clip: Path, tmp_path: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detector, "build", lambda *_: BrightRectangles())
    registry = registered(ORACLE)
    dataset = {"video": {"path": str(clip), "cache": str(tmp_path / "cache"), "device": "cpu"}}

    def config(folder: str) -> RunConfig:
        settings = {"dataset": "video", "oracle": "diligent", "query": "thc", "options": {"dataset": dataset}}
        return configured(registry, tmp_path / folder, **settings)

    whole = execute(config("whole"), registry)
    monkeypatch.setattr(Diligent, "leaves", 1)
    with pytest.raises(KeyboardInterrupt):
        execute(config("broken"), registry)
    monkeypatch.setattr(Diligent, "leaves", -1)
    monkeypatch.setattr(Detector, "build", lambda *_: 1 / 0)
    resumed = execute(tmp_path / "broken" / "run", registry)
    assert (resumed.labelled, resumed.instances) == (whole.labelled, whole.instances) == (8, 46)
    kept = [PastRun.open(tmp_path / folder / "run", registry) for folder in ("whole", "broken")]
    assert torch.equal(*(past.labels().keypoints for past in kept))
    assert [record.query for record in kept[0].cycles] == [record.query for record in kept[1].cycles]
