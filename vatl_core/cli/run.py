"""``vatl run``"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import attrs
import click


@click.command("run")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--preset", help="Settings of a publication, beneath all others; `vatl plugins list --kind preset`.")
@click.option("--dataset", help="Data set; the one that opens PATH, or else `synthetic`, if not given.")
@click.option("--video", help="Which of its videos; the first if not given.")
@click.option("--estimator", help="Pose estimator.")
@click.option("--query", help="Criterion that scores instances, or a sum such as thc+wpu.")
@click.option("--query-weights", type=click.Choice(["dynamic", "constant", "increase", "decrease"]), help="Of a sum.")
@click.option("--select", help="Selector that picks the query from the scores.")
@click.option("--retrain", help="Retraining policy.")
@click.option("--refine", help="Refinement that makes the poses of a pass consistent over time.")
@click.option("--stop", multiple=True, help="Stopping criterion; repeatable, the first to fire wins.")
@click.option("--advise", multiple=True, help="Stopping criterion that only says where it would end; repeatable.")
@click.option("--oracle", help="Who labels.")
@click.option("--executor", help="Where the run is carried out.")
@click.option("--schedule", help="Cumulative labels: fractions (0.05,0.1), counts (30,60), or one-by-one.")
@click.option("--rounding", type=click.Choice(["nearest", "down"]), help="Of fractions to labels.")
@click.option("--start-with-labels/--no-start-with-labels", default=None, help="Learn from those in the data first.")
@click.option("--threshold", type=float, help="OKS from which a pose counts as correct.")
@click.option("--weights", help="auto (default), none (random), a known name, URL#sha256=HEX, or a file.")
@click.option("--weights-keypoints", help="Of a head that names none: their names, person-17, or same (the video's).")
@click.option("--device", help="auto (default), cpu, cuda, …")
@click.option("--compile", "compiled", type=click.Choice(["auto", "on", "off"]), help="The estimator, by torch.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), help="Of the forward pass.")
@click.option("--channels-last/--contiguous", default=None, help="Memory layout; chosen for the device if not given.")
@click.option("--batch", type=int, help="Instances to a forward pass; what suits the device if not given.")
@click.option("--decoder", help="Of pictures and videos: exact (default), or torchcodec, on a GPU where it can.")
@click.option("--cache-mb", type=int, help="MiB of memory for cut-out crops.")
@click.option("--seed", type=int, help="Of every random choice.")
@click.option("--name", help="Of the run directory; made from the parts if not given.")
@click.option("--runs", type=click.Path(path_type=Path), help="Folder of run directories; `runs` if not given.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file; the command line takes precedence.")
@click.option("--skip-broken", is_flag=True, help="Leave out who is on frames that cannot be read.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the closing record as JSON on the last line of stdout.")
def command(path: Path | None, config: Path | None, options: tuple[str, ...], as_json: bool, **flags: Any) -> None:
    """Adapt an estimator to a video with as few labels as possible.

    PATH is a video, a folder of pictures or a file of annotations. With nothing else given it adapts `tiny` to the
    first embedded video. Options of the parts are shown by `vatl plugins show NAME`.
    """
    from vatl_core.config import chosen
    from vatl_core.config_files import configure
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_core.store import RunFolder

    registry = discover()
    say_what_is_left_out(registry)
    if path and (path / "config.toml").is_file():
        RunFolder.check_free(path)  # a run is not what runs are made of, and this says how to go on with one
    if path:
        flags["dataset"], option = registry.opening(path, flags["dataset"])
        options = (f"dataset.{option}={path}", *options)
    options += ("dataset.skip_broken=true",) * flags.pop("skip_broken")
    options += tuple(f"estimator.compiled={choice}" for choice in [flags.pop("compiled")] if choice)
    made = configure(registry, flags, options=options, file=config)
    for role in sorted(made.options.keys() - {"query", "stop"}):  # criteria may be watched, stopping criteria advise
        for name in sorted(made.options[role].keys() - set(chosen(made, role))):
            click.echo(f"options of {name} change nothing: --{role} is {chosen(made, role)[0]}", err=True)
    numbered = itertools.chain([made.run_name], (f"{made.run_name}-{number}" for number in itertools.count(2)))
    made = attrs.evolve(made, name=made.name or next(name for name in numbered if not (made.runs / name).exists()))
    click.get_current_context().ensure_object(dict)["run"] = made.path

    from vatl_core.plugins import build
    from vatl_core.promises import checked_outcomes
    from vatl_core.records import to_json
    from vatl_core.run import execute

    executor = build(registry, "executor", made.executor, made.of("executor", made.executor))
    RunFolder.check_free(made.path)
    (outcome,) = checked_outcomes(made.executor, executor, execute, [made])
    record = outcome.get()
    if as_json:
        click.echo(json.dumps(to_json(record)))
