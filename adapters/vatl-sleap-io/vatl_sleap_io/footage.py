"""The pictures of a project's video: a video file, picture files, or what is stored in the project itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import escape
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

import attrs
import numpy as np
import sleap_io
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Frames
from vatl_formats import NumberedPictures, frames_of_names
from vatl_frames import VIDEO_SUFFIXES, PictureFiles, VideoFile
from vatl_sleap_io.tables import ANY

STORES: Final = frozenset({".h5", ".hdf5", ".seq", ".slp", ".tif", ".tiff"})
"""What sleap-io itself must read."""


@attrs.frozen(eq=False)
class Stored(Frames):
    """Pictures within a file of another program.

    Attributes:
        video: as sleap-io knows it.
        numbers: the numbers of its frames there, ascending.
    """

    video: sleap_io.Video
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def read(self, index: int) -> Tensor:
        number = self.numbers[index]
        try:
            picture = np.ascontiguousarray(self.video[number])
        except Exception as error:  # whatever its readers stumble over
            raise InputError(f"{self.video.filename}: frame {number} cannot be read ({error})") from error
        if picture.dtype != np.uint8 or picture.ndim != 3:
            raise InputError(f"{self.video.filename}: frame {number} is {picture.dtype}: pictures of 8 bits are needed")
        colours = torch.from_numpy(picture).permute(2, 0, 1)
        return colours.expand(3, -1, -1).contiguous() if len(colours) == 1 else colours[:3]


@attrs.frozen
class Footage:
    """A video's pictures, and which of them a frame of the project is.

    Attributes:
        frames: the pictures.
        numbers: the project's number of each, ascending; None where they are counted alike.
    """

    frames: Frames
    numbers: Sequence[int] | None = None

    def places(self, numbers: Sequence[int]) -> list[int]:
        """The place of each of these frames of the project; −1 where it has no picture."""
        own = range(len(self.frames)) if self.numbers is None else self.numbers
        place = {number: i for i, number in enumerate(own)}
        return [place.get(number, -1) for number in numbers]


@attrs.frozen
class Search:
    """Where a project's pictures are looked for.

    Attributes:
        project: the project's file, beside which moved files are looked for.
        where: the video file, or a folder to look in instead.
        outside: whether the project may name what does not lie below its folder; None for by absolute paths alone.
    """

    project: Path
    where: Path | None = None
    outside: bool | None = None

    def found(self, stored: Path) -> Path:
        """Where a file lies that the project names, perhaps on another machine.

        Raises:
            InputError: nowhere, or where the project must not lead.
        """
        folder = self.where or self.project.parent
        moved = [folder / parent / stored.name for parent in (stored.parent.name, "") if parent != ".."]
        if self.where is None:  # tables of pictures lie up to three folders below what their paths begin at
            above = [self.project.parents[i] / stored for i in range(min(3, len(self.project.parents)))]
            candidates = moved if self._leads_out(stored) else [stored, *above, *moved]
        else:
            candidates = moved
        for path in candidates:
            if there := _there(path):
                return there
        raise self._lost(stored)

    def _leads_out(self, stored: Path) -> bool:
        if self.outside or (".." not in stored.parts and (self.outside is None or not stored.is_absolute())):
            return False
        folder = os.path.normpath(self.project.parent.absolute())
        return not Path(os.path.normpath(folder / stored)).is_relative_to(folder)

    def _lost(self, stored: Path) -> InputError:
        searched = f"in {self.where}" if self.where else "there or beside the project"
        way = "give the video file, or the folder that holds it, as the option frames"
        if self.where is None and self._leads_out(stored):
            way += f", or allow what does not lie below {self.project.parent} with outside=true"
        return InputError(f"{self.project} is about {stored}, which is not {searched}: {way}")


def open_footage(video: sleap_io.Video, search: Search) -> Footage:
    """Find a video's pictures.

    Args:
        video: of the project.
        search: where to look.

    Raises:
        InputError: they are not there or cannot be read.
    """
    project, where = search.project, search.where
    if where is not None and not exists(where):
        raise InputError(f"{where} is neither a folder nor a video file: correct the option frames")
    if where is not None and not where.is_dir():
        return _in_video(video, project, where)
    if isinstance(video.filename, list):
        files = [search.found(Path(name)) for name in video.filename]
        return _pictures(files, video.filename, numbers_of(video))
    stored = Path(video.filename)
    if stored.suffix.lower() == ".slp" and where is not None and video.original_video is not None:
        return open_footage(video.original_video, search)
    path = project if stored.suffix.lower() == ".slp" else search.found(stored)
    return _stored(video, path) if path.suffix.lower() in STORES else Footage(VideoFile(path))


def _pictures(files: list[Path], names: list[str], numbers: list[int] | None) -> Footage:
    if numbers is None:
        return Footage(PictureFiles(files))
    order = sorted(range(len(files)), key=numbers.__getitem__)  # programs list img10.png before img2.png
    frames, ascending = [files[i] for i in order], sorted(numbers)
    elsewhere = any(PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute() for name in names)
    called = None if elsewhere else [names[i] for i in order]
    return Footage(NumberedPictures(frames, numbers=ascending, names=called), ascending)


def numbers_of(video: sleap_io.Video) -> list[int] | None:
    """The frame that each picture of a list of files is, by its name; None where names do not tell."""
    return frames_of_names(video.filename) if isinstance(video.filename, list) else None


def _in_video(video: sleap_io.Video, project: Path, file: Path) -> Footage:
    if isinstance(video.filename, list) and numbers_of(video) is None:
        first = Path(video.filename[0]).name
        raise InputError(
            f"{project} is about pictures whose names do not say which frames of {file} they are (first: {first}): "
            "give the folder that holds them as the option frames"
        )
    return Footage(VideoFile(file))


def _there(path: Path) -> Path | None:
    """The file of this name; where the name leaves its kind open, the only video that is called so."""
    if path.suffix != ANY:
        return path if exists(path) and path.is_file() else None
    found = [file for file in sorted(path.parent.glob(f"{escape(path.stem)}.*")) if _is_video(file, path.stem)]
    if len(found) > 1:
        raise InputError(f"{found[0]} and {found[1].name} may both be meant: give the right one as the option frames")
    return found[0] if found else None


def _is_video(file: Path, stem: str) -> bool:
    return file.stem == stem and file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()


def _stored(video: sleap_io.Video, path: Path) -> Footage:
    try:
        opened = sleap_io.Video.from_filename(path.as_posix(), dataset=video.backend_metadata.get("dataset"))
        numbers = sorted(getattr(opened.backend, "embedded_frame_inds", [])) or range(len(opened))
    except Exception as error:  # whatever its readers stumble over
        raise InputError(f"{path}: its pictures cannot be read ({error})") from error
    return Footage(Stored(opened, numbers), numbers)
