"""Who is who in tables that have a column for each individual, and a row for each frame."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import Instances, Video
from vatl_predict.predictions import Predictions

LARGEST: Final = 100_000_000
"""Cells of a table: more of them do not fit into memory beside each other."""
OTHERS: Final = "choose a format with a row for each instance: --format coco, csv or slp"


def are_linked(instances: Instances) -> bool:
    """Whether tracks say who is who: they do not where each instance is a track of its own, on several frames."""
    alone = len(instances.track.unique()) == len(instances)
    return not alone or len(instances.frame.unique()) == 1


def called(track: int) -> str:
    """The name of a track."""
    return f"track_{track}"


@attrs.frozen(eq=False)
class Individuals:
    """The I individuals of a video.

    Attributes:
        names: what each is called; one empty name where nobody is told apart, and there is one in a frame at most.
        number: (N,) which individual each of the video's instances is.
    """

    names: tuple[str, ...]
    number: Tensor

    @classmethod
    def of(cls, video: Video, what: str) -> Individuals:
        """Those of a video.

        Args:
            video: whose instances they are.
            what: what is to be written, for messages.

        Raises:
            InputError: the table cannot hold them: some are on one frame with themselves, or there are too many.
        """
        instances = video.instances
        number, names = torch.zeros_like(instances.track), tuple[str, ...]([""])
        if are_linked(instances):
            tracks, number = instances.track.unique(return_inverse=True)
            names = tuple(map(called, tracks.tolist()))
        _refuse_twice(video, number, names, what)
        size = len(video.frames) * len(names) * len(video.skeleton) * 3
        if size > LARGEST:
            many = f"{len(names):,} individuals on {len(video.frames):,} frames make {size:,} cells"
            raise InputError(f"{what} of video '{video.name}' is too large: {many}; {OTHERS}")
        return cls(names, number)

    def cells(self, found: Predictions) -> NDArray[np.float32]:
        """(F, I, K, 3) x, y and score by frame, individual and keypoint; NaN where there is nothing."""
        video = found.video
        cells = torch.full((len(video.frames), len(self.names), len(video.skeleton), 3), torch.nan)
        values = torch.cat([found.keypoints, found.scores[..., None]], -1).float()
        cells[found.frame, self.number[found.index]] = values.where(found.visible[..., None], torch.nan)
        table: NDArray[np.float32] = cells.numpy()
        return table


def _refuse_twice(video: Video, number: Tensor, names: tuple[str, ...], what: str) -> None:
    places, count = torch.stack([video.instances.frame, number], 1).unique(dim=0, return_counts=True)
    if not (count > 1).any():
        return
    frame, who = places[count > 1][0].tolist()
    flaw = f"{names[who]} is twice on frame {frame}" if names[who] else "nothing says who is who from frame to frame"
    raise InputError(f"{what} has a column for each individual, but in video '{video.name}' {flaw}: {OTHERS}")
