"""Projects of SLEAP: predicted instances, and user's where a label stands in place of an estimate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sleap_io
import torch

from vatl_core.files import whole
from vatl_core.video import Skeleton, Video
from vatl_predict.frame_names import files_of, size_of
from vatl_predict.individuals import are_linked, called
from vatl_predict.predictions import Predictions


def write_project(found: Predictions, path: Path, scorer: str) -> Path:
    """A project with one video, whose pictures stay where they are."""
    with whole(path) as beside:
        beside.unlink()  # it opens what is there, and an empty file is no project
        project_of(found, scorer).save(str(beside), embed=False, verbose=False)
    return path


def project_of(found: Predictions, scorer: str) -> sleap_io.Labels:
    """The poses as sleap-io knows them."""
    video, skeleton = _video(found.video), _skeleton(found.video.skeleton)
    tracks = {n: sleap_io.Track(called(n)) for n in found.video.instances.track.unique().tolist()}
    linked = are_linked(found.video.instances)
    frames: dict[int, sleap_io.LabeledFrame] = {}
    for row, (frame, number) in enumerate(zip(found.frame.tolist(), _tracks(found), strict=True)):
        here = frames.setdefault(frame, sleap_io.LabeledFrame(video=video, frame_idx=frame))
        here.instances.append(_instance(found, row, skeleton, tracks[number] if linked else None))
    return sleap_io.Labels(
        [frames[frame] for frame in sorted(frames)],
        videos=[video],
        skeletons=[skeleton],
        tracks=list(tracks.values()) if linked else [],
        provenance={"estimated_by": scorer},
    )


def _tracks(found: Predictions) -> list[int]:
    tracks: list[int] = found.video.instances.track[found.index].tolist()
    return tracks


def _instance(
    found: Predictions, row: int, skeleton: sleap_io.Skeleton, track: sleap_io.Track | None
) -> sleap_io.Instance:
    there = found.visible[row]
    points = found.keypoints[row].where(there[:, None], torch.nan).double().numpy()
    if found.labelled[row]:
        return sleap_io.Instance.from_numpy(points, skeleton=skeleton, track=track)
    return sleap_io.PredictedInstance.from_numpy(
        points,
        skeleton=skeleton,
        point_scores=found.scores[row].double().numpy(),
        score=float(found.pose_scores[row]),
        track=track,
    )


def _skeleton(skeleton: Skeleton) -> sleap_io.Skeleton:
    made = sleap_io.Skeleton(nodes=list(skeleton.keypoints), edges=list(skeleton.edges), name=skeleton.name)
    for left, right in skeleton.flip_pairs:
        made.add_symmetry(left, right)
    return made


def _video(video: Video) -> sleap_io.Video:
    """The video by its files, which are not opened; by its name where it has none."""
    files, (width, height) = files_of(video.frames), size_of(video)
    shape = [len(video.frames), height, width, 3]
    about: dict[str, Any] = {"shape": shape, "grayscale": False}
    if isinstance(files, list):
        name: str | list[str] = [file.as_posix() for file in files]
        about |= {"type": "ImageVideo", "filename": name[0], "filenames": name}
        about |= {"height_": height, "width_": width, "channels_": 3}
    else:
        name = files.as_posix() if files else video.name
        about |= {"type": "MediaVideo", "filename": name, "bgr": True, "dataset": "", "input_format": ""}
    return sleap_io.Video(filename=name, backend_metadata=about, open_backend=False)
