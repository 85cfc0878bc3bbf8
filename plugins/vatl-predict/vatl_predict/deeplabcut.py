"""Tables as DeepLabCut's analysis of a video writes them: a row for each frame, columns under lines of headings.

``scorer``, ``individuals`` where there are several, ``bodyparts`` and ``coords``, which are x, y and likelihood. A
video's rows are called by the frame's number, those of a folder by the picture's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from vatl_core.files import whole, write_whole
from vatl_core.video import Video
from vatl_formats import csv_text
from vatl_frames import PictureFiles
from vatl_predict.frame_names import names_of
from vatl_predict.individuals import Individuals
from vatl_predict.predictions import Predictions

COORDS: Final = ("x", "y", "likelihood")
KEY: Final = "df_with_missing"
"""What DeepLabCut calls the table in its HDF5 files."""
_WHAT: Final = "a table of DeepLabCut"


@attrs.frozen(eq=False)
class Table:
    """A table of R rows and C columns.

    Attributes:
        levels: what each line of headings is about.
        columns: C headings, one text a level.
        index: R names of the rows.
        values: (R, C); NaN where nothing is.
    """

    levels: tuple[str, ...]
    columns: list[tuple[str, ...]]
    index: list[int] | list[str]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, found: Predictions, scorer: str) -> Table:
        """The poses of a video, estimated by ``scorer``."""
        video = found.video
        who = Individuals.of(video, _WHAT)
        several = len(who.names) > 1
        columns = [
            (scorer, *((name,) if several else ()), keypoint, coordinate)
            for name in who.names
            for keypoint in video.skeleton.keypoints
            for coordinate in COORDS
        ]
        levels = ("scorer", *(("individuals",) if several else ()), "bodyparts", "coords")
        return cls(levels, columns, _rows(video), who.cells(found).reshape(len(video.frames), -1))


def _rows(video: Video) -> list[int] | list[str]:
    pictures = isinstance(video.frames, PictureFiles)
    return names_of(video.frames) if pictures else list(range(len(video.frames)))


def check(video: Video) -> None:
    """Make sure that a table can hold this video's instances.

    Raises:
        InputError: it cannot.
    """
    Individuals.of(video, _WHAT)


def write_table(found: Predictions, path: Path, scorer: str) -> Path:
    """As comma-separated values; what is not there is an empty cell."""
    table = Table.of(found, scorer)
    heads = [[level, *texts] for level, *texts in zip(table.levels, *table.columns, strict=True)]
    cells = ([f"{v:.4f}" if v == v else "" for v in row] for row in table.values.tolist())
    rows = ([name, *row] for name, row in zip(table.index, cells, strict=True))
    write_whole(path, csv_text(heads[0], [*heads[1:], *rows]))
    return path


def write_hdf5(found: Predictions, path: Path, scorer: str) -> Path:
    """As HDF5, which pandas writes and reads."""
    import pandas

    table = Table.of(found, scorer)
    columns = pandas.MultiIndex.from_tuples(table.columns, names=table.levels)
    frame = pandas.DataFrame(table.values, columns=columns, index=table.index)
    with whole(path) as beside:
        frame.to_hdf(beside, key=KEY, mode="w")
    return path
