"""``vatl annotate``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("annotate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--host", help="Name or address to listen at; 127.0.0.1 if not given. Others need a password.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen at; the one of before, or any, if not given."
)
@click.option("--password-file", type=click.Path(path_type=Path), help="File whose first line is the password.")
@click.option("--open/--no-open", default=None, help="Whether to open a browser; as the run began if not given.")
def command(run: Path, **flags: Any) -> None:
    """Go on labelling the interrupted run in directory RUN.

    Everything that was labelled is there, and pages that are still open go on by themselves. A run that was begun
    with another oracle is labelled by you from now on.
    """
    from vatl_core.errors import InputError

    if not (run / "config.toml").is_file():
        raise InputError(f"{run} is no run: it has no config.toml")

    from vatl_core.runs import resume

    options = {name: str(value) for name, value in flags.items() if value is not None}
    record = resume(run, oracle=("browser", options))
    click.echo(f"{run}: finished, stopped by {record.stopped_by}: {record.reason}")
