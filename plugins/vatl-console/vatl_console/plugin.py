"""The progress display's hooks; nothing heavy is imported until a run begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from vatl_console.display import Display
    from vatl_console.transfer import Transfer
    from vatl_core.cycle import Run
    from vatl_core.records import CycleRecord, RunRecord

vatl_contract = ">=2.0,<3"

_displays: dict[Path, Display] = {}
_transfers: dict[Path, Transfer] = {}


def _display(run: Run) -> Display:
    from vatl_console.display import Display

    if run.folder.path not in _displays:
        _displays[run.folder.path] = Display.of(run)
    return _displays[run.folder.path]


@hookimpl
def vatl_run_started(run: Run) -> None:
    """Open the display; whom a run keeps waiting is told at once what else is told at the end."""
    _display(run).begin()
    if run.oracle.asks_people and not run.records:
        for warning in run.warnings:
            _display(run).say(f"warning: {warning}")


@hookimpl
def vatl_cycle_started(run: Run, cycle: int) -> None:
    """Say which cycle it is."""
    _display(run).cycle(cycle)


@hookimpl
def vatl_progress(run: Path, stage: str, done: int, total: int) -> None:
    """Move the stage's bar; a download comes before the run and its bars."""
    from vatl_console.transfer import Transfer

    if run in _displays:
        _displays[run].stage(stage, done, total)
    elif stage == "download":
        _transfers.setdefault(run, Transfer()).step(done, total)


@hookimpl
def vatl_queried(run: Run, cycle: int, indices: Sequence[int]) -> None:
    """Say how many are asked for."""
    _display(run).asking(len(indices), len(run.labels(indices).index))


@hookimpl
def vatl_cycle_finished(run: Run, record: CycleRecord) -> None:
    """One line on what the cycle found."""
    _display(run).finished(record, run.figures(record), len(run.folder.given))


@hookimpl(trylast=True)
def vatl_run_finished(run: Run, record: RunRecord) -> None:
    """The closing table; last, so that the report can be pointed at."""
    _display(run).end(run, record, run.figures(run.records[-1]))
    _displays.pop(run.folder.path, None)


@hookimpl
def vatl_run_failed(run: Run, error: BaseException) -> None:
    """Take the bars away: what has to be said of the error comes below them."""
    if display := _displays.pop(run.folder.path, None):
        display.close()


@hookimpl
def vatl_run_left(run: Run) -> None:
    """Take the bars away: what is printed meanwhile is not the run's."""
    if display := _displays.pop(run.folder.path, None):
        display.close()
