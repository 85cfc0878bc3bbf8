"""``vatl train``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("train")
@click.option("--dataset", help="Data set with source videos; `synthetic` if not given.")
@click.option("--estimator", help="Pose estimator; the data set's own if not given.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Weights file to write, .safetensors.")
@click.option(
    "--weights", default="none", show_default=True, help="What to begin with: none (random), auto, or a file."
)
@click.option("--epochs", type=click.IntRange(min=1), default=40, show_default=True)
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), default=1e-3, show_default=True)
@click.option("--weight-decay", type=click.FloatRange(min=0), default=1e-4, show_default=True)
@click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True, help="Instances to a step.")
@click.option("--milestone", "milestones", type=int, multiple=True, help="Epoch after which lr falls to a tenth.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True)
@click.option("--cache-mb", type=click.IntRange(min=0), default=4096, show_default=True, help="For cut-out pictures.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def command(out: Path, options: tuple[str, ...], **flags: Any) -> None:
    """Train an estimator on a data set's source videos and write its weights.

    The weights that ship with the embedded data set are made by
    `vatl train --dataset synthetic --estimator tiny --out tiny.safetensors`.
    """
    from vatl_core.config import add_option, assemble
    from vatl_core.errors import InputError
    from vatl_core.plugins import discover

    if out.suffix != ".safetensors":
        raise InputError(f"--out {out}: weights are written as safetensors: end the name in .safetensors")
    registry = discover()
    named = {name: flags.pop(name) for name in ("dataset", "estimator")}
    tables: dict[str, Any] = {}
    kept = {"weights", "seed", "device", "precision", "cache_mb"}
    settings = named | {name: value for name, value in flags.items() if name in kept}
    config = assemble(registry, settings, tables)
    for text in options:
        add_option(tables, text, config, registry)

    from vatl_core.cli.progress import bar
    from vatl_core.source_training import train
    from vatl_core.training import Recipe

    milestones = flags["milestones"] or (round(flags["epochs"] * 0.7), round(flags["epochs"] * 0.9))
    recipe = Recipe(flags["epochs"], flags["lr"], flags["weight_decay"], 1.0, milestones, True, flags["batch"])
    with bar("training", recipe.epochs) as step:
        loss = train(registry, config, recipe, out, lambda stage, done, total: step())
    click.echo(f"{out}: last epoch's loss {loss:.5f}")
