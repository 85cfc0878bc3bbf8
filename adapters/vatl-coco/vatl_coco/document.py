"""An annotation file: read, and found to hold images, annotations and categories that refer to each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_coco.rows import Id, Rows
from vatl_core.errors import InputError

LISTS: Final = ("images", "annotations", "categories")


@attrs.frozen
class Document:
    """What a COCO keypoints file holds.

    Attributes:
        path: the file.
        images: with different ids.
        annotations: with different ids, each on one of ``images``.
        categories: at least one.
        videos: none unless a video tool wrote them.
    """

    path: Path
    images: Rows
    annotations: Rows
    categories: Rows
    videos: Rows

    def video_ids(self) -> dict[str, Id]:
        """The videos by name where the images' ``video_id`` tells several apart; none where the file is one video.

        Raises:
            InputError: an image that belongs to none of them, or two of one name.
        """
        ids = dict.fromkeys(self.images.ids_or_none("video_id"))
        if len(ids) < 2:
            return {}
        names = {video: row.get("name") for video, row in zip(self.videos.ids(), self.videos.objects, strict=True)}
        found = {str(names.get(video) or video): video for video in self.images.ids("video_id")}
        if len(found) < len(ids):
            raise InputError(f"{self.path}: two of its {len(ids)} videos have the same name: give each its own")
        return found

    def of_video(self, video: Id) -> Document:
        """The part that belongs to one of :meth:`video_ids`."""
        images = self.images.take(i for i, v in enumerate(self.images.ids("video_id")) if v == video)
        mine = set(images.ids())
        annotations = self.annotations.take(i for i, v in enumerate(self.annotations.ids("image_id")) if v in mine)
        return attrs.evolve(self, images=images, annotations=annotations)


def read_document(path: Path) -> Document:
    """Read an annotation file.

    Raises:
        InputError: it cannot be read, is no JSON or not COCO keypoints, an id is there twice, or an annotation is on
            an image that is not there.
    """
    content = _parse(path, _read(path))
    _check_fields(path, content)
    rows = {field: _rows(path, field, content.get(field)) for field in (*LISTS, "videos")}
    document = Document(path, **rows)
    _check_references(document)
    return document


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: give the path of the annotations") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: give the path of the annotation file in it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _parse(path: Path, data: bytes) -> Any:
    if not data.strip():
        raise InputError(f"{path} is empty: is it complete?")
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}: {error.msg}"
        if _is_cut_off(error):
            raise InputError(f"{path} ends in the middle ({place}): is the file complete?") from error
        raise InputError(f"{path} is not JSON ({place}): give a COCO keypoints file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not JSON (byte {error.start} is no text): give a COCO keypoints file") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists a thousand deep
        raise InputError(f"{path} is JSON that cannot be read ({error}): correct it") from error


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    """Whether the text stopped making sense where it ends, or in a word, number or string that reaches to its end."""
    text = error.doc.rstrip()
    return error.pos > 0 and (error.pos >= len(text) or text[-1] not in "}]")


def _check_fields(path: Path, content: object) -> None:
    wanted = "COCO keypoints are an object with the lists images, annotations and categories"
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "a single value"
        raise InputError(f"{path} holds {kind}: {wanted}")
    missing = [field for field in LISTS if content.get(field) is None]
    if missing:
        raise InputError(f"{path} has no {' and no '.join(missing)}: {wanted}")


def _rows(path: Path, field: str, value: object) -> Rows:
    """The list ``field`` of the file; an absent one is empty."""
    objects = [] if value is None else value
    if not isinstance(objects, list):
        raise InputError(f"{path}: {field} must be a list of objects")
    for position, row in enumerate(objects):
        if not isinstance(row, dict):
            raise InputError(f"{path}: no. {position + 1} of {field} is no object: {field} must be a list of objects")
    return Rows(path, {"categories": "category"}.get(field, field[:-1]), objects)


def _check_references(document: Document) -> None:
    for field in LISTS:
        if not len(getattr(document, field)):
            raise InputError(f"{document.path} lists no {field}: there is nothing to estimate")
    images = set(document.images.unique_ids())
    document.annotations.unique_ids()
    for position, image in enumerate(document.annotations.ids("image_id")):
        if image not in images:
            raise document.annotations.error(position, f"is on image {image!r}, which is not among images: add it")
