"""``vatl resume``"""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data-root", type=click.Path(path_type=Path), help="Where its data is now, if it was moved.")
@click.option("--trust", is_flag=True, help="Have it let others in, or fetch something: you know who made it.")
@click.option("--json", "as_json", is_flag=True, help="Print the closing record as JSON on the last line of stdout.")
def command(run: Path, data_root: Path | None, trust: bool, as_json: bool) -> None:
    """Take up the run in directory RUN where it was left.

    On the same device it ends as it would have without the interruption, and asks for no label twice.
    """
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_core.records import to_json
    from vatl_core.run import execute, move_data

    registry = discover()
    say_what_is_left_out(registry)
    click.get_current_context().ensure_object(dict)["run"] = run
    if data_root:
        move_data(run, data_root)
    record = execute(run, registry, trust=trust)
    click.echo(json.dumps(to_json(record)) if as_json else f"{run}: finished, stopped by {record.stopped_by}")
