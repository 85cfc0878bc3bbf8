"""``vatl tune``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from vatl_tune.setup import Setup


@click.command("tune")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--search",
    multiple=True,
    metavar="PART.OPTION=VALUES",
    help="What to search: LOW..HIGH, LOW..HIGH:log, LOW..HIGH:STEP, or choices with commas between; repeatable.",
)
@click.option("--videos", help="To tune on: names, a split's name for its videos, or `all`; none that is reported on.")
@click.option("--seeds", help="Each with every video; the run's own if not given.")
@click.option("--variant", help="Which of FILE's variants is tuned.")
@click.option("--measure", help="`ap` if not given; `ap@0.6`, `mean-oks`, `ar`, `pck`, `ospa`, …")
@click.option("--with-labels", is_flag=True, default=None, help="Count labelled instances with their labels.")
@click.option("--objective", help="`alc` if not given, `final`, or `labels@0.9`: the labels needed to get there.")
@click.option("--trials", type=int, help="How many in all; 30 if not given.")
@click.option("--at-once", type=int, help="Trials side by side; one if not given.")
@click.option("--prune-after", help="Cycles after which trials that are behind end; 3,5,9 if not given, or `none`.")
@click.option("--seed", type=int, help="Of the search: the same gives the same trials. 0 if not given.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Of the search; `tunings/` and FILE's name if not given."
)
@click.option("--executor", help="Where the runs are carried out.")
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at a time on this machine; one if not given.")
@click.option("--dry-run", is_flag=True, help="Say what would be searched; carry nothing out.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def command(
    file: Path | None,
    search: tuple[str, ...],
    executor: str | None,
    jobs: int | None,
    dry_run: bool,
    options: tuple[str, ...],
    **said: Any,
) -> None:
    """Search for the options of components that do best on some videos, by Optuna.

    FILE is a sweep's with a table [tune]; without it, the run is what `vatl run` would make. The same command takes the
    search up after an interruption, and with more --trials goes on.
    """
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_tune.setup import Setup
    from vatl_tune.storage import check_storage

    registry = discover()
    say_what_is_left_out(registry)
    setup = Setup.read(registry, file, said, search, options, executor, jobs)
    check_storage(setup.folder, setup.identity)
    _warn(setup)
    if dry_run:
        _tell_plan(setup)
        return
    _carry_out(setup)


def _warn(setup: Setup) -> None:
    """Of videos that figures are reported on, as far as nobody said which those are."""
    both = [name for name in setup.videos if name in setup.dataset.videos()]
    if both and not setup.reported:
        told = f"{len(both)} videos" if len(both) > 3 else ", ".join(both)
        click.echo(f"warning: {told} of '{setup.config.dataset}' tuned on: report no figures on them", err=True)


def _tell_plan(setup: Setup) -> None:
    for parameter in setup.parameters:
        click.echo(f"{parameter.name:<32}{parameter.said}")
    click.echo(f"{setup.objective}, the mean over {len(setup.unchanged)} runs a trial, on {', '.join(setup.videos)}")


def _carry_out(setup: Setup) -> None:
    """The search, within its folder, and what it found."""
    from vatl_core.plugins import build
    from vatl_sweep import SweepFolder
    from vatl_tune.results import write_results
    from vatl_tune.tuning import tune

    made = setup.config
    executor = build(setup.registry, "executor", made.executor, made.of("executor", made.executor))
    with SweepFolder(setup.folder).locked():
        study = tune(setup, executor, _tell)
        page = write_results(setup, study)
    _tell_best(study)
    click.echo(str(page))


def _tell(trial: FrozenTrial) -> None:
    from vatl_tune.tuning import outcome_text, values_text

    click.echo(f"trial {trial.number}: {values_text(trial)}: {outcome_text(trial)}", err=True)


def _tell_best(study: Study) -> None:
    """The best trial; or that there is none.

    Raises:
        VatlError: every trial failed.
    """
    from vatl_core.errors import VatlError
    from vatl_tune.results import complete
    from vatl_tune.tuning import values_text

    if not complete(study):
        raise VatlError(f"none of {len(study.trials)} trials came to its end: see the causes above")
    click.echo(f"best of {len(study.trials)}: trial {study.best_trial.number}, {study.best_value:.4f}")
    click.echo(values_text(study.best_trial))
