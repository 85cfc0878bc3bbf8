"""``vatl report``"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder; RUN/report, or `comparison` beside several runs.")
def command(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write a report on run directory RUNS: its pages and pictures; of several, one that compares them."""
    from vatl_core.errors import InputError
    from vatl_core.plugins import discover

    for run in runs:
        if not (run / "config.toml").is_file():
            raise InputError(f"{run} is no run: it has no config.toml")
    folder = out or (runs[0] / "report" if len(runs) == 1 else runs[0].parent / "comparison")
    pages = [page for page in discover().hook.vatl_report(runs=runs, folder=folder) if page]
    if not pages:
        raise InputError("no installed plugin writes reports: install vatl-report")
    for page in pages:
        click.echo(str(page))
