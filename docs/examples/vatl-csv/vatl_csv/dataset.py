"""A folder of frames with a CSV of points."""

from __future__ import annotations

import csv
from pathlib import Path

import attrs
from vatl_core import Dataset, InputError, Skeleton, Video
from vatl_frames import opened

PICTURES = (".jpeg", ".jpg", ".png")


@attrs.frozen
class CsvFolder(Dataset):
    """One video: the folder's pictures in the order of their names.

    Attributes:
        folder: of the pictures.
        points: the CSV; ``points.csv`` in the folder if not given.
    """

    folder: Path
    points: Path | None = None

    def videos(self) -> list[str]:
        return [self.folder.resolve().name]

    def load(self, name: str) -> Video:
        if name not in self.videos():
            raise InputError(f"{self.folder} is one video: {self.videos()[0]}, and '{name}' was asked for")
        file = self.points or self.folder / "points.csv"
        try:
            found = [path for path in self.folder.iterdir() if path.suffix.lower() in PICTURES]
            pictures = sorted(found, key=lambda path: (len(path.name), path.name))  # 2.png before 10.png
            rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
        keypoints = [column[:-2] for column in (rows[0] if rows else {}) if column and column.endswith("_x")]
        number = {picture.name: i for i, picture in enumerate(pictures)}
        tracks = {track: i for i, track in enumerate(dict.fromkeys(row.get("track") for row in rows))}
        frame, points = [], []
        for line, row in enumerate(rows, start=2):
            try:
                if None in row or None in row.values():
                    raise ValueError("not as many fields as in the first line")
                points.append([[float(row[f"{k}_{axis}"] or "nan") for axis in "xy"] for k in keypoints])
                frame.append(number[row["frame"]])
            except ValueError as error:
                raise InputError(f"{file}, line {line}: {error}") from error
            except KeyError as error:
                raise InputError(f"{file}, line {line}: there is no picture or column {error}") from error
        if not points or not keypoints:
            raise InputError(f"{file} has no points: columns frame, track and NAME_x, NAME_y are expected")
        who = [tracks[row.get("track")] for row in rows]
        where = {"frame": frame, "track": who, "keypoints": points}
        return Video.of(opened(pictures), None, Skeleton(name, keypoints), **where, name=name)
