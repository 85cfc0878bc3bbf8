"""``vatl fit``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


@click.command("fit")
@click.argument("name")
@click.option("--preset", help="Whose options NAME has, as runs by it look for it.")
@click.option("--dataset", help="Data set whose poses to learn; `synthetic` if not given.")
@click.option("--split", default="train", show_default=True, help="Its split to learn from.")
@click.option("--val-split", help="Its split to validate on; val where there is one, else a tenth is held out.")
@click.option("--skeleton", help="Which poses to learn, by the skeleton's name; those of the first if not given.")
@click.option("--out", type=click.Path(path_type=Path), help="File, .safetensors; where runs look if not given.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random choice.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, …")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def command(name: str, out: Path | None, options: tuple[str, ...], **flags: Any) -> None:
    """Let the criterion NAME learn from a data set's poses what runs can then begin with.

    Runs find it for every video of the same skeleton if the criterion has the same options, such as
    `vatl fit wpu --dataset synthetic` for people of 17 keypoints. By a preset they have those that it sets:
    `vatl fit wpu --preset vatl4pose --dataset posetrack21`.
    """
    from vatl_core.config_files import configure
    from vatl_core.discovery import discover
    from vatl_core.errors import InputError

    if out and out.suffix != ".safetensors":
        raise InputError(f"--out {out}: what is learnt is written as safetensors: end the name in .safetensors")
    registry = discover()
    registry.find("criterion", name)
    settings = {key: flags[key] for key in ("preset", "dataset", "seed", "device")} | {"query": name}
    config = configure(registry, settings, options=options)

    from vatl_train.curve import draw_fitting
    from vatl_train.fitting import fit

    def told(line: str) -> None:
        click.echo(line, err=True)

    fitted = fit(registry, config, flags["split"], flags["val_split"], flags["skeleton"], told, _show_epoch)
    if sys.stderr.isatty():
        click.echo(err=True)
    path = out or fitted.learnt.serves.path
    record = fitted.save(path)
    drawn = draw_fitting(record)
    click.echo(_outcome(fitted.learnt.figures, fitted.learnt.poses))
    for written in (path, record, *([drawn] if drawn else [])):
        click.echo(str(written))


def _show_epoch(number: int, training: float, validation: float) -> None:
    """One line that stays where it is; every tenth where lines cannot be written over."""
    line = f"epoch {number}: error {training:.6f}, on validation {validation:.6f}"
    if sys.stderr.isatty():
        click.echo(f"\r{line}\033[K", err=True, nl=False)
    elif number % 10 == 0:
        click.echo(line, err=True)


def _outcome(figures: dict[str, float], poses: tuple[int, int]) -> str:
    learnt = f"{poses[0]} poses, {poses[1]} to validate on"
    if not figures:
        return learnt
    return (
        f"{learnt}: validation error {figures['validation_error']:.6f}, training error "
        f"{figures['training_error']:.6f} after epoch {figures['epoch']:.0f} of {figures['epochs']:.0f}"
    )
