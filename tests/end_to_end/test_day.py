"""A practitioner's day: from a SLEAP project with a few labels to files for other programs, and once more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
import pytest
import sleap_io
import torch

from tests.annotator import Annotator, Pose, Process, enter
from vatl_core.video import Video
from vatl_drawing import write_video
from vatl_sleap_io.dataset import SleapIO
from vatl_synthetic.dataset import Synthetic

LABELLED: Final = 40
"""Instances of the project that a user labelled; the others were predicted, badly."""
QUICK: Final = ("--estimator", "tiny", "--device", "cpu", "-o", "few-labels.steps=60", "-o", "few-labels.epochs=1")
ASKED: Final = ("--schedule", "6,12", "--oracle", "browser", "-o", "browser.open=false", "-o", "browser.pause=0")


def filmed(name: str, path: Path) -> Video:
    """A video of three people, and as a file."""
    video = Synthetic(frames=24, people=3).load(name)
    write_video(path, (video.frames.read(frame) for frame in range(len(video.frames))))
    return video


def project(video: Video, film: Path, path: Path) -> None:
    """A SLEAP project: users' labels on the first frames, predictions on the rest."""
    instances, people = video.instances, video.skeleton
    assert instances.keypoints is not None
    skeleton = sleap_io.Skeleton(list(people.keypoints), list(people.edges), name=people.name)
    tracks = [sleap_io.Track(f"person {track}") for track in instances.track.unique().tolist()]
    noise = torch.randn(instances.keypoints.shape, generator=torch.Generator().manual_seed(0)) * 6
    source = sleap_io.Video(filename=str(film), open_backend=False)
    frames: dict[int, list[sleap_io.Instance]] = {}
    for i, (frame, track) in enumerate(zip(instances.frame.tolist(), instances.track.tolist(), strict=True)):
        kind = sleap_io.Instance if i < LABELLED else sleap_io.PredictedInstance
        points = instances.keypoints[i] + (noise[i] if i >= LABELLED else 0)
        frames.setdefault(frame, []).append(kind.from_numpy(points.numpy(), skeleton=skeleton, track=tracks[track]))
    labelled = [sleap_io.LabeledFrame(video=source, frame_idx=f, instances=found) for f, found in frames.items()]
    sleap_io.Labels(labelled, videos=[source], skeletons=[skeleton], tracks=tracks).save(str(path), embed=False)


def boxes(video: Video, path: Path) -> None:
    """Who is where in another video, as drawn by hand."""
    instances = video.instances
    rows = zip(instances.frame.tolist(), instances.track.tolist(), instances.boxes.tolist(), strict=True)
    content = {
        "images": [{"id": frame, "frame_index": frame} for frame in range(len(video.frames))],
        "annotations": [
            {"id": i, "image_id": frame, "category_id": 1, "track_id": track, "bbox": box}
            for i, (frame, track, box) in enumerate(rows)
        ],
        "categories": [{"id": 1, "name": "person"}],
    }
    path.write_text(json.dumps(content))


def truth_of(labels: Path, video: Video) -> dict[str, Pose]:
    """What the person sees, by the instances' names in the project."""
    data = SleapIO(labels)
    read, true = data.load(*data.videos()).instances, video.instances
    assert true.keypoints is not None
    rows = zip(true.frame.tolist(), true.track.tolist(), true.keypoints.tolist(), strict=True)
    poses = {(frame, track): [(x, y, 2) for x, y in pose] for frame, track, pose in rows}
    places = zip(read.frame.tolist(), read.track.tolist(), strict=True)
    return {name: poses[place] for name, place in zip(read.ids, places, strict=True)}


class Day:
    """Commands in one folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, {**environment, "OMP_NUM_THREADS": "1"}

    def type(self, *words: str) -> str:
        """A command that nobody has to wait for: what it prints."""
        code, out, err = Process.begin(words, self.folder, self.environment).end(180)
        assert code == 0, err
        return out

    def label(self, truth: Mapping[str, Pose], wishes: Sequence[str], *words: str) -> Annotator:
        """A command that asks a person, who answers."""
        process = Process.begin(words, self.folder, self.environment)
        person = Annotator(enter(process.link()), truth, wishes=list(wishes))
        person.work()
        code, _, err = process.end(180)
        assert code == 0, err
        return person


@pytest.mark.timeout(900)
def test_a_day(tmp_path: Path, environment: dict[str, str]) -> None:
    video = filmed("dance", tmp_path / "clip.mp4")
    project(video, tmp_path / "clip.mp4", tmp_path / "flies.slp")
    other = filmed("beach", tmp_path / "other.mp4")
    boxes(other, tmp_path / "other.boxes.json")
    truth, day = truth_of(tmp_path / "flies.slp", video), Day(tmp_path, environment)

    asked = day.label(truth, (), "run", "flies.slp", *QUICK, *ASKED, "--name", "day")
    run: dict[str, Any] = json.loads((tmp_path / "runs/day/run.json").read_text())
    assert (run["given"], run["asked"]) == (LABELLED, len(asked.given)) == (LABELLED, 12)
    assert run["stopped_by"]

    day.type("predict", "runs/day", "other.mp4", "--format", "slp", "--no-video")
    first = sleap_io.load_file(str(tmp_path / "runs/day/predictions/other.poses.slp"), open_videos=False)
    assert first.skeleton.node_names == list(video.skeleton.keypoints)
    assert sum(len(frame) for frame in first) == len(other.instances)

    day.type("predict", "runs/day", "--with-labels", "--format", "slp", "--no-video")
    own = sleap_io.load_file(str(tmp_path / "runs/day/predictions/poses.slp"), open_videos=False)
    assert sum(len(frame.user_instances) for frame in own) == LABELLED + 12

    day.type("export", "runs/day", "model.onnx")
    network = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    height, width = json.loads(network.get_modelmeta().custom_metadata_map["vatl"])["input"]["size"]
    (heatmaps,) = network.run(None, {"crops": np.zeros((2, 3, height, width), np.uint8)})
    assert heatmaps.shape[:2] == (2, len(video.skeleton.keypoints))

    review = ("annotate", "runs/day", "--review", "--count", "5", "--no-open")
    reviewed = day.label(truth, ("learn", "end"), *review)
    run = json.loads((tmp_path / "runs/day/run.json").read_text())
    assert len(reviewed.given) >= 5
    assert run["labelled"] == LABELLED + 12 + 5

    day.type("predict", "runs/day", "other.mp4", "--format", "slp", "--no-video", "--out", "again")
    again = sleap_io.load_file(str(tmp_path / "again/other.poses.slp"), open_videos=False)
    assert not np.allclose(again.numpy(), first.numpy(), equal_nan=True), "it has learnt from the review"
