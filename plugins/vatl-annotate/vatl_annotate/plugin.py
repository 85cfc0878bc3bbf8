"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command, Component

if TYPE_CHECKING:
    from vatl_annotate.desk import Desk
    from vatl_core.cycle import Run
    from vatl_core.records import CycleRecord, RunRecord

vatl_contract = ">=2.0,<3"

_desks: dict[Path, Desk] = {}
reviewed: dict[Path, Desk | None] = {}
"""Runs under review, each with the desk of that; where one of them learns it needs no desk of its own."""


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the oracle."""
    return [Component("oracle", "browser", "A person, in the browser", "vatl_annotate.browser:Browser")]


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the command."""
    return [
        Command(
            "annotate",
            "Label an interrupted run in the browser, review a finished one, or draw a video's boxes by hand.",
            "vatl_annotate.command:command",
        )
    ]


@hookimpl
def vatl_run_started(run: Run) -> None:
    """Open the desk of a run whose oracle is a person in the browser."""
    oracle = sys.modules.get("vatl_annotate.browser")  # not imported for runs that do without it
    if oracle is not None and isinstance(run.oracle, oracle.Browser) and run.folder.path not in reviewed:
        desk = _desks[run.folder.path] = run.oracle.attend(run)
        desk.figures = run.figures(run.records[-1]) if run.records else {}


@hookimpl
def vatl_progress(run: Path, stage: str, done: int, total: int) -> None:
    """Tell the page how far the machine is."""
    if desk := _desks.get(run) or reviewed.get(run):
        desk.progress(stage, done, total)


@hookimpl
def vatl_cycle_finished(run: Run, record: CycleRecord) -> None:
    """Let the page show the new point of the learning curve, and what plugins say of the cycle."""
    if desk := _desks.get(run.folder.path):
        desk.figures = run.figures(record)
        desk.progress("", 0, 0)


@hookimpl(trylast=True)
def vatl_run_finished(run: Run, record: RunRecord) -> None:
    """Show the closing figures, until every open page has them; last, so that the report is there by then."""
    _end(run, lambda desk: desk.finish(record))


@hookimpl
def vatl_run_failed(run: Run, error: BaseException) -> None:
    """Show what went wrong."""
    _end(run, lambda desk: desk.fail(error))


@hookimpl
def vatl_run_left(run: Run) -> None:
    """Say that the run is paused."""
    _end(run, lambda desk: desk.leave())


def _end(run: Run, tell: Callable[[Desk], None]) -> None:
    """Have a run's desk tell its pages how the run ended, and take it away."""
    desk = _desks.pop(run.folder.path, None)
    if desk:
        tell(desk)
        run.oracle.leave()  # type: ignore[attr-defined]  # desks are of browsers alone
