"""``vatl report``"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click


@click.command("report")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--data-root", type=click.Path(path_type=Path), help="Where their data is now, if it was moved.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder; RUN/report, FOLDER/report, or `comparison` beside."
)
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME",
    help="What curves and ALC are of: ap, ap@.6, ap@.75, ar, mean-oks, pck@.1, ospa, …; repeatable.",
)
@click.option("--with-labels", is_flag=True, help="Of these (or AP) with labelled instances counted in.")
def command(
    runs: tuple[Path, ...], data_root: Path | None, out: Path | None, measures: tuple[str, ...], with_labels: bool
) -> None:
    """Write a report on RUNS: run directories, or folders, of which every run below counts.

    Of one run a page with its pictures; of several one that compares their methods, with curves, tests and tables.
    """
    from vatl_core.run import move_data
    from vatl_report.report import write_report

    found = list(dict.fromkeys(run for path in runs for run in runs_below(path)))
    if data_root:
        for run in found:
            move_data(run, data_root)
    click.echo(str(write_report(found, out or _beside(runs), measures, with_labels)))


def runs_below(path: Path) -> list[Path]:
    """The run directory itself, or those below a folder, sorted.

    Raises:
        InputError: there is none.
    """
    from vatl_core.errors import InputError

    found = sorted(_walk(path))
    if not found:
        what = "there is no run below it" if path.is_dir() else "no such folder"
        raise InputError(f"{path} is no run: it has no config.toml, and {what}")
    return found


def _walk(path: Path) -> Iterator[Path]:
    """Folders with a configuration; nothing within them is looked at."""
    for folder, below, files in os.walk(path):
        if "config.toml" in files:
            below.clear()
            yield Path(folder)


def _beside(runs: Sequence[Path]) -> Path:
    """Where a report goes that nobody gave a folder for."""
    return runs[0] / "report" if len(runs) == 1 else runs[0].parent / "comparison"
