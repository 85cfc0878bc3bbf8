"""``vatl annotate``"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


@click.command("annotate")
@click.argument("target", metavar="RUN|VIDEO", type=click.Path(path_type=Path))
@click.option("--host", help="Name or address to listen at; 127.0.0.1 if not given. Others need a password.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen at; the one of before, or any, if not given."
)
@click.option("--password-file", type=click.Path(path_type=Path), help="File whose first line is the password.")
@click.option(
    "--behind-proxy/--not-behind-proxy",
    default=None,
    help="Whether a server with a certificate on this machine passes on what it is asked.",
)
@click.option("--open/--no-open", default=None, help="Whether to open a browser; as the run began if not given.")
@click.option("--data-root", type=click.Path(path_type=Path), help="RUN: where its data is now, if it was moved.")
@click.option(
    "--trust", is_flag=True, help="Whether RUN may let others in, or have something fetched: you know its maker."
)
@click.option("--review", is_flag=True, help="RUN, finished: look through its least certain poses.")
@click.option("--count", type=click.IntRange(min=1), help="--review: how many to queue at a time; 20 if not given.")
@click.option(
    "--order",
    type=click.Choice(["suspicion", "track"]),
    help="--review: the most suspicious first, as if not given, or track by track.",
)
@click.option(
    "--retrain",
    is_flag=True,
    help="--review: learn from what it labels, and end; at once where an earlier review left labels to learn from.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="VIDEO: file to write boxes to; clip.boxes.json beside clip.mp4 if not given.",
)
@click.option("--boxes", type=click.Path(path_type=Path), help="VIDEO: COCO file with boxes to correct.")
@click.option(
    "--skeleton",
    type=click.Path(path_type=Path),
    help="VIDEO: COCO keypoints file, or its category alone; 17 keypoints of a person if not given.",
)
def command(
    target: Path,
    out: Path | None,
    boxes: Path | None,
    skeleton: Path | None,
    data_root: Path | None,
    trust: bool,
    review: bool,
    count: int | None,
    order: str | None,
    retrain: bool,
    **flags: Any,
) -> None:
    """Label a run, review a finished one, or draw a video's boxes, in the browser.

    With a run's directory: go on labelling the interrupted run. Everything that was labelled is there, and pages that
    are still open go on by themselves. A run that was begun with another oracle is labelled by you instead until this
    ends; `vatl resume RUN` asks the one that it was begun with.

    With --review and the directory of a run that has ended: look through the poses that it is least certain of, correct
    them, put identities right, and have it learn from that. Each label is kept; the page says how to go on.

    With a video file or a folder of pictures: draw a box around each individual on some key frames; those between
    follow. The boxes are saved as you draw, and `vatl run --dataset video` finds them beside the video.
    """
    from vatl_core.errors import InputError

    given = {name: value for name, value in flags.items() if value is not None}
    if not review and (name := _first({"--count": count, "--order": order, "--retrain": retrain or None})):
        raise InputError(f"{name} says how a finished run is reviewed: add --review")
    if not (target / "config.toml").is_file():
        if review:
            raise InputError(f"{target} is no run: it has no config.toml, and only finished runs can be reviewed")
        from vatl_annotate.boxes.session import Place, draw

        draw(target, out, boxes, skeleton, Place(**given))
        return
    if name := _first({"--out": out, "--boxes": boxes, "--skeleton": skeleton}):
        raise InputError(f"{target} is a run, whose boxes are given by its data set: leave out {name}")
    if data_root:
        from vatl_core.run import move_data

        move_data(target, data_root)
    place = {name: str(value) for name, value in given.items()}
    if review:
        from vatl_annotate.review.session import Plan, look_through

        came_of_it = look_through(target, Plan(count or 20, order or "suspicion", retrain), place, trust)
    else:
        came_of_it = _labelled(target, place, trust)
    click.echo(f"{target}: {came_of_it}")


def _labelled(run: Path, place: Mapping[str, str], trust: bool) -> str:
    """Go on with a run, its labels from the page; how it ended, in a line."""
    from vatl_core.run import execute

    click.get_current_context().ensure_object(dict)["run"] = run  # which the last line of an interrupted one names
    record = execute(run, oracle=("browser", place), trust=trust)
    return f"finished, stopped by {record.stopped_by}: {record.reason}"


def _first(options: Mapping[str, Any]) -> str | None:
    """The first of these options that was given."""
    return next((name for name, value in options.items() if value is not None), None)
