"""The pictures that the images of a file name: picture files, or the frames of one video file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from vatl_coco.headers import check_sizes
from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Frames
from vatl_formats import Indices, NumberedPictures, Numbers, Rows, by_position, missing_files, times_of_names
from vatl_frames import VIDEO_SUFFIXES, VideoFile


@attrs.frozen
class Places:
    """Where a file's I images stand among the pictures; known without looking at a picture.

    Attributes:
        video: the video file that they are frames of; None where they are picture files.
        index: (I,) each image's place among the pictures.
        time: (I,) each image's ``frame_index``; where none has one, its position among the images, or among picture
            files the number in its name.
        size: (I, 2) width and height in pixels, infinite where the file does not tell.
    """

    video: Path | None
    index: Indices
    time: Indices
    size: Numbers


def places_of(images: Rows, source: Path) -> Places:
    """Put the images in order.

    Args:
        images: at least one.
        source: a video file, or the folder that the images' ``file_name`` starts from.

    Raises:
        InputError: an image's frame is negative, not whole or there twice, a video's images are numbered otherwise than
            they stand, or one of several files is a video.
    """
    video = source if exists(source) and not source.is_dir() else _video_named(images, source)
    time, size = _times(images, video is not None), _sizes(images)
    return Places(video, time if video else np.argsort(np.argsort(time)), time, size)


def open_frames(images: Rows, places: Places, source: Path, option: str) -> Frames:
    """Find the pictures.

    Args:
        images: at least one.
        places: theirs.
        source: as for :func:`places_of`.
        option: what names it, for messages.

    Raises:
        InputError: a picture or the video file is missing or no video, an image's frame is beyond the video,
            or a picture is there twice or of another size than the file says.
    """
    if not exists(source):
        raise InputError(f"{source} is neither a folder nor a video file: correct the option {option}")
    if places.video is None:
        files = _picture_paths(images, source, option)
        frames: Frames = _numbered(images, places, files)
    else:
        frames = video = _open_video(images, places.video, option)
        _check_within(images, places.time, video)
    check_sizes(images, places.size, frames, places.index)
    return frames


def _numbered(images: Rows, places: Places, files: Sequence[Path]) -> NumberedPictures:
    order, names = np.argsort(places.index).tolist(), images.texts("file_name")
    numbers = places.time[order].tolist()
    return NumberedPictures(
        [files[i] for i in order], numbers=numbers, begin=numbers[0], names=[names[i] for i in order]
    )


def _times(images: Rows, of_video: bool) -> Indices:
    given = images.whole_numbers_or_none("frame_index")
    if all(time is None for time in given):
        positions = by_position(images) if of_video else times_of_names(images.texts("file_name"))
        return np.array(positions, dtype=np.int64)
    first: dict[int, int] = {}
    for position, time in enumerate(given):
        if time is None:
            raise images.error(position, "has no frame_index, while others have: give it to all or to none")
        if first.setdefault(time, position) != position:
            other = images.objects[first[time]]["id"]
            raise images.error(position, f"has frame_index {time}, which image {other!r} has too: correct one of them")
    return np.array(given, dtype=np.int64)


def _sizes(images: Rows) -> Numbers:
    size = np.stack([images.pixels("width"), images.pixels("height")], axis=1)
    return np.where(size > 0, size, np.inf)


def _video_named(images: Rows, folder: Path) -> Path | None:
    """The one video file that all images name; None where they name pictures."""
    names = images.texts("file_name")
    videos = {name for name in names if Path(name).suffix.lower() in VIDEO_SUFFIXES}
    if not videos:
        return None
    if len(set(names)) > 1:
        raise InputError(
            f"{images.path} names the video {min(videos)} among {len(set(names))} files: a video needs one file, "
            "or images that tell several videos apart by video_id"
        )
    return folder / names[0]


def _open_video(images: Rows, path: Path, option: str) -> VideoFile:
    if not exists(path):
        raise InputError(f"{path}, the video of {images.path}, is not there: give its path as the option {option}")
    return VideoFile(path)


def _check_within(images: Rows, time: Indices, video: VideoFile) -> None:
    beyond = np.flatnonzero(time >= len(video))
    if len(beyond):
        position = int(beyond[0])
        said = f"is frame {time[position]}, but {video.path} has {len(video)} frames, counted from 0"
        raise images.error(position, f"{said}: is it the right video, and complete?")


def _picture_paths(images: Rows, folder: Path, option: str) -> list[Path]:
    paths = [folder / name for name in images.texts("file_name")]
    _refuse_repeated(images, paths)
    missing = missing_files(paths)
    if missing:
        raise InputError(
            f"{len(missing)} of the {len(paths)} pictures of {images.path} are not there, first {missing[0]}: "
            f"give the folder that their file_name starts from as the option {option}"
        )
    return paths


def _refuse_repeated(images: Rows, paths: list[Path]) -> None:
    """Each picture is one image, or the same instances would be there twice: files were merged, or folders mixed up."""
    first: dict[Path, int] = {}
    for position, path in enumerate(paths):
        if (other := first.setdefault(path, position)) != position:
            said = f"is the picture {path}, which image {images.objects[other]['id']!r} is too"
            raise images.error(position, f"{said}: list each picture once, with its folder where names are the same")
