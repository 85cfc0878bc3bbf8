"""Carrying out a sweep: every run that is neither finished nor kept apart, through an executor."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path

import attrs

from vatl_core.contracts import Executor
from vatl_core.errors import VatlError
from vatl_core.plugins import culprit, describe
from vatl_core.promises import checked_outcomes
from vatl_core.run import execute
from vatl_sweep.folder import SweepFolder
from vatl_sweep.plan import Plan, SweepRun
from vatl_sweep.results import write_results
from vatl_sweep.stepping import step_to


@attrs.frozen
class Task:
    """What an executor is sent: a run, and where to write what it says.

    Attributes:
        run: with its configuration.
        log: the file.
        cycles: how many of its cycles are to be finished; all if None.
    """

    run: SweepRun
    log: Path
    cycles: int | None = None


def work(task: Task) -> str:
    """Begin a run of a sweep or take it up; what it says goes into its log. Return its directory."""
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("a", 1, "utf-8", "backslashreplace") as log, redirect_stdout(log), redirect_stderr(log):
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} on {socket.gethostname()}, process {os.getpid()}")
        try:
            return str(execute(task.run.config).run if task.cycles is None else step_to(task.run.config, task.cycles))
        except Exception:
            traceback.print_exc()
            raise


def sweep(
    plan: Plan,
    executor: Executor,
    retry: bool = False,
    begun: Callable[[list[SweepRun]], None] = lambda runs: None,
    ended: Callable[[SweepRun], None] = lambda run: None,
) -> None:
    """Carry out what is left of a sweep, and write its results.

    Args:
        plan: the runs.
        executor: where they are carried out.
        retry: whether those that failed earlier are tried again.
        begun: called with the runs that are going to be carried out.
        ended: called after each of them.

    Raises:
        InputError: another sweep works in the folder, or runs there were begun with other settings.
        PluginError: the executor gives something else than one outcome for each run.
    """
    folder = SweepFolder(plan.folder)
    with folder.locked():
        folder.check(plan.runs)
        left = [run for run in plan.runs if folder.state(run) not in ("finished", "failed")]
        if retry:
            left += [run for run in plan.runs if folder.state(run) == "failed"]
        begun(left)
        try:
            if left:
                carry_out(folder, left, executor, ended)
        finally:
            if any(folder.state(run) != "new" for run in plan.runs):
                write_results(folder, plan.runs)


def carry_out(
    folder: SweepFolder,
    left: list[SweepRun],
    executor: Executor,
    ended: Callable[[SweepRun], None] = lambda run: None,
    cycles: int | None = None,
) -> None:
    """Carry out runs, at least one: to their end, or until so many of their cycles are finished.

    Args:
        folder: of the sweep, in which nobody else works; what failed is kept apart there.
        left: the runs.
        executor: where they are carried out.
        ended: called after each of them.
        cycles: all if None.

    Raises:
        PluginError: the executor gives something else than one outcome for each run.
    """
    tasks = [Task(run, folder.log(run), cycles) for run in left]
    with closing(checked_outcomes(left[0].config.executor, executor, work, tasks)) as outcomes:
        for outcome in outcomes:
            run = left[outcome.index]
            if outcome.error and not folder.record(run):  # one that ended is complete, if its report failed
                folder.fail(run, _cause(outcome.error))
            else:
                folder.forgive(run)
            ended(run)


def _cause(error: Exception) -> str:
    """An error in a line, with whose code it arose in if it was a plugin's that the run is made of."""
    if isinstance(error, VatlError):
        return " ".join(str(error).split())
    return f"{describe(error)}{culprit(error, besides='vatl_sweep')}"
