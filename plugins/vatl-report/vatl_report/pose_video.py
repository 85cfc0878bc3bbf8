"""Every frame of a video with the poses of one cycle: estimates, labels and, where it is known, the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import cv2
import numpy as np
import torch
from torch import Tensor

from vatl_drawing import PALETTE, Colour, Picture, draw_pose, write_video
from vatl_report.drawing import ESTIMATE, LABEL, View, read

if TYPE_CHECKING:
    from vatl_core.estimation import Estimates
    from vatl_core.run import PastRun

TRUTH: Final[Colour] = PALETTE[2]
"""Bluish green; the truth's limbs are the thin ones."""
_LEAST_WIDTH: Final = 640
_MOST_WIDTH: Final = 1280
_STRIP: Final = 30
_INK: Final[Colour] = (240, 240, 240)


@attrs.frozen
class Poses:
    """What to draw.

    Attributes:
        estimates: (N, K, 2) pixels.
        labels: ``{instance: (keypoints, visible, hidden)}``, labelled before the cycle.
        absent: instances at which nobody is.
        truth: (N, K, 2), or None.
        visible: (N, K) bool, of the truth.
    """

    estimates: Tensor
    labels: dict[int, tuple[Tensor, Tensor, Tensor]]
    truth: Tensor | None
    visible: Tensor | None
    absent: frozenset[int] = frozenset()


def write_poses(
    past: PastRun, cycle: int, kept: Estimates, path: Path, fps: float, progress: Callable[[str, int, int], None]
) -> Path:
    """Write the video.

    Args:
        past: the run.
        cycle: which.
        kept: the cycle's estimates.
        path: of the MP4.
        fps: frames a second.
        progress: told after each frame.

    Raises:
        InputError: a frame cannot be read.
    """
    asked = {index for record in past.cycles[:cycle] for index in record.query}
    given = past.labels()
    columns = zip(given.index.tolist(), given.keypoints, given.visible, given.occluded, strict=True)
    labels = {index: (points, seen, hidden) for index, points, seen, hidden in columns if index in asked}
    truth = past.video.instances
    absent = frozenset(i for i, nobody in past.standing.refused.items() if nobody)
    poses = Poses(kept.keypoints, labels, truth.keypoints, truth.visible, absent)
    words = f"cycle {cycle}, {len(labels)} of {past.standing.instances} labelled"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, _frames(past, poses, words, progress), fps)
    return path


def _frames(past: PastRun, poses: Poses, words: str, progress: Callable[[str, int, int], None]) -> Iterator[Tensor]:
    """(3, H, W) uint8, every frame of the video in order."""
    instances, count = past.video.instances, len(past.video.frames)
    here: dict[int, list[int]] = {}
    for instance, frame in enumerate(instances.frame.tolist()):
        here.setdefault(int(frame), []).append(instance)
    for frame in range(count):
        picture = read(past.video.frames, frame)
        view = _view(picture)
        shown = view.show(picture)
        for instance in here.get(frame, []):
            if instance not in poses.absent:
                _draw(shown, view, past, poses, instance)
        progress("poses", frame + 1, count)
        strip = _key(shown.shape[1], f"{words}, frame {frame}", poses.truth is not None)
        yield torch.from_numpy(np.concatenate([shown, strip])).permute(2, 0, 1)


def _view(picture: Picture) -> View:
    """All of a frame, neither too small for its key nor too large to play."""
    height, width = picture.shape[:2]
    shown = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    return View(0, 0, width, height, (shown, round(height * shown / width)))


def _draw(shown: Picture, view: View, past: PastRun, poses: Poses, instance: int) -> None:
    """One instance: its label if it has one, else its estimate and over it the truth."""
    skeleton = past.video.skeleton
    size = view.shown_size(past.video.instances.boxes[instance])
    if instance in poses.labels:
        points, visible, hidden = poses.labels[instance]
        draw_pose(shown, view.place(points), skeleton, LABEL.colour, size, visible.numpy(), True, hidden.numpy())
        return
    draw_pose(shown, view.place(poses.estimates[instance]), skeleton, ESTIMATE.colour, size)
    if poses.truth is not None and poses.visible is not None:
        seen = poses.visible[instance].numpy()
        draw_pose(shown, view.place(poses.truth[instance]), skeleton, TRUTH, 1, seen)


def _key(width: int, words: str, truth: bool) -> Picture:
    """What the colours mean, and where we are, below the picture."""
    strip = np.full((_STRIP, width, 3), 24, np.uint8)
    x, middle = 12, _STRIP // 2
    for name, colour, square in (("estimate", ESTIMATE.colour, False), ("label", LABEL.colour, True),
                                 ("truth (thin)", TRUTH, False))[: 3 if truth else 2]:  # fmt: skip
        if square:
            cv2.rectangle(strip, (x, middle - 5), (x + 10, middle + 5), colour, cv2.FILLED)
        else:
            cv2.circle(strip, (x + 5, middle), 3 if "thin" in name else 6, colour, cv2.FILLED, cv2.LINE_AA)
        _write(strip, name, x + 18)
        x += 34 + 8 * len(name)
    _write(strip, words, max(x, width - 12 - 8 * len(words)))
    return strip


def _write(strip: Picture, text: str, x: int) -> None:
    cv2.putText(strip, text, (x, _STRIP // 2 + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
