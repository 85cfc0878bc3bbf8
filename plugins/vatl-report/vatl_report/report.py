"""From run directories to a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vatl_core.errors import InputError


def write_report(runs: Sequence[Path], folder: Path) -> Path:
    """Write the page of one run, or the comparison of several.

    Args:
        runs: run directories.
        folder: where the page and the files beside it go.

    Returns:
        The page.

    Raises:
        InputError: no run was given, or a directory is no run.
        OSError: ``folder`` cannot be written to.
    """
    from vatl_core.runs import PastRun
    from vatl_report.comparison import write_comparison
    from vatl_report.run_page import write_run_page

    if not runs:
        raise InputError("no run to report on: name at least one run directory")
    past = [PastRun.open(path) for path in runs]
    return write_run_page(past[0], folder) if len(past) == 1 else write_comparison(past, folder)
