"""Which boxes are the same individual: ByteTrack (Zhang et al., ECCV 2022), as the library trackers has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from vatl_formats import Indices
from vatl_video.boxes import Boxes, with_own_tracks


@attrs.frozen
class Linking:
    """How boxes are linked.

    Attributes:
        score: from which a box may begin a track.
        overlap: that a box has at least with where its track is expected, as intersection over union.
        patience: for how many frames a track may be lost and found again.
        every: how many frames lie between two that have boxes, one of them included.
    """

    score: float
    overlap: float
    patience: int
    every: int = 1


def link(boxes: Boxes, frames: Sequence[int], linking: Linking) -> Boxes:
    """The boxes with a track each: those that belong to none have one of their own, or fall if their score is too low.

    The tracker works online: it hands a box that begins a track out without a number, and numbers the next one. The
    number is given to the first one, too.

    Args:
        boxes: without tracks.
        frames: all that were looked at, with boxes or without, in order.
        linking: how.
    """
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(
        lost_track_buffer=linking.patience,
        frame_rate=30 / linking.every,  # at which the buffer counts frames that were looked at
        track_activation_threshold=linking.score,
        minimum_consecutive_frames=1,
        minimum_iou_threshold=linking.overlap,
        high_conf_det_threshold=linking.score,
    )
    track = np.full(len(boxes), -1, dtype=np.int64)
    order = np.argsort(boxes.frame, kind="stable")
    begin, end = (np.searchsorted(boxes.frame[order], frames, side) for side in ("left", "right"))
    begun: list[tuple[Any, int]] = []
    for rows in (order[first:last] for first, last in zip(begin, end, strict=True)):
        known = list(tracker.tracks)
        tracked = tracker.update(_detections(boxes, rows))
        if tracked.tracker_id is not None and len(tracked):
            track[tracked.data["row"]] = tracked.tracker_id
        new = [tracklet for tracklet in tracker.tracks if not any(tracklet is other for other in known)]
        begun += [(tracklet, _begins(tracklet, boxes, rows)) for tracklet in new]
    for tracklet, row in begun:
        track[row] = tracklet.tracker_id
    return _with_tracks(boxes, track, linking.score)


def _detections(boxes: Boxes, rows: Indices) -> Any:
    import supervision as sv

    return sv.Detections(xyxy=_corners(boxes, rows), confidence=boxes.score[rows], data={"row": rows})


def _corners(boxes: Boxes, rows: Indices) -> Any:
    xywh = boxes.xywh[rows].reshape(-1, 4)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def _begins(tracklet: Any, boxes: Boxes, rows: Indices) -> int:
    """Which of ``rows`` a new track stands on: it has not moved yet."""
    distance = np.abs(_corners(boxes, rows) - tracklet.get_state_bbox()).sum(axis=1)
    return int(rows[np.argmin(distance)])


def _with_tracks(boxes: Boxes, track: Indices, score: float) -> Boxes:
    linked = attrs.evolve(boxes, track=track)
    return with_own_tracks(linked.where((track >= 0) | (boxes.score >= score)))
