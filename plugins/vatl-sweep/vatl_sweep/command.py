"""``vatl sweep``"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vatl_core.plugins import Registry
    from vatl_sweep.plan import Plan


@click.command("sweep")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), help="Of the sweep; `sweeps/` and FILE's name if not given.")
@click.option("--executor", help="Where the runs are carried out.")
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at a time on this machine; one if not given.")
@click.option("--retry", is_flag=True, help="Try the runs again that failed.")
@click.option("--dry-run", is_flag=True, help="List the runs and how far they are; carry none out.")
@click.option(
    "--plan", "costs", is_flag=True, help="Say how long it takes and how much disk, by the runs that have ended."
)
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def command(
    file: Path,
    folder: Path | None,
    executor: str | None,
    jobs: int | None,
    retry: bool,
    dry_run: bool,
    costs: bool,
    options: tuple[str, ...],
) -> None:
    """Carry out the runs of the experiment in FILE: videos × variants × seeds.

    The same command takes it up after an interruption: finished runs are not repeated. A run that fails is kept apart
    with its cause, and the others go on.
    """
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_sweep.folder import SweepFolder
    from vatl_sweep.plan import read_plan

    registry = discover()
    say_what_is_left_out(registry)
    plan = read_plan(registry, file, folder, executor, options, jobs)
    kept = SweepFolder(plan.folder)
    if dry_run:
        kept.check(plan.runs)
        for run in plan.runs:
            click.echo(f"{kept.state(run):<12}{run.name}")
        return

    if costs:
        from vatl_sweep.cost import cost, measured, sizes, told

        rates, size_of = measured(kept, plan.runs), sizes(registry, plan.runs)
        counts = sorted({jobs or 1, 1, 8, 64})
        click.echo(told([cost(plan.runs, size_of, rates, count) for count in counts], len(plan.runs), rates))
        return

    from vatl_sweep.results import rows_of, summaries, table

    with carry_out(registry, plan, retry):
        click.echo(table(summaries(rows_of(kept, plan.runs))))
        click.echo(str(plan.folder / "sweep.json"))


@contextmanager
def carry_out(registry: Registry, plan: Plan, retry: bool) -> Iterator[None]:
    """Carry out what is left of a plan; after the block, which tells what came of it, tell what failed.

    Raises:
        VatlError: runs failed.
    """
    from vatl_core.plugins import build
    from vatl_sweep.execution import sweep
    from vatl_sweep.folder import SweepFolder
    from vatl_sweep.progress import Watch
    from vatl_sweep.results import rows_of

    made, kept = plan.runs[0].config, SweepFolder(plan.folder)
    chosen = build(registry, "executor", made.executor, made.of("executor", made.executor))
    with Watch(kept, plan.runs) as watch:
        sweep(plan, chosen, retry, watch.begun, watch.ended)
    yield
    rows = rows_of(kept, plan.runs)
    _tell_failures([row for row in rows if row["state"] == "failed"], len(rows))


def _tell_failures(failed: list[dict[str, str]], runs: int) -> None:
    from vatl_core.errors import VatlError

    for row in failed:
        click.echo(f"failed: {row['run']}: {row['cause']}", err=True)
    if failed:
        raise VatlError(f"{len(failed)} of {runs} runs failed: the same command with --retry tries them again")
