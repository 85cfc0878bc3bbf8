"""``vatl bench``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from vatl_core.plugins import Registry
    from vatl_sweep.plan import Plan
    from vatl_sweep.yardstick import Curves

MEANT: Final = 5
"""Seeds, at least, for intervals that say something."""


@click.group("bench")
def command() -> None:
    """Compare strategies by what they cost."""


@command.command("labels")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--strategies", help="Only these of FILE, or of the selectors installed; `random` always is among them.")
@click.option("--videos", help="Names, or `all`, which is the default.")
@click.option("--seeds", help="0,1,2,3,4 if not given.")
@click.option(
    "--labels",
    "--schedule",
    "schedule",
    help="At which accuracy is measured, counting all so far: 0.02,0.05 or 10,20,40.",
)
@click.option(
    "--out",
    "--folder",
    "out",
    type=click.Path(path_type=Path),
    help="`sweeps/` and FILE's name if not given, or `labels`.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at a time on this machine; one if not given.")
@click.option("--retry", is_flag=True, help="Try the runs again that failed.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def labels(
    file: Path | None,
    strategies: str | None,
    videos: str | None,
    seeds: str | None,
    schedule: str | None,
    out: Path | None,
    jobs: int | None,
    retry: bool,
    options: tuple[str, ...],
) -> None:
    """Measure how many labels each strategy needs for an accuracy, as a ratio to `random`.

    FILE is a sweep's with [strategies.NAME] for each strategy; without it, every selector installed is one, on the
    embedded videos. The same command takes it up after an interruption.
    """
    from vatl_core.config import names_in
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_sweep.command import carry_out
    from vatl_sweep.strategies import strategies_plan

    registry = discover()
    say_what_is_left_out(registry)
    only = names_in((strategies or "").split(","))
    grid = {name: text for name, text in (("videos", videos), ("seeds", seeds)) if text}
    plan = strategies_plan(registry, file, only, grid, schedule, out, options, jobs)
    if len({run.config.seed for run in plan.runs}) < MEANT:
        click.echo(f"with fewer than {MEANT} seeds the intervals are wide", err=True)
    with carry_out(registry, plan, retry):
        _tell(plan, _curves(registry, plan))


def _curves(registry: Registry, plan: Plan) -> Curves:
    """Of the runs that have ended."""
    from vatl_core.run import PastRun
    from vatl_sweep.folder import SweepFolder
    from vatl_sweep.learning_curves import learning_curve

    ended = [run for run in plan.runs if SweepFolder(plan.folder).record(run)]
    return {
        (run.variant, run.config.video, run.config.seed): learning_curve(PastRun.open(run.path, registry))
        for run in ended
    }


def _tell(plan: Plan, curves: Curves) -> None:
    """Write the tables and the picture; print what they say."""
    from vatl_core.files import write_whole
    from vatl_sweep.ratios_plot import ratios_plot
    from vatl_sweep.yardstick import entries, needed_csv, ratios_csv, text_table

    if not curves:
        return
    found = entries(curves)
    write_whole(plan.folder / "labels_needed.csv", needed_csv(curves))
    write_whole(plan.folder / "ratios.csv", ratios_csv(found))
    ratios_plot(found).write(plan.folder, "ratios")
    click.echo(text_table(found))
    click.echo(str(plan.folder / "ratios.png"))
