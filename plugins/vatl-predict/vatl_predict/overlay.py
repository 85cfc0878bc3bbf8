"""The video with the poses drawn over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import torch
from torch import Tensor

from vatl_core.promises import checked_pictures
from vatl_drawing import draw_pose, track_colour, write_video
from vatl_formats import Covered, broken_frames
from vatl_predict.predictions import Predictions


def write_overlay(
    predictions: Predictions, path: Path, frames_per_second: float, progress: Callable[[int], None] = lambda done: None
) -> Path:
    """The video with every pose drawn over it, a colour a track; H.264."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, _drawn(predictions, progress), frames_per_second)
    return path


def covered(predictions: Predictions) -> tuple[Predictions, int]:
    """The same over frames of which those that cannot be read show what came before; and how many those are."""
    video = predictions.video
    broken = broken_frames(video.frames, range(len(video.frames)))
    frames = Covered(video.frames, broken)
    return attrs.evolve(predictions, video=attrs.evolve(video, frames=frames)), len(broken)


def _drawn(predictions: Predictions, progress: Callable[[int], None]) -> Iterator[Tensor]:
    instances, skeleton = predictions.video.instances, predictions.video.skeleton
    sizes = (instances.boxes[:, 2] * instances.boxes[:, 3]).sqrt()
    frames = predictions.video.frames
    for frame, given in enumerate(checked_pictures(frames, range(len(frames)))):
        picture = given.permute(1, 2, 0).contiguous().numpy()
        for row in torch.nonzero(instances.frame[predictions.index] == frame).flatten().tolist():
            points, i = predictions.keypoints[row].double().numpy(), int(predictions.index[row])
            colour, there = track_colour(int(instances.track[i])), predictions.visible[row].numpy()
            draw_pose(picture, points, skeleton, colour, float(sizes[i]), there)
        progress(frame + 1)
        yield torch.from_numpy(picture).permute(2, 0, 1)
