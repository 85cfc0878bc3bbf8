"""The first estimates against the last: a strip of frames and a short video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np
import torch
from torch import Tensor

from vatl_core.video import Video
from vatl_drawing import Picture, write_video
from vatl_report.drawing import View, data_uri, jpeg, read
from vatl_report.gallery import Pose
from vatl_report.remaining import last_estimates

if TYPE_CHECKING:
    from vatl_core.run import PastRun

FRAMES: Final = 6
"""Frames of the strip."""
CLIP: Final = "before_after.mp4"
_CLIP_FRAMES: Final = 100
_CLIP_WIDTH: Final = 640
_CLIP_RATE: Final = 12.0
_EMBEDDED: Final = 2_500_000
"""Bytes up to which the video becomes part of the page."""
_SHOWN: Final = 300


@attrs.frozen
class Pair:
    """One frame with the first and with the last estimates, as data URIs."""

    frame: int
    before: str
    after: str
    size: tuple[int, int]


@attrs.frozen
class BeforeAfter:
    """The first estimates against the last.

    Attributes:
        first, last: their cycles.
        strip: frames evenly spread over the video.
        clip: address of the video: a data URI, or a file beside the page.
        clip_frames: first frame, last frame and number of frames of the video.
    """

    first: int
    last: int
    strip: list[Pair]
    clip: str
    clip_frames: tuple[int, int, int]


def before_after(past: PastRun, folder: Path) -> BeforeAfter | None:
    """Draw both; the video stays in ``folder`` only if it is too large for the page. None if one pass is all there is.

    Raises:
        InputError: a frame cannot be read.
    """
    found = last_estimates(past)
    first = past.cycles[0].cycle if past.cycles else 0
    before = past.folder.estimates(first)
    if found is None or before is None or found[0] == first:
        return None
    last, after = found
    here = _by_frame(past)
    if not here:
        return None
    frames = sorted(here)
    both = before.keypoints, after.keypoints
    chosen = [frames[round(n * (len(frames) - 1) / (FRAMES - 1))] for n in range(FRAMES)]
    strip = [_pair(past.video, frame, here[frame], both) for frame in dict.fromkeys(chosen)]
    shown = frames[:_CLIP_FRAMES]
    clip = _clip(past.video, shown, here, both, folder)
    return BeforeAfter(first, last, strip, clip, (shown[0], shown[-1], len(shown)))


def _by_frame(past: PastRun) -> dict[int, list[int]]:
    """The instances of each frame that has any, without those at which nobody is."""
    here: dict[int, list[int]] = {}
    for instance in past.standing.there(torch.device("cpu")).nonzero().flatten().tolist():
        here.setdefault(int(past.video.instances.frame[instance]), []).append(instance)
    return here


def _drawn(video: Video, picture: Picture, view: View, instances: Sequence[int], keypoints: Tensor) -> Picture:
    """A piece of a frame with the poses of these instances."""
    shown = view.show(picture)
    for instance in instances:
        size = view.shown_size(video.instances.boxes[instance])
        Pose.estimate(keypoints[instance]).draw(shown, view, video.skeleton, size)
    return shown


def _view(picture: Picture, boxes: Tensor, grow: float, width: int) -> View:
    """What holds ``boxes`` (M, 4), in the shape of the frame, shown ``width`` pixels wide."""
    aspect = min(max(picture.shape[1] / picture.shape[0], 0.5), 2.4)
    return View.around(boxes, grow, aspect, width if aspect >= 1 else round(width / aspect)).inside(picture)


def _pair(video: Video, frame: int, instances: list[int], both: tuple[Tensor, Tensor]) -> Pair:
    picture = read(video.frames, frame)
    view = _view(picture, video.instances.boxes[instances], 1.25, _SHOWN)
    before, after = (jpeg(_drawn(video, picture, view, instances, keypoints)) for keypoints in both)
    return Pair(frame, before, after, view.size)


def _clip(
    video: Video, frames: Sequence[int], here: dict[int, list[int]], both: tuple[Tensor, Tensor], folder: Path
) -> str:
    """The address of a video with the first estimates to the left and the last to the right."""
    path = folder / CLIP
    folder.mkdir(parents=True, exist_ok=True)
    write_video(path, _side_by_side(video, frames, here, both), _CLIP_RATE)
    if path.stat().st_size > _EMBEDDED:
        return CLIP
    data = path.read_bytes()
    path.unlink()
    return data_uri("video/mp4", data)


def _side_by_side(
    video: Video, frames: Sequence[int], here: dict[int, list[int]], both: tuple[Tensor, Tensor]
) -> Iterator[Tensor]:
    """(3, H, W) uint8: every one of ``frames`` twice, a gap between."""
    boxes = video.instances.boxes[[i for frame in frames for i in here[frame]]]
    view: View | None = None
    for frame in frames:
        picture = read(video.frames, frame)
        view = view or _view(picture, boxes, 1.15, _CLIP_WIDTH // 2 - 4)
        gap = np.full((view.size[1], 8, 3), 255, np.uint8)
        left, right = (_drawn(video, picture, view, here[frame], keypoints) for keypoints in both)
        yield torch.from_numpy(np.concatenate([left, gap, right], axis=1)).permute(2, 0, 1)
