"""Tables of poses as DeepLabCut and Lightning Pose write them: of labelled pictures, or of a video's frames.

sleap-io makes a video of each second part of a path, finds no row whose path is written with backslashes, numbers what
is left, and reads neither HDF5 nor likelihoods; so the rows are ours to read, and the skeleton its.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import sleap_io

from vatl_core.errors import InputError
from vatl_core.files import temporary_folder
from vatl_frames import natural
from vatl_sleap_io.grids import Grid, read_csv
from vatl_sleap_io.hdf5_grids import read_hdf5
from vatl_sleap_io.poses import Poses

READERS: Final[Mapping[str, Callable[[Path], Grid | None]]] = {
    ".csv": read_csv, ".h5": read_hdf5, ".hdf": read_hdf5, ".hdf5": read_hdf5
}  # fmt: skip
"""Files that may hold a table, and more."""
ANY: Final = ".*"
"""The suffix of a video that a file names without saying what kind of file it is."""


def read_table(path: Path, least_likelihood: float) -> sleap_io.Labels | None:
    """The labels of a table; one video a folder of pictures, or that of whose frames it is. None where it is no table.

    Args:
        path: the file.
        least_likelihood: below which a predicted point counts as not placed.

    Raises:
        InputError: a picture or frame is there twice.
        ValueError: the table cannot be read.
    """
    grid = READERS[path.suffix.lower()](path)
    if grid is None or not len(grid.index):
        return None
    plan = _skeleton(grid, next((c for p in path.resolve().parents if (c := p / "config.yaml").is_file()), None))
    numbers = _numbers(grid)
    poses = Poses.of(grid, plan.skeletons[0], plan.tracks, least_likelihood, one=numbers is not None)
    frames = _of_pictures(path, grid, poses) if numbers is None else _of_video(path, grid, poses, numbers)
    videos = list({id(frame.video): frame.video for frame in frames}.values())
    return sleap_io.Labels(frames, videos=videos, tracks=poses.named_tracks, skeletons=plan.skeletons)


def _of_pictures(path: Path, grid: Grid, poses: Poses) -> list[sleap_io.LabeledFrame]:
    pictures = [PurePosixPath("/".join(name).replace("\\", "/")) for name in grid.index]
    if strange := [picture for picture in pictures if not picture.suffix]:
        raise ValueError(f"'{strange[0]}' is neither a picture's path nor a frame's number")
    folders: dict[PurePosixPath, list[int]] = {}
    for row in sorted(range(len(pictures)), key=lambda row: natural(pictures[row].name)):
        folders.setdefault(pictures[row].parent, []).append(row)
    frames = []
    for rows in folders.values():
        names = [str(pictures[row]) for row in rows]
        _refuse_twice(path, names, "picture")
        video = sleap_io.Video(filename=names, open_backend=False)
        frames += [poses.frame(row, video, place) for place, row in enumerate(rows)]
    return frames


def _of_video(path: Path, grid: Grid, poses: Poses, numbers: Sequence[int]) -> list[sleap_io.LabeledFrame]:
    """Programs name such a file after the video and who made it: clipDLC_resnet50_….h5, clip_superanimal_….h5."""
    _refuse_twice(path, numbers, "frame")
    scorer = grid.columns[0][0]
    name = path.stem.partition(scorer)[0] if scorer else ""
    name = name if scorer.startswith("DLC") else name.removesuffix("_")
    video = sleap_io.Video(filename=str(path.absolute().with_name((name or path.stem) + ANY)), open_backend=False)
    return [poses.frame(row, video, number) for row, number in enumerate(numbers)]


def _numbers(grid: Grid) -> list[int] | None:
    """The frame that each row is about; None where they are about pictures."""
    found = [re.fullmatch(r"(\d{1,15})(\.0+)?", name[0], re.ASCII) for name in grid.index if len(name) == 1]
    numbers = [int(number[1]) for number in found if number]
    return numbers if len(numbers) == len(grid.index) else None


def _refuse_twice(path: Path, names: Sequence[object], kind: str) -> None:
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{path}: {kind} {name} has two rows: delete one of them")
        seen.add(name)


def _skeleton(grid: Grid, config: Path | None) -> sleap_io.Labels:
    """What sleap-io makes of the headings and of the project's configuration; of a first row that we make up."""
    with temporary_folder() as folder, warnings.catch_warnings():
        warnings.filterwarnings("error", "Failed to parse DLC config", UserWarning)  # its edges would be missing
        (folder / "img0.png").touch()  # it leaves out the rows of a folder of which no picture is there
        heads = [[level, *texts] for level, *texts in zip(grid.levels, *grid.columns, strict=True)]
        copy = folder / "table.csv"
        with copy.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([*heads, [f"{folder}/img0.png", *["0"] * len(grid.columns)]])
        labels: sleap_io.Labels = sleap_io.load_dlc(copy.as_posix(), config=config or False)
    if not labels.skeletons:
        raise ValueError("its headings name no keypoint")
    return labels
