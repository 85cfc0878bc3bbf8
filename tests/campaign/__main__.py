"""`python -m tests.campaign`: what was lost, in a table."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs
import click

from tests.campaign import crowds, flooding, full_disk
from tests.campaign.killing import Killed, Killing, say
from tests.campaign.losses import Losses
from tests.campaign.settings import ORACLES, Ground

COLUMNS = ("what", "times", *(field.name for field in attrs.fields(Losses)))
Row = tuple[str, int, Losses]
"""What was tried, how often, and what was lost."""


def killed_rows(outcomes: Iterable[Killed], oracles: Sequence[str]) -> list[Row]:
    """A row for each oracle, and how often runs were killed."""
    every = list(outcomes)
    rows = []
    for oracle in oracles:
        own = [killed for killed in every if killed.setting.oracle == oracle]
        kills = sum(len(killed.kills) for killed in own)
        rows.append((f"{oracle}, {kills} kills", len(own), sum((killed.losses for killed in own), Losses())))
    return rows


def table(rows: Iterable[Row]) -> str:
    """As Markdown."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *((what, n, *attrs.astuple(losses)) for what, n, losses in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def crowded(killing: Killing, disks: int, seed: int) -> Iterable[Row]:
    """What is tried beside killing."""
    tried: list[tuple[str, int, Callable[[], Losses]]] = [
        ("writers at once", crowds.CROWD, lambda: crowds.writers(killing.ground)),
        ("resumes at once", crowds.CROWD, lambda: crowds.resumes(killing)),
        (f"half requests, {flooding.FILES} files", flooding.FLOOD, lambda: flooding.flooded(killing)),
    ]
    if full_disk.possible():
        tried.append(("full disks", disks, lambda: full_disk.full(disks, seed)))
    else:
        print("no disk in memory can be made here: full disks are left out", file=sys.stderr)
    return ((what, count, attempt()) for what, count, attempt in tried)


@click.command()
@click.option("-n", "count", default=200, show_default=True, help="Runs that are killed.")
@click.option("--disks", default=20, show_default=True, help="Runs that meet a full disk.")
@click.option("--seed", default=0, show_default=True, help="Of the first; the others count on from it.")
@click.option("--jobs", default=os.cpu_count() or 1, help="Runs at once.")
@click.option("--oracle", "oracles", multiple=True, type=click.Choice(ORACLES), help="Only these; repeatable.")
def main(count: int, disks: int, seed: int, jobs: int, oracles: tuple[str, ...]) -> None:
    """Kill runs, crowd them, flood them and fill their disk, and compare them with whole ones."""
    began, asked = time.monotonic(), oracles or ORACLES
    os.environ["OMP_NUM_THREADS"] = "1"  # so that runs beside each other agree
    with tempfile.TemporaryDirectory(prefix="campaign-", ignore_cleanup_errors=True) as folder:
        killing = Killing(Ground.on(Path(folder)))
        outcomes = []
        for killed in killing.all(asked, count, seed, jobs):
            outcomes.append(killed)
            say(killed)
        rows = killed_rows(outcomes, asked)
        left = len(list(killing.ground.temporary.iterdir()))
        rows += [("temporary folders", left, Losses(left=left)), *crowded(killing, disks, seed)]
    print(table(rows))
    print(f"{time.monotonic() - began:.0f} seconds, seed {seed}")
    sys.exit(any(losses for _, _, losses in rows))


if __name__ == "__main__":
    main()
