"""The folder that a task is handed over in: pictures, the tool's files and what to do, whole or not there at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
from torch import Tensor

from vatl_core.contracts import Request
from vatl_core.files import keep_names, write_whole
from vatl_core.promises import checked_pictures
from vatl_oracles.files.layout import Layout
from vatl_oracles.files.task import Size, Task, picture_name

PICTURES: Final = "pictures"
_QUALITY: Final = 95


def handed_over(request: Request, format: str, layout: Layout) -> tuple[Path, Task]:
    """The folder and the task of this request: the ones that are there already, else written now.

    A cycle whose query was given up for another keeps the earlier folder; the next one has a number.
    """
    query = tuple(request.query.tolist())
    number = 1
    while (folder := request.folder / ("tasks" if number == 1 else f"tasks-{number}")).exists():
        task = Task.read(folder)
        if task and (task.query, task.format) == (query, format):
            return folder, task
        number += 1
    return folder, _write(request, format, layout, folder)


def _write(request: Request, format: str, layout: Layout, folder: Path) -> Task:
    with _whole_folder(folder) as beside:
        sizes = _write_pictures(request, beside / PICTURES)
        task = Task.of(request, format, folder, sizes)
        for name, text in layout.files(task).items():
            write_whole(beside / name, text)
        write_whole(beside / "README.txt", _readme(task, layout))
        task.write(beside)
    return task


def _readme(task: Task, layout: Layout) -> str:
    count = f"{len(task.items)} instance{'s' * (len(task.items) != 1)} in {len(task.pictures())} pictures"
    return f"{task.title}: {count} to be labelled.\n\n{layout.steps}\n"


def _write_pictures(request: Request, folder: Path) -> dict[int, Size]:
    """Each frame that is asked about, once; width and height by frame."""
    folder.mkdir()
    frames = sorted(set(request.video.instances.frame[request.indices].tolist()))
    sizes = {}
    for frame, picture in zip(frames, checked_pictures(request.video.frames, frames), strict=True):
        write_whole(folder / picture_name(frame), _jpeg(picture))
        sizes[frame] = (picture.shape[2], picture.shape[1])
    return sizes


def _jpeg(picture: Tensor) -> bytes:
    """A picture (3, H, W), uint8 RGB."""
    colours = cv2.cvtColor(picture.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", colours, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` to write to; it becomes ``folder`` when the block ends well, else it is removed."""
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.part")  # nobody can lay a link there
    beside.mkdir(parents=True)
    try:
        yield beside
        beside.rename(folder)
        keep_names(folder.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
