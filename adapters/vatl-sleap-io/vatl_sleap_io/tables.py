"""Tables of labelled pictures as DeepLabCut and Lightning Pose write them: every row is a frame of its folder's video.

sleap-io makes a video of each second part of a path, finds no row whose path is written with backslashes, and numbers
what is left; so the paths are ours to read, and the points its.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import attrs
import sleap_io

from vatl_core.errors import InputError


@attrs.frozen
class Table:
    """A table's lines, with the pictures that its rows are about.

    Attributes:
        heads: the lines above, without the columns of paths.
        rows: the lines below, likewise.
        pictures: the path of each row, as it stands there but for backslashes.
    """

    heads: list[list[str]]
    rows: list[list[str]]
    pictures: list[PurePosixPath]


def read_table(path: Path) -> sleap_io.Labels | None:
    """The labels of a table of pictures, one video a folder; None where the file is none.

    Raises:
        InputError: a picture is there twice.
    """
    table = _table(path)
    if table is None or not table.rows:
        return None
    labels = _points(table, next((c for p in path.resolve().parents if (c := p / "config.yaml").is_file()), None))
    frames = sorted(labels.labeled_frames, key=lambda frame: int(frame.frame_idx))
    folders: dict[PurePosixPath, list[int]] = {}
    for row, picture in enumerate(table.pictures):
        folders.setdefault(picture.parent, []).append(row)
    videos = []
    for rows in folders.values():
        rows.sort(key=lambda row: _natural(table.pictures[row].name))
        names = [table.pictures[row] for row in rows]
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise InputError(f"{path}: picture {twice[0]} has two rows: delete one of them")
        videos.append(sleap_io.Video(filename=[str(name) for name in names], open_backend=False))
        for place, row in enumerate(rows):
            frames[row].video, frames[row].frame_idx = videos[-1], place
    return sleap_io.Labels(frames, videos=videos, tracks=labels.tracks, skeletons=labels.skeletons)


def _table(path: Path) -> Table | None:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file) if any(line)]
    coords = next((i for i, line in enumerate(lines[:5]) if line[0] == "coords"), None)
    if coords is None or lines[0][0] != "scorer":
        return None
    width = next((i for i, cell in enumerate(lines[coords]) if i and cell), 1)  # a path may be in several cells
    heads, rows = lines[: coords + 1], lines[coords + 1 :]
    pictures = [PurePosixPath("/".join(cell for cell in row[:width] if cell).replace("\\", "/")) for row in rows]
    if not all(picture.suffix for picture in pictures):
        return None  # of a video's frames, by number
    return Table([[line[0], *line[width:]] for line in heads], [row[width:] for row in rows], pictures)


def _points(table: Table, config: Path | None) -> sleap_io.Labels:
    """What sleap-io reads of the table, and of its project's configuration; a frame's number is its row's."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "img0.png").touch()  # it leaves out the rows of a folder of which no picture is there
        rows = [[f"{folder}/img{number}.png", *row] for number, row in enumerate(table.rows)]
        copy = Path(folder) / "table.csv"
        with copy.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([*table.heads, *rows])
        labels: sleap_io.Labels = sleap_io.load_dlc(copy.as_posix(), config=config or False)
    return labels


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts names by the numbers in them."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def numbers_in(names: Sequence[str]) -> list[int] | None:
    """The number of the frame that each picture's name ends in; None where one has none, or two have the same."""
    found = [re.findall(r"\d+", Path(name).stem) for name in names]
    numbers = [int(digits[-1]) for digits in found if digits]
    return numbers if len(set(numbers)) == len(names) else None
