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
    **flags: Any,
) -> None:
    """Label a run, or draw a video's boxes, in the browser.

    With a run's directory: go on labelling the interrupted run. Everything that was labelled is there, and pages that
    are still open go on by themselves. A run that was begun with another oracle is labelled by you instead until this
    ends; `vatl resume RUN` asks the one that it was begun with.

    With a video file or a folder of pictures: draw a box around each individual on some key frames; those between
    follow. The boxes are saved as you draw, and `vatl run --dataset video` finds them beside the video.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if not (target / "config.toml").is_file():
        from vatl_annotate.boxes.session import Place, draw

        draw(target, out, boxes, skeleton, Place(**given))
        return
    _refuse_for_run(target, {"--out": out, "--boxes": boxes, "--skeleton": skeleton})

    from vatl_core.run import execute, move_data

    click.get_current_context().ensure_object(dict)["run"] = target  # which the last line of an interrupted one names
    if data_root:
        move_data(target, data_root)
    record = execute(target, oracle=("browser", {name: str(value) for name, value in given.items()}), trust=trust)
    click.echo(f"{target}: finished, stopped by {record.stopped_by}: {record.reason}")


def _refuse_for_run(run: Path, options: Mapping[str, Path | None]) -> None:
    from vatl_core.errors import InputError

    for name, value in options.items():
        if value is not None:
            raise InputError(f"{run} is a run, whose boxes are given by its data set: leave out {name}")
