"""Frames of whatever files a script or a data set has: a video, a folder of pictures, pictures one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Frames
from vatl_frames.file_names import PICTURE_SUFFIXES, pictures_in
from vatl_frames.picture_files import PictureFiles
from vatl_frames.video_file import VideoFile


def opened(source: str | Path | Sequence[str | Path]) -> Frames:
    """Frames of a video file, of a folder's pictures in the order of their names and the numbers in them, or of files.

    Raises:
        InputError: there are none, or files are missing.
    """
    if not isinstance(source, str | Path):
        return _of_files([Path(entry).expanduser() for entry in source], None)
    path = Path(source).expanduser()
    if not path.is_dir():
        return VideoFile(path)
    return _of_files(pictures_in(path), path)


def _of_files(files: Sequence[Path], folder: Path | None) -> PictureFiles:
    if not files:
        suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
        raise InputError(f"{folder} holds no pictures ({suffixes})" if folder else "no pictures were given")
    if missing := [file for file in files if not exists(file)]:
        raise InputError(f"{len(missing)} of {len(files)} pictures are missing: {missing[0]} is no file")
    return PictureFiles(files)
