"""Pictures of one cycle of a run: its poses, what lies behind its scores, its feature space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.errors import InputError
from vatl_report.again import fitted_criteria
from vatl_report.evidence import write_sheet
from vatl_report.feature_space import write_features
from vatl_report.layout import file_name
from vatl_report.pose_video import write_poses
from vatl_report.same_video import check_video

if TYPE_CHECKING:
    from vatl_core.run import PastRun


def visualise(
    past: PastRun,
    cycle: int,
    folder: Path,
    count: int,
    projection: str,
    fps: float,
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Write ``poses.mp4``, ``scores_CRITERION.png``, ``features.png`` and ``features.csv`` into ``folder``.

    Args:
        past: the run.
        cycle: one of its finished cycles.
        folder: where to.
        count: instances shown for each criterion.
        projection: of the features: ``pca`` or ``umap``.
        fps: of the video.
        progress: told how far a stage is.

    Raises:
        InputError: the cycle's weights or estimates are gone, the data set has changed, a frame cannot be read, or
            umap-learn is not installed.
    """
    kept = past.folder.estimates(cycle)
    if kept is None:
        raise InputError(f"{past.folder.path} has no estimates of cycle {cycle}")
    check_video(past)
    run = past.at(cycle)
    record = past.cycles[cycle]
    written = write_features(run, record.query, projection, folder / "features.png", progress)
    criteria = {name: c for name, c in fitted_criteria(run).items() if name in kept.criteria}
    for number, (name, criterion) in enumerate(criteria.items(), start=1):
        sheet = write_sheet(run, name, criterion, kept, count, folder / f"scores_{file_name(name)}.png")
        written += [sheet] if sheet else []
        progress("scores", number, len(criteria))
    return [*written, write_poses(past, cycle, kept, folder / "poses.mp4", fps, progress)]
