"""What this distribution brings; nothing heavy is imported before there is something to report."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from vatl_core.errors import InputError, VatlError
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

if TYPE_CHECKING:
    from vatl_core.cycle import Run
    from vatl_core.records import RunRecord

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [
        Command("report", "Write a report on one or more runs.", "vatl_report.commands.report:command"),
        Command("visualize", "Draw what a run saw, cycle by cycle.", "vatl_report.commands.visualize:command"),
        Command("evaluate", "Measure any weights on any split.", "vatl_report.commands.evaluate:command"),
    ]


@hookimpl
def vatl_run_finished(run: Run, record: RunRecord) -> None:
    """Write the report of the run into its own directory.

    Raises:
        VatlError: it cannot be written; the run itself is complete.
    """
    from vatl_report.report import write_report

    path = run.folder.path
    try:
        write_report([path], path / "report")
    except (OSError, InputError) as error:
        flaw = f"its report cannot be written to {path / 'report'}: {error}"
        way_on = f"then `vatl resume {shlex.quote(str(path))}` writes it"
        raise VatlError(f"the run is complete, but {flaw}; {way_on}") from error
