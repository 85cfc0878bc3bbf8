"""``vatl annotate clip.mp4``: serves the page until the person is done."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import click
from filelock import FileLock, Timeout

from vatl_annotate.access import password_for
from vatl_annotate.boxes.drawing import Drawing, beside
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.interface import Interface, application
from vatl_annotate.boxes.reel import Reel
from vatl_annotate.hosts import reach
from vatl_annotate.serving import Served
from vatl_core.errors import InputError


@attrs.frozen
class Place:
    """Where the page is served.

    Attributes:
        host: name or address to listen at.
        port: to listen at; 0 for the one of before, or any that is free.
        password_file: whose first line is the password; None for none.
        behind_proxy: whether a server with a certificate on this machine passes on what it is asked.
        open: whether to open a browser.
    """

    host: str = "127.0.0.1"
    port: int = 0
    password_file: Path | None = None
    behind_proxy: bool = False
    open: bool = True


def draw(path: Path, out: Path | None, boxes: Path | None, skeleton: Path | None, place: Place) -> None:
    """Serve the page on which a video's boxes are drawn, until the person is done or interrupts.

    Args:
        path: the video file, or the folder of pictures.
        out: the file to write; None for the one beside the video that is looked for there.
        boxes: boxes to begin with; None for what was drawn before, if anything was.
        skeleton: a COCO keypoints file or its category; None for what the boxes' file says, else a person's.
        place: where.

    Raises:
        InputError: a file cannot be read or written, or nobody can listen there.
    """
    typed = os.environ.get("VATL_PASSWORD", "")
    password = password_for(place.host, place.password_file, typed, behind_proxy=place.behind_proxy)
    footage = Footage.open(path)
    file = (out or beside(footage)).absolute()
    with _alone(file):
        drawing, read = Drawing.open(footage, file, boxes, skeleton)
        for reason, count in read.dropped.items():
            click.echo(f"{count} boxes left out: {reason}", err=True)
        _serve(drawing, next_command(drawing), place, password)
        _conclude(drawing)


def next_command(drawing: Drawing) -> str:
    """What to type when all is drawn."""
    words = ["vatl", "run", "--dataset", "video", "-o", f"dataset.path={drawing.footage.path}"]
    if drawing.path != beside(drawing.footage):
        words += ["-o", f"dataset.boxes={drawing.path}"]
    return shlex.join([*words, "--oracle", "browser"])


def _serve(drawing: Drawing, command: str, place: Place, password: str) -> None:
    reel = Reel(drawing.footage)
    do = Interface(drawing, reel, command)
    keys = drawing.path.with_name(f".{drawing.path.name}.page")
    served = Served.begin(
        place.host,
        place.port,
        keys,
        password,
        lambda keys, hosts: application(do, keys, hosts),
        behind_proxy=place.behind_proxy,
    )
    click.echo(f"draw boxes at {served.link}{reach(place.host)}", err=True)
    if place.open:
        served.show()
    try:
        with suppress(KeyboardInterrupt):  # whatever the page said is saved, is
            do.done.wait()
    finally:
        reel.close()
        served.end()


def _conclude(drawing: Drawing) -> None:
    count = drawing.summary()
    if not count["boxes"]:
        click.echo(f"{drawing.footage.path}: no boxes were drawn")
        return
    click.echo(f"{drawing.path}: {count['tracks']} tracks, {count['boxes']} boxes")
    click.echo(f"next: {next_command(drawing)}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Whether nobody else draws into the same file.

    Raises:
        InputError: somebody does, or there can be no such file.
    """
    if file.is_dir():
        raise InputError(f"{file} is a folder: give a file as --out")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_name(f".{file.name}.lock"), timeout=0)
        lock.acquire()
    except Timeout as error:
        raise InputError(f"{file} is being drawn already by another vatl annotate: go on there, or end it") from error
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}): give another place as --out") from error
    try:
        yield
    finally:
        lock.release()
