"""What a video's frames are called, and the files that they are in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vatl_core.video import Frames, Video
from vatl_formats import Covered, NumberedPictures
from vatl_frames import PictureFiles, VideoFile


def numbers_of(frames: Frames) -> Sequence[int]:
    """Which frame of their video each is: pictures may be left out between them."""
    return frames.numbers if isinstance(frames, NumberedPictures) else range(len(frames))


def names_of(frames: Frames) -> list[str]:
    """What the data set calls each file, with as much of its folder as tells files of one name apart."""
    if isinstance(frames, NumberedPictures) and frames.names is not None:
        return list(frames.names)
    names = [frames.name(i) for i in range(len(frames))]
    if not isinstance(frames, PictureFiles) or len(set(names)) == len(names):
        return names
    root = os.path.commonpath([path.absolute().parent for path in frames.paths])
    return [path.absolute().relative_to(root).as_posix() for path in frames.paths]


def size_of(video: Video) -> tuple[int, int]:
    """Width and height in pixels of the first frame that somebody is on: others need not be readable."""
    return video.frames.size(int(video.instances.frame[0]))


def files_of(frames: Frames) -> Path | list[Path] | None:
    """The video file, or the pictures in order, by whole paths; None where they are in no file of their own."""
    if isinstance(frames, Covered):
        return files_of(frames.frames)
    if isinstance(frames, PictureFiles):
        return [path.absolute() for path in frames.paths]
    return frames.path.absolute() if isinstance(frames, VideoFile) else None
