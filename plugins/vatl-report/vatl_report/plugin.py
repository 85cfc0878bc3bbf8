"""What this plugin listens to; nothing heavy is imported before there is something to report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.errors import VatlError
from vatl_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from vatl_core.cycle import Run
    from vatl_core.records import RunRecord
    from vatl_core.runs import PastRun

vatl_contract = ">=1.1,<2"


@hookimpl
def vatl_run_finished(run: Run, record: RunRecord) -> None:
    """Write the report of the run into its own directory.

    Raises:
        VatlError: it cannot be written; the run itself is complete.
    """
    path = run.folder.path
    try:
        vatl_report([path], path / "report")
    except OSError as error:
        raise VatlError(
            f"the run is complete, but its report cannot be written to {path / 'report'}: {error}"
        ) from error


@hookimpl
def vatl_fitted(record: Path) -> Path | None:
    """Draw the errors of a fitting, epoch by epoch, beside its record."""
    from vatl_report.fitting import draw_fitting

    return draw_fitting(record)


@hookimpl
def vatl_report(runs: Sequence[Path], folder: Path) -> Path:
    """Write the page of one run, or the comparison of several, into ``folder``."""
    from vatl_report.report import write_report

    return write_report(runs, folder)


@hookimpl
def vatl_visualize(
    run: PastRun,
    cycle: int,
    folder: Path,
    count: int,
    projection: str,
    fps: float,
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Poses as a video, what lies behind high scores, and the feature space, into ``folder``."""
    from vatl_report.visualisation import visualise

    return visualise(run, cycle, folder, count, projection, fps, progress)
