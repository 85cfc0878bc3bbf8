"""``vatl visualize``"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vatl_core.run import PastRun


@click.command("visualize")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--cycle", type=click.IntRange(min=0), help="Which; the last that asked if not given.")
@click.option("--all-cycles", is_flag=True, help="Every one, a folder each.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; RUN/visualize if not given.")
@click.option("--count", type=click.IntRange(1, 20), default=5, show_default=True, help="Instances for each criterion.")
@click.option("--projection", type=click.Choice(["pca", "umap"]), default="pca", show_default=True, help="Of features.")
@click.option("--fps", type=click.FloatRange(min=0.1), default=12.0, show_default=True, help="Of the video.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where its data is now, if it was moved.")
@click.option("--device", help="auto, cpu, cuda, …; the run's own if not given.")
def command(
    run: Path,
    cycle: int | None,
    all_cycles: bool,
    out: Path | None,
    count: int,
    projection: str,
    fps: float,
    data_root: Path | None,
    device: str | None,
) -> None:
    """Draw what the run in directory RUN saw in a cycle.

    poses.mp4 (every frame with its poses), scores_CRITERION.png (what lies behind the highest scores) and features.png
    (the feature space with the query marked). Heatmaps and features are not kept: they are estimated again, with the
    weights of the cycle.
    """
    from vatl_core.errors import InputError

    if not (run / "config.toml").is_file():
        raise InputError(f"{run} is no run: it has no config.toml")
    if all_cycles and cycle is not None:
        raise InputError(f"--all-cycles and --cycle {cycle}: give one of them")

    import attrs

    from vatl_core.discovery import discover
    from vatl_core.run import PastRun, move_data
    from vatl_formats import real_folder
    from vatl_report.visualisation import visualise

    if data_root:
        move_data(run, data_root)
    past = PastRun.open(run, discover())
    if device:
        past = attrs.evolve(past, config=attrs.evolve(past.config, device=device))
    written: list[Path] = []
    for number in _cycles(past, cycle, all_cycles):
        folder = real_folder(out or run / "visualize", f"{number:03d}")
        with _stages(f"cycle {number}") as progress:
            written += visualise(past, number, folder, count, projection, fps, progress)
    for path in written:
        click.echo(str(path))


def _cycles(past: PastRun, cycle: int | None, every: bool) -> list[int]:
    """Those asked for, of those whose estimates are there."""
    from vatl_core.errors import InputError

    there = [record.cycle for record in past.cycles if past.folder.estimates(record.cycle)]
    if not there:
        path = past.folder.path
        raise InputError(f"{path} has no finished cycle yet: take it up with `vatl resume {shlex.quote(str(path))}`")
    if cycle is not None and cycle not in there:
        raise InputError(f"{past.folder.path} has no cycle {cycle}: there are {there[0]} to {there[-1]}")
    asking = [record.cycle for record in past.cycles if record.query and record.cycle in there]
    return there if every else [(asking or there)[-1] if cycle is None else cycle]


@contextmanager
def _stages(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """Shows a bar for each stage that is told of."""
    from vatl_core.progress import bar

    with ExitStack() as stack:
        shown: dict[str, int] = {}
        steps: list[Callable[[], None]] = []

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in shown:
                stack.close()
                shown[stage] = 0
                steps.append(stack.enter_context(bar(f"{label}: {stage}", total)))
            while shown[stage] < done:
                steps[-1]()
                shown[stage] += 1

        yield progress
