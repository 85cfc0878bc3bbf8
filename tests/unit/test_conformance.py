"""Every component that is installed keeps what its contract promises, by the tests that strangers use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import trees
from tests.conftest import stick_video
from vatl_core.discovery import discover
from vatl_core.plugins import KINDS, build
from vatl_drawing import write_video
from vatl_kit import CONTRACT_TESTS, BrokenContract
from vatl_kit.contract import checks

REGISTRY = discover()
SMALL_RECIPE = {"alpha": 8, "scratch_epochs": 1}
SMALL: dict[tuple[str, str], dict[str, Any]] = {
    ("criterion", "vl4pose"): {"steps": 20},
    ("criterion", "wpu"): {"pretrain_epochs": 4},
    ("estimator", "tiny"): {"width": 8, "input_size": "64,64"},
    ("estimator", "simplebaseline"): {"backbone": "resnet18", "head_width": 16, "input_size": "64,64"},
    ("estimator", "hrnet"): {"width": 8, "input_size": "64,64"},
    ("estimator", "fastpose"): {"width": 8, "depth": 26, "input_size": "64,64"},
    ("estimator", "vitpose"): {"size": "small", "depth": 1, "head_width": 16, "input_size": "64,64"},
    ("retraining", "continual"): SMALL_RECIPE,
    ("retraining", "full"): SMALL_RECIPE,
    ("retraining", "from-source"): SMALL_RECIPE,
    ("retraining", "from-scratch"): SMALL_RECIPE,
    ("retraining", "few-labels"): {"steps": 4, "epochs": 1},
    ("retraining", "semi"): {"steps": 4, "epochs": 1, "rehearsal": 0},
    ("oracle", "noisy"): {"jitter": 0.2, "swapped": 0.3, "missed": 0.2, "wrong_person": 0.3},
    ("oracle", "costly"): {"instance": 5, "keypoint": 1, "frame": 20, "around": "noisy,jitter=0.2"},
    ("dataset", "synthetic"): {"frames": 4, "source_frames": 3, "source_videos": 2},
}
"""Options that make components quick; the others are tested as they are."""
ELSEWHERE = {("executor", "ray")}
"""What the same tests are put to where there is a cluster: tests/end_to_end/test_ray.py."""
CASES = [(kind, name) for kind in KINDS for name in REGISTRY.names(kind) if (kind, name) not in ELSEWHERE]


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video file of two stick figures, and their boxes and keypoints as COCO's JSON."""
    folder, sticks = tmp_path_factory.mktemp("footage"), stick_video(6)
    write_video(folder / "sticks.mp4", (sticks.frames.read(index) for index in range(6)))
    found = sticks.instances
    annotations = [
        {
            "id": number,
            "image_id": int(found.frame[number]),
            "track_id": int(found.track[number]),
            "category_id": 1,
            "bbox": found.boxes[number].tolist(),
            "keypoints": [float(c) for x, y in found.keypoints[number] for c in (x, y, 2)],
        }
        for number in range(len(found))
    ]
    content = {
        "images": [
            {"id": i, "file_name": "sticks.mp4", "frame_index": i, "width": 160, "height": 120} for i in range(6)
        ],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "stick", "keypoints": list(sticks.skeleton.keypoints), "skeleton": [[1, 2]]}],
    }
    (folder / "sticks.json").write_text(json.dumps(content))
    return folder


def files_of(name: str, folder: Path, footage: Path) -> dict[str, Any]:
    """Options of a data set that reads files, which are made in a folder."""
    if name == "coco":
        return {"annotations": footage / "sticks.json", "frames": footage / "sticks.mp4"}
    if name == "video":
        return {"path": footage / "sticks.mp4", "boxes": footage / "sticks.json"}
    if name == "posetrack21":
        return {"root": trees.posetrack21(folder)}
    if name == "jrdb-pose":
        return {"root": trees.jrdb_pose(folder)}
    if name == "sleap-io":
        return {"labels": sleap_project(folder, footage / "sticks.mp4")}
    return {}


def sleap_project(folder: Path, clip: Path) -> Path:
    """A project of one instance a frame."""
    import sleap_io

    skeleton, video = sleap_io.Skeleton(["head", "tail"], edges=[("head", "tail")]), sleap_io.Video(str(clip))
    frames = [
        sleap_io.LabeledFrame(
            video=video,
            frame_idx=index,
            instances=[sleap_io.Instance.from_numpy(np.array([[20.0, 30 + index], [50.0, 60]]), skeleton=skeleton)],
        )
        for index in range(6)
    ]
    path = folder / "project.slp"
    sleap_io.save_file(sleap_io.Labels(frames), str(path))
    return path


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind} {name}" for kind, name in CASES])
def test_it_keeps_its_contract(
    kind: str, name: str, footage: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    made = files_of(name, tmp_path, footage) if kind == "dataset" else {}
    options = SMALL.get((kind, name), {}) | {option: str(value) for option, value in made.items()}
    contract = type("Installed", (CONTRACT_TESTS[kind],), {"component": build(REGISTRY, kind, name, options)})
    broken = []
    for title, check in checks(contract):
        try:
            check(contract())
        except BrokenContract as error:
            broken.append(f"{title}: {error}")
    assert not broken
