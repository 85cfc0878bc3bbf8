"""Instances as crops, with the estimated pose and the label drawn over them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_core.video import Skeleton, Video
from vatl_drawing import Picture
from vatl_report.drawing import ESTIMATE, LABEL, Pen, View, draw_pose, jpeg, read

_SHOWN: Final = 240
_CONTEXT: Final = 1.4


@attrs.frozen
class Pose:
    """What to draw over a crop.

    Attributes:
        keypoints: (K, 2) pixels of the frame.
        visible: (K,) bool, which are annotated.
        pen: says whose pose it is.
        hidden: (K,) bool, which of these the picture does not show; None where that is not known.
    """

    keypoints: Tensor
    visible: Tensor
    pen: Pen
    hidden: Tensor | None = None

    @classmethod
    def estimate(cls, keypoints: Tensor) -> Pose:
        """A pose that the estimator found."""
        return cls(keypoints, torch.ones(len(keypoints), dtype=torch.bool), ESTIMATE)

    @classmethod
    def label(cls, keypoints: Tensor, visible: Tensor, hidden: Tensor | None = None) -> Pose:
        """A pose that somebody gave."""
        return cls(keypoints, visible, LABEL, hidden)

    def draw(self, picture: Picture, view: View, skeleton: Skeleton, size: float) -> None:
        """Draw it on what ``view`` shows, for an instance that appears ``size`` pixels large."""
        hidden = None if self.hidden is None else self.hidden.numpy()
        draw_pose(picture, view.place(self.keypoints), self.visible.numpy(), skeleton, self.pen, size, hidden)


@attrs.frozen
class Shot:
    """One crop that a page wants.

    Attributes:
        instance: index into the video's instances.
        poses: drawn in this order.
        caption: the figure under it.
        good: whether the pose counts as correct; None where that is not known.
    """

    instance: int
    poses: tuple[Pose, ...]
    caption: str
    good: bool | None = None


@attrs.frozen
class Tile:
    """One crop as the page shows it.

    Attributes:
        picture: a data URI.
        size: width and height in pixels.
        place: frame and track in words.
        caption, good: the shot's.
    """

    picture: str
    size: tuple[int, int]
    place: str
    caption: str
    good: bool | None


def common_aspect(boxes: Tensor) -> float:
    """Width to height that suits most of ``boxes`` (N, 4), within what a row of tiles can show."""
    return float((boxes[:, 2] / boxes[:, 3]).median().clamp(0.7, 1.5))


def take(video: Video, shots: Sequence[Shot]) -> list[Tile]:
    """Cut and draw ``shots``, in their order; frames are read forward, each once.

    Raises:
        InputError: a frame cannot be read.
    """
    aspect = common_aspect(video.instances.boxes)
    frame_of = video.instances.frame.tolist()
    tiles: dict[int, Tile] = {}
    order = sorted(range(len(shots)), key=lambda n: int(frame_of[shots[n].instance]))
    for frame, numbers in groupby(order, key=lambda n: int(frame_of[shots[n].instance])):
        picture = read(video.frames, frame)
        for n in numbers:
            box = video.instances.boxes[shots[n].instance][None]
            view = View.around(box, _CONTEXT, aspect, _SHOWN)
            cut = view.show(picture)
            for pose in shots[n].poses:
                pose.draw(cut, view, video.skeleton, view.shown_size(box[0]))
            place = f"frame {frame}, track {int(video.instances.track[shots[n].instance])}"
            tiles[n] = Tile(jpeg(cut), view.size, place, shots[n].caption, shots[n].good)
    return [tiles[n] for n in range(len(shots))]
