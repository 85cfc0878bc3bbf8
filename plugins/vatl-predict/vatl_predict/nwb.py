"""Neurodata Without Borders: a ``PoseEstimation`` of the extension ndx-pose for each individual.

sleap-io's own writer rounds the frame rate to a whole number, and its reader finds neither tracks nor frames without
anybody in what that writes; so the parts are put together here, where sleap-io looks for them.
"""

from __future__ import annotations

import datetime
import os
import re
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import ndx_pose
import numpy as np
import pynwb
from numpy.typing import NDArray

from vatl_core.errors import InputError
from vatl_core.files import whole
from vatl_core.video import Skeleton, Video
from vatl_predict.frame_names import files_of, size_of
from vatl_predict.individuals import Individuals
from vatl_predict.predictions import Predictions

_WHAT: Final = "NWB's pose estimation"
_ORIGIN: Final = "pixels of the frame: x grows to the right and y downwards from its top-left corner"
_CONFIDENCE: Final = "height of the heatmap's maximum; 1 for a person's label"


def check(video: Video) -> None:
    """Make sure that a file can hold this video's instances and keypoints.

    Raises:
        InputError: it cannot.
    """
    Individuals.of(video, _WHAT)
    if strange := [name for name in video.skeleton.keypoints if re.search("[/:]", name)]:
        raise InputError(f"{_WHAT} has no name with / or : in it, as keypoint '{strange[0]}': choose another --format")


def write_nwb(found: Predictions, path: Path, scorer: str) -> Path:
    """One file with one video; each series has a value for each frame, NaN where there is nothing."""
    video, who = found.video, Individuals.of(found.video, _WHAT)
    file = pynwb.NWBFile(
        session_description=f"poses in video {video.name}",
        identifier=str(uuid.uuid4()),
        session_start_time=datetime.datetime.now(datetime.UTC),  # nobody knows when it was filmed, and one is needed
    )
    skeleton = _skeleton(video.skeleton)
    behaviour = file.create_processing_module("behavior", "the skeleton")
    behaviour.add(ndx_pose.Skeletons(skeletons=[skeleton]))
    poses = file.create_processing_module(f"SLEAP_VIDEO_000_{_named(video.name)}", "poses")
    about = _about(video, scorer)
    times = np.array([video.frames.time(frame) for frame in range(len(video.frames))])
    for name, values in zip(who.names, who.cells(found).swapaxes(0, 1), strict=True):
        series = [_series(*each, times) for each in zip(skeleton.nodes, values.swapaxes(0, 1), strict=True)]
        called = _named(name or "untracked")
        poses.add(ndx_pose.PoseEstimation(name=called, pose_estimation_series=series, skeleton=skeleton, **about))
    with whole(path) as beside, pynwb.NWBHDF5IO(beside, "w") as output:
        output.write(file)
    return path


def _named(name: str) -> str:
    """A name without what separates the parts of paths; sleap-io knows a track by the word and its number alone."""
    return re.sub("[/:]", "_", name.replace("track_", "track"))


def _skeleton(skeleton: Skeleton) -> Any:
    edges = np.array(skeleton.edges, dtype=np.uint8).reshape(-1, 2)
    return ndx_pose.Skeleton(name=_named(skeleton.name), nodes=list(skeleton.keypoints), edges=edges)


def _about(video: Video, scorer: str) -> dict[str, Any]:
    width, height = size_of(video)
    return {
        "description": f"poses in video {video.name}",
        "original_videos": [_place(video)],
        "dimensions": np.array([[width, height]], dtype=np.uint16),
        "scorer": scorer,
        "source_software": "vatl",
        "source_software_version": version("vatl-core"),
    }


def _place(video: Video) -> str:
    """The video file, or the folder of pictures: each name counts as a video of its own. Its name where it has none."""
    files = files_of(video.frames)
    return os.path.commonpath([file.parent for file in files]) if isinstance(files, list) else str(files or video.name)


def _series(name: str, values: NDArray[np.float32], times: NDArray[np.float64]) -> Any:
    """The places (F, 2) and confidence (F,) of a keypoint in ``values`` (F, 3)."""
    return ndx_pose.PoseEstimationSeries(
        name=name,
        description=f"where {name} is",
        data=values[:, :2].astype(np.float64),
        unit="pixels",
        reference_frame=_ORIGIN,
        timestamps=times,
        confidence=values[:, 2].astype(np.float64),
        confidence_definition=_CONFIDENCE,
    )
