"""The poses in a table's cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import sleap_io
from numpy.typing import NDArray

from vatl_sleap_io.grids import Grid

COORDINATES: Final = ("x", "y", "likelihood")
"""What a keypoint has columns of; the last where a program predicted it."""


@attrs.frozen(eq=False)
class Poses:
    """The poses of R rows.

    Attributes:
        skeleton: of K keypoints.
        tracks: I individuals; one None where the table does not say who it is.
        placed: (R, I) whether anything of an individual is there.
        points: (R, I, K, 2) pixels; NaN where nothing is.
        scores: (R, I, K) likelihoods of a program's predictions; None where a user placed the points.
    """

    skeleton: sleap_io.Skeleton
    tracks: Sequence[sleap_io.Track | None]
    placed: NDArray[np.bool_]
    points: NDArray[np.float64]
    scores: NDArray[np.float64] | None

    @classmethod
    def of(
        cls, grid: Grid, skeleton: sleap_io.Skeleton, tracks: Sequence[sleap_io.Track], least: float, one: bool
    ) -> Poses:
        """The poses in a table.

        Args:
            grid: the table.
            skeleton: its keypoints.
            tracks: its individuals; none where it tells none apart.
            least: likelihood below which a predicted point counts as not placed.
            one: whether a table that tells none apart is about one individual all along.

        Raises:
            ValueError: it has other coordinates than x, y and likelihood, or lacks one.
        """
        predicted = _predicted(grid)
        cells = _cells(grid, [track.name for track in tracks] or [""], skeleton.node_names)
        points, scores = cells[..., :2], cells[..., 2]
        placed = np.any(np.isfinite(points).all(-1), axis=-1)
        who = tracks or [sleap_io.Track("the only one") if one else None]
        if not (predicted and np.isfinite(scores).any()):  # sleap-io leaves the columns empty for a user's points
            return cls(skeleton, who, placed, points, None)
        points[~(scores >= least)] = np.nan  # true for NaN, too
        return cls(skeleton, who, placed, points, scores)

    @property
    def named_tracks(self) -> list[sleap_io.Track]:
        """Those that there are."""
        return [track for track in self.tracks if track is not None]

    def frame(self, row: int, video: sleap_io.Video, number: int) -> sleap_io.LabeledFrame:
        """A row's poses, as frame ``number`` of a video."""
        people = np.flatnonzero(self.placed[row]).tolist()
        return sleap_io.LabeledFrame(
            video=video, frame_idx=number, instances=[self._instance(row, person) for person in people]
        )

    def _instance(self, row: int, person: int) -> sleap_io.Instance:
        points, track = self.points[row, person], self.tracks[person]
        if self.scores is None:
            return sleap_io.Instance.from_numpy(points, skeleton=self.skeleton, track=track)
        scores = np.nan_to_num(self.scores[row, person])
        return sleap_io.PredictedInstance.from_numpy(
            points, skeleton=self.skeleton, point_scores=scores, score=float(scores.mean()), track=track
        )


def _cells(grid: Grid, people: Sequence[str], nodes: Sequence[str]) -> NDArray[np.float64]:
    """(R, I, K, 3) the values by individual, keypoint and coordinate; NaN where there is no column."""
    cells = np.full((len(grid.index), len(people), len(nodes), len(COORDINATES)), np.nan)
    for values, (_, *who, part, coordinate) in zip(grid.values.T, grid.columns, strict=True):
        person = people.index(who[0]) if who else 0
        cells[:, person, nodes.index(part), COORDINATES.index(coordinate)] = values
    return cells


def _predicted(grid: Grid) -> bool:
    """Whether a program placed the points: every keypoint has a likelihood."""
    kinds: dict[tuple[str, ...], set[str]] = {}
    for *keypoint, coordinate in grid.columns:
        kinds.setdefault(tuple(keypoint), set()).add(coordinate)
    wanted = set(COORDINATES) if any("likelihood" in kind for kind in kinds.values()) else set(COORDINATES[:2])
    for named, kind in kinds.items():
        if kind != wanted:
            raise ValueError(f"{' '.join(named)} has {', '.join(sorted(kind))}, not {', '.join(sorted(wanted))}")
    return wanted == set(COORDINATES)
