"""What pages suppose that their readers have: videos, data sets, weights, and runs that other pages have made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

import vatl_synthetic
from tests import trees
from tests.conftest import stick_video
from tests.docs.blocks import ROOT
from vatl_core.run import start
from vatl_drawing import write_video

_TINY = {"synthetic": {"frames": 4, "source_videos": 0}, "few-labels": {"steps": 8, "epochs": 1}}


def prepare(page: Path, folder: Path) -> None:
    """Put into a folder what a page's readers have already."""
    if page.parent.parent.name == "examples":
        shutil.copytree(page.parent, folder, dirs_exist_ok=True)
    if bring := _BELONGINGS.get(str(page.relative_to(ROOT))):
        bring(folder)


def _runs(folder: Path) -> None:
    """Runs of the embedded video that differ in their seeds, one of them below a sweep's folder."""
    for seed, name in enumerate(("runs/first", "runs/second", "runs/third", "sweeps/comparison/runs/one")):
        start(folder / name, query="thc", seed=seed, schedule=[4, 8], options=_TINY).adapt()


def _weights(folder: Path) -> None:
    shipped = Path(vatl_synthetic.__file__).parent / "weights" / "tiny.safetensors"
    shutil.copy(shipped, folder / "tiny.safetensors")


def _own_video(folder: Path) -> None:
    """A video file, and its annotations as COCO's JSON."""
    sticks = stick_video(6)
    write_video(folder / "clip.mp4", (sticks.frames.read(index) for index in range(6)))
    (folder / "a.json").write_text(json.dumps(_coco()))


def _coco() -> dict[str, object]:
    sticks = stick_video(6)
    found, points = sticks.instances, sticks.instances.keypoints
    assert points is not None
    seen = torch.cat([points, torch.full_like(points[..., :1], 2)], 2).flatten(1).tolist()
    rows = zip(found.frame.tolist(), found.track.tolist(), found.boxes.tolist(), seen, strict=True)
    images = [{"id": i, "file_name": "clip.mp4", "frame_index": i, "width": 160, "height": 120} for i in range(6)]
    annotations = [
        {"id": n, "image_id": frame, "track_id": track, "category_id": 1, "bbox": box, "keypoints": keypoints}
        for n, (frame, track, box, keypoints) in enumerate(rows)
    ]
    category = {"id": 1, "name": "stick", "keypoints": list(sticks.skeleton.keypoints), "skeleton": [[1, 2]]}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _posetrack21(folder: Path) -> None:
    trees.posetrack21(folder / "PoseTrack21")


def _licensed(folder: Path) -> None:
    """Trees in the form of the licensed data sets, and files of the names of weights that nobody trained."""
    trees.posetrack21(folder / "data" / "PoseTrack21")
    trees.jrdb_pose(folder / "data" / "JRDB")
    (folder / "simplebaseline-posetrack21.safetensors").touch()


def _pictures(folder: Path) -> None:
    """The frames of which the page shows the points."""
    (folder / "flies").mkdir()
    for number in range(2):
        Image.new("RGB", (100, 60), (90, 90, 60 * number)).save(folder / "flies" / f"{number:03d}.png")


_BELONGINGS: dict[str, Callable[[Path], None]] = {
    "docs/configuration.md": _own_video,
    "docs/datasets.md": _posetrack21,
    "docs/examples/vatl-csv/README.md": _pictures,
    "docs/export.md": _weights,
    "docs/outputs.md": _weights,
    "docs/reports.md": _runs,
    "docs/reproduce.md": _licensed,
}
