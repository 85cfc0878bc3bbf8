"""``vatl train``"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from vatl_core.plugins import Options, Registry

SHARE = click.FloatRange(0, 1)


@click.command("train")
@click.option("--preset", help="Data set, estimator and recipe by one name; all that is given besides goes before it.")
@click.option("--dataset", help="Data set with source videos; `synthetic` if not given.")
@click.option("--split", default="train", show_default=True, help="Of the data set, to train on.")
@click.option(
    "--val-split",
    "validation",
    default="",
    help="To validate on, or none; if not given, `val` where the data set has it, else a held-out share.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    help="That share of the training videos, or of one video's instances.",
)
@click.option("--estimator", help="Pose estimator; the data set's own if not given.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Weights file to write, .safetensors.")
@click.option(
    "--weights",
    default="none",
    show_default=True,
    help="What to begin with: none (random), auto, a known name, URL#sha256=HEX, or a file.",
)
@click.option(
    "--weights-keypoints", help="Of a head that names none: their names, person-17, or same (the data set's)."
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="How often all instances are learnt from.",
)
@click.option(
    "--optimiser",
    type=click.Choice(["adam", "adamw"]),
    default="adam",
    show_default=True,
    help="What changes the weights.",
)
@click.option(
    "--lr",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Learning rate, for all parts alike.",
)
@click.option("--weight-decay", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Of the optimiser.")
@click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True, help="Instances to a step, in all.")
@click.option(
    "--milestone",
    "milestones",
    type=click.IntRange(min=0),
    multiple=True,
    help="Epoch after which lr falls to a tenth; repeatable. If not given, at 45 % and 60 % of the epochs: 90, 120.",
)
@click.option(
    "--restart",
    "restarts",
    type=click.IntRange(min=1),
    multiple=True,
    help="Epoch after which lr is as at first again, until later milestones; repeatable.",
)
@click.option(
    "--decay", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Of lr, each epoch."
)
@click.option("--one-cycle", is_flag=True, help="Let lr rise over 30 % of the steps and fall to nothing instead.")
@click.option("--rotation", type=click.FloatRange(min=0), default=40.0, show_default=True, help="Degrees, deviation.")
@click.option("--rotated", type=SHARE, default=0.6, show_default=True, help="Share of crops that are rotated.")
@click.option("--scale", type=click.FloatRange(0, 1, max_open=True), default=0.3, show_default=True, help="Deviation.")
@click.option("--flip", type=SHARE, default=0.5, show_default=True, help="Share of crops that are mirrored.")
@click.option("--half-body", type=SHARE, default=0.0, show_default=True, help="Share of crops around half a body.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random choice.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, …")
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Of the forward pass.",
)
@click.option("--cache-mb", type=click.IntRange(min=0), default=4096, show_default=True, help="For cut-out pictures.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
@click.pass_context
def command(context: click.Context, /, out: Path, options: tuple[str, ...], **flags: Any) -> None:
    """Train an estimator on a data set's source videos and write its weights: those of the epoch with the highest
    mean OKS on the validation videos.

    The recipe that is the default is the paper's; --preset takes those of the code released with it, which
    `vatl plugins show NAME` shows. Interrupted, the same command goes on from the last epoch, which
    it finds in OUT.training beside the weights; the log is there too. On several GPUs:
    `torchrun --nproc-per-node 4 -m vatl_core.cli train …`.
    """
    from vatl_core.config_files import configure
    from vatl_core.discovery import discover
    from vatl_core.errors import InputError

    if out.suffix != ".safetensors":
        raise InputError(f"--out {out}: weights are written as safetensors: end the name in .safetensors")
    registry = discover()
    given = {name for name in flags if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if flags["one_cycle"] and "restarts" in given:
        raise InputError("--restart has nothing to begin again under --one-cycle: give one of them")
    tables = _over_preset(registry, flags, given) if flags["preset"] else {}
    config_names = (
        "dataset", "estimator", "weights", "weights_keypoints", "seed", "device", "precision", "cache_mb",
    )  # fmt: skip
    config = configure(registry, {name: flags.pop(name) for name in config_names}, tables, options)

    from vatl_core.progress import bar
    from vatl_train.team import leading
    from vatl_train.training import SourceTraining, train

    videos = {name: flags.pop(name) for name in ("split", "validation", "held_out")}
    task = SourceTraining(config, _recipe(flags), **videos)
    with ExitStack() as shown:
        steps: list[Callable[[], None]] = []

        def progress(stage: str, done: int, total: int) -> None:
            if not steps:  # not before everything has been found to be in order
                steps.append(shown.enter_context(bar("training", total)))
            if done:
                steps[0]()

        log = train(registry, task, out, progress, lambda line: click.echo(line, err=True))
    if leading():
        click.echo(f"{out}: {_summary(log)}")


def _over_preset(registry: Registry, flags: dict[str, Any], given: Collection[str]) -> Options:
    """Let flags that were not given be the preset's, and return what it says of the estimator that is trained.

    Raises:
        InputError: there is no such preset, or it is one of runs.
    """
    from vatl_core.errors import InputError
    from vatl_train.presets import RECIPES, TrainingPreset

    preset = registry.find("preset", flags["preset"])
    if not isinstance(preset, TrainingPreset):
        names = ", ".join(recipe.name for recipe in RECIPES)
        raise InputError(f"preset '{preset.name}' is for `vatl run --preset {preset.name}`: recipes are {names}")
    below = {**preset.tables["run"], **preset.train}
    flags |= {name: value for name, value in below.items() if name not in given}
    name = flags["estimator"]
    return {"estimator": {n: dict(table) for n, table in preset.tables["estimator"].items() if n == name}}


def _recipe(flags: dict[str, Any]) -> Any:
    """How to fit, from the flags of the same names."""
    from vatl_augmentation import CropAugmentation
    from vatl_core.contracts import Recipe

    names = ("rotation", "rotated", "scale", "flip", "half_body")
    augmentation = CropAugmentation(**{name: flags[name] for name in names})
    milestones = flags["milestones"] or (round(flags["epochs"] * 0.45), round(flags["epochs"] * 0.6))
    kept = ("epochs", "lr", "weight_decay", "decay", "one_cycle", "batch", "optimiser", "restarts")
    settings = {name: flags[name] for name in kept}
    return Recipe(**settings, milestones=milestones, alike=True, augmentation=augmentation)


def _summary(log: list[dict[str, Any]]) -> str:
    """What came of it, in a line."""
    best = [line for line in log if line["kept"]][-1]
    if best["validation_oks"] is None:
        return f"last epoch's loss {best['loss']:.5f}"
    of = f"epoch {best['epoch']} of {len(log)}"
    return f"{of}, validation mean OKS {best['validation_oks']:.4f}, loss {best['loss']:.5f}"
