"""From run directories to a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.errors import InputError, VatlError
from vatl_formats import real_folder

if TYPE_CHECKING:
    from vatl_core.run import PastRun


def write_report(runs: Sequence[Path], folder: Path, measures: Sequence[str] = (), with_labels: bool = False) -> Path:
    """Write the page of one run, or the comparison of several.

    Args:
        runs: run directories.
        folder: where the page and the files beside it go.
        measures: by what to measure them, such as ``ap@.6``; by the usual if empty.
        with_labels: whether labelled instances count with their labels in these.

    Returns:
        The page.

    Raises:
        InputError: no run was given, a directory is none, none keeps such a measure, or ``folder`` is a symbolic link.
        OSError: ``folder`` cannot be written to.
    """
    from vatl_report.comparison import write_comparison
    from vatl_report.measure import measures_named
    from vatl_report.run_page import write_run_page

    if not runs:
        raise InputError("no run to report on: name at least one run directory")
    real_folder(folder)
    past, unreadable = _opened(runs)
    asked = measures_named(measures, with_labels, past)
    if len(runs) == 1:
        return write_run_page(past[0], folder, asked)
    return write_comparison(past, folder, unreadable, asked)


def _opened(paths: Sequence[Path]) -> tuple[list[PastRun], dict[str, str]]:
    """Those of the runs that can be read, and why the others cannot; if none can, that is an error."""
    from cattrs import BaseValidationError

    from vatl_core.discovery import discover
    from vatl_core.run import PastRun

    registry = discover()
    past: list[PastRun] = []
    problems: dict[str, str] = {}
    for path in paths:
        try:
            past.append(PastRun.open(path, registry))
        except VatlError as error:
            problems[str(path)] = str(error)
        except (ValueError, KeyError, BaseValidationError) as error:
            problems[str(path)] = f"its records cannot be read ({type(error).__name__}: {error})"
    if not past:
        first, problem = next(iter(problems.items()))
        raise InputError(problem if first in problem else f"{first}: {problem}")
    return past, problems
