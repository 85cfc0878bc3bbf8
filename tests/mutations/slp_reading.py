"""A SLEAP project read a second time, by its tables alone, and held against what the data set made of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.conftest import Outcome
from tests.mutations.reading import Seen, same_partition, seen
from vatl_core.video import Video


def assert_says(path: Path, videos: dict[str, Video], outcome: Outcome) -> None:
    """Make sure that videos hold what the tables say, and that all that is left out is counted."""
    with h5py.File(path) as file:
        frames, instances, points = (file[name][:] for name in ("frames", "instances", "points"))
        tracks, metadata = len(file["tracks_json"]), json.loads(file["metadata"].attrs["json"])
    nodes = _nodes(metadata)
    in_frames = Counter(int(i) for row in frames for i in range(row["instance_id_start"], row["instance_id_end"]))
    assert set(in_frames.values()) <= {1}, "read, though an instance is in two frames"
    assert set(in_frames) == set(range(len(instances))), "read, though an instance is in no frame, or the other way"
    dropped = sum(sum(video.dropped.values()) for video in videos.values())
    found = [instance for video in videos.values() for instance in seen(video).values()]
    assert len(found) + dropped == len(instances), "instances vanished"
    assert len(videos) == len(set(frames["video"].tolist()))
    said: dict[Any, Any] = {}
    for row in frames:
        for i in range(row["instance_id_start"], row["instance_id_end"]):
            instance = instances[i]
            assert instance["frame_id"] == row["frame_id"], "read, though an instance names another frame"
            assert instance["point_id_end"] - instance["point_id_start"] == len(nodes)
            assert -1 <= instance["track"] < tracks
            own = points[int(instance["point_id_start"]) : int(instance["point_id_end"])]
            assert len(own) == len(nodes), "read, though it has fewer points than nodes"
            said[i] = (
                int(row["frame_idx"]),
                _pose(own),
                int(instance["track"]) if instance["track"] >= 0 else ("alone", i),
            )
    _assert_same(found, said, dropped)
    for video in videos.values():
        assert list(video.skeleton.keypoints) == nodes


def _nodes(metadata: Any) -> list[str]:
    """The names of the first skeleton's nodes, in its order; the last ones listed win nothing."""
    skeleton = metadata["skeletons"][0]
    return [metadata["nodes"][node["id"]]["name"] for node in skeleton["nodes"]]


def _pose(points: Any) -> tuple[Any, ...]:
    there = points["visible"].astype(bool) & np.isfinite(points["x"]) & np.isfinite(points["y"])
    return tuple(
        (float(np.float32(p["x"])), float(np.float32(p["y"]))) if t else None
        for p, t in zip(points, there, strict=True)
    )


def _read_pose(instance: Seen) -> tuple[Any, ...]:
    return tuple(point if there else None for point, there in zip(instance.points, instance.visible, strict=True))


def _assert_same(found: list[Seen], said: dict[Any, Any], dropped: int) -> None:
    """The same poses on the same frames, in the same tracks."""
    told = Counter((frame, pose) for frame, pose, _ in said.values())
    got = Counter((instance.picture, _read_pose(instance)) for instance in found)
    assert not got - told, f"{got - told} are nowhere in the file, which has {told - got} in their place"
    assert (told - got).total() == dropped
    if dropped == 0 and max(told.values()) == 1:
        theirs = {(frame, pose): track for frame, pose, track in said.values()}
        ours = {(instance.picture, _read_pose(instance)): instance.track for instance in found}
        assert same_partition(ours, theirs), "read with other tracks"
