"""An annotation file: read, and found to hold images, annotations and categories that refer to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from vatl_core.errors import InputError
from vatl_formats import Id, Rows, read_json

LISTS: Final = ("images", "annotations", "categories")

UNREAD: Final = ("segmentation", "coco_url", "flickr_url", "date_captured", "license")
"""What makes up most of the large files and is of no use here."""


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
        ids = {str(video) for video in self.images.ids_or_none("video_id")}
        if len(ids) < 2:
            return {}
        videos = zip(self.videos.ids(), self.videos.objects, strict=True)
        names = {str(video): row.get("name") for video, row in videos}
        found = {str(names.get(str(video)) or video): video for video in self.images.ids("video_id")}
        if len(found) < len(ids):
            raise InputError(f"{self.path}: two of its {len(ids)} videos have the same name: give each its own")
        return found

    def of_video(self, video: Id) -> Document:
        """The part that belongs to one of :meth:`video_ids`."""
        images = self.images.take(i for i, v in enumerate(self.images.ids("video_id")) if str(v) == str(video))
        mine = set(map(str, images.ids()))
        on = self.annotations.ids("image_id")
        annotations = self.annotations.take(i for i, v in enumerate(on) if str(v) in mine)
        return attrs.evolve(self, images=images, annotations=annotations)


def read_document(path: Path) -> Document:
    """Read an annotation file.

    Raises:
        InputError: it cannot be read, is no JSON or not COCO keypoints, an id is there twice, or an annotation is on
            an image that is not there.
    """
    content = read_json(path, "a COCO keypoints file", UNREAD)
    _check_fields(path, content)
    kinds = dict.fromkeys((*LISTS, "videos"), "") | {"categories": "category"}
    document = Document(path, **{field: Rows.listed(path, field, content.get(field), k) for field, k in kinds.items()})
    _check_references(document)
    return document


def _check_fields(path: Path, content: object) -> None:
    wanted = "COCO keypoints are an object with the lists images, annotations and categories"
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "a single value"
        raise InputError(f"{path} holds {kind}: {wanted}")
    missing = [field for field in LISTS if content.get(field) is None]
    if missing:
        raise InputError(f"{path} has no {' and no '.join(missing)}: {wanted}")


def _check_references(document: Document) -> None:
    for field in LISTS:
        if not len(getattr(document, field)):
            raise InputError(f"{document.path} lists no {field}: there is nothing to estimate")
    images = set(map(str, document.images.unique_ids()))  # ids that read the same are the same: 7 and "7"
    document.annotations.unique_ids()
    for position, image in enumerate(document.annotations.ids("image_id")):
        if str(image) not in images:
            raise document.annotations.error(position, f"is on image {image!r}, which is not among images: add it")
