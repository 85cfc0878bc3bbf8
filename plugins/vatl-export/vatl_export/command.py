"""``vatl export``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vatl_export.subject import Subject


@click.command("export")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN] FILE")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the run's data is now, if it was moved.")
@click.option("--estimator", help="Without a run: pose estimator.")
@click.option("--weights", help="Without a run: a known name, URL#sha256=HEX, or a file.")
@click.option("--weights-keypoints", help="Of a head that names none: their names, or person-17.")
@click.option("--overwrite", is_flag=True, help="Put it in place of a file that is there.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of the estimator; repeatable.")
def command(places: tuple[Path, ...], data_root: Path | None, overwrite: bool, **words: Any) -> None:
    """Write the network of the run in directory RUN to FILE: ONNX where that ends in .onnx, torch.export's in .pt2.

    It is the last one that the run trained. Without a run, such as
    `vatl export --estimator hrnet --weights coco model.onnx`, it is any that has weights.

    The file takes crops as bytes and gives heatmaps; what else there is to know stands in it.
    """
    from vatl_export.writing import check_target, write

    *runs, target = _named(places, data_root, words)
    check_target(target, overwrite)
    subject = _of_run(runs[0], data_root) if runs else _of_weights(words)
    for note in subject.notes:
        click.echo(f"warning: {note}", err=True)
    write(subject, target)
    click.echo(str(target))


def _named(places: tuple[Path, ...], data_root: Path | None, words: dict[str, Any]) -> tuple[Path, ...]:
    """A run and a file, or a file where estimator and weights are named."""
    from vatl_core.errors import InputError

    given = [f"--{name.replace('_', '-')}" if name != "options" else "-o" for name, value in words.items() if value]
    if not places or len(places) > 2:
        raise InputError(f"give a run and a file to write, not {len(places)} places: vatl export RUN FILE.onnx")
    if len(places) == 2 and given:
        raise InputError(f"{places[0]} has its own estimator and weights: leave out {', '.join(given)}, or the run")
    if len(places) == 1 and data_root:
        raise InputError(f"--data-root {data_root} is where a run's data is: name the run before {places[0]}")
    if len(places) == 1 and not (words["estimator"] and words["weights"] not in (None, "auto", "none")):
        raise InputError(f"say what to write to {places[0]}: a run before it, or --estimator and --weights with a head")
    return places


def _of_run(run: Path, data_root: Path | None) -> Subject:
    from vatl_core.run import move_data
    from vatl_export.subject import of_run

    if data_root:
        move_data(run, data_root)
    return of_run(run)


def _of_weights(words: dict[str, Any]) -> Subject:
    from vatl_core.config_files import configure
    from vatl_core.discovery import discover
    from vatl_export.subject import of_weights

    registry, options = discover(), words.pop("options")
    return of_weights(registry, configure(registry, words, options=options))
