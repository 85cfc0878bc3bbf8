"""Where files go: what they are called, and whether they can be written there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import attrs

from vatl_core.config import path_component
from vatl_core.errors import InputError
from vatl_predict.formats import FORMATS

LONGEST: Final = 150
"""Bytes of a video's name that files are called by: they may have 255, with all that is added to it."""


@attrs.frozen
class Place:
    """Where the files of one video go.

    Attributes:
        folder: which they lie in.
        video: what the video is called.
        scorer: who estimates.
        prefix: what the names of files begin with.
    """

    folder: Path
    video: str
    scorer: str
    prefix: str = ""

    def of(self, format: str) -> Path:
        """The file of a format."""
        named = {"prefix": self.prefix, "video": self.video, "scorer": self.scorer}
        return self.folder / FORMATS[format].file.format(**named)

    @property
    def overlay(self) -> Path:
        """The video with the poses drawn over it."""
        return self.folder / f"{self.prefix}overlay.mp4"


def scorer_of(estimator: str) -> str:
    """How an estimator signs: DeepLabCut's tools take what begins so for a network's name."""
    return f"DLC_vatl_{path_component(estimator)}"


def called(video: str) -> str:
    """A video's name as a part of files' names, which may not be as long as names may."""
    return path_component(video).encode()[:LONGEST].decode(errors="ignore")


def named_apart(folder: Path, videos: Iterable[str], scorer: str) -> list[Place]:
    """Places for several videos, each by its own name; those called alike are numbered."""
    names = [called(name) for name in videos]
    taken, seen = {name.casefold() for name in names}, Counter[str]()
    places = []
    for name in names:
        seen[name.casefold()] += 1
        own = name
        while (number := seen[name.casefold()]) > 1 and (own := f"{name}-{number}").casefold() in taken:
            seen[name.casefold()] += 1
        taken.add(own.casefold())
        places.append(Place(folder, own, scorer, f"{own}."))
    return places


def check_writable(folder: Path, files: Sequence[Path]) -> None:
    """Make sure that these files can be written into a folder, which need not be there yet.

    Raises:
        InputError: they cannot; none has been touched.
    """
    for file in files:
        if file.is_dir():
            raise InputError(f"{file} is to be written and is a folder: remove it, or give another --out")
        if file.exists() and not file.stat().st_mode & 0o222:
            raise InputError(f"{file} is to be written and is write-protected: give another --out")
    try:
        with TemporaryFile(dir=next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())):
            pass
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}): give another folder as --out") from error
