"""Videos kept as numbered picture files, with a file that says which individual is where in them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Instances, Skeleton, Video
from vatl_formats.json_files import read_json
from vatl_formats.picture_times import NumberedPictures
from vatl_formats.rows import Id, Indices, Mask, Numbers, Rows
from vatl_formats.sieve import Sieve, again, clipped, kinds, numbered
from vatl_frames import picture_size


@attrs.frozen
class Pictures:
    """F picture files of one size, in order of time.

    Attributes:
        images: what the annotation file says about each.
        number: (F,) that each is named by: its place in time.
        paths: F files.
    """

    images: Rows
    number: Indices
    paths: Sequence[Path]

    @classmethod
    def of(cls, images: Rows, paths: Sequence[Path], number: Indices, taken: Mask, sieve: Sieve) -> Pictures:
        """Those of I pictures that are (I,) ``taken``, in order of (I,) ``number``.

        Raises:
            InputError: one is there twice, and ``sieve``, of the pictures, is not lenient.
        """
        names = kinds(images.ids())

        def twice(position: int) -> InputError:
            return images.error(position, f"({paths[position].name}) is there twice: correct one of them")

        sieve.refuse(again(names) | again(number), "picture listed twice", twice)
        order = np.flatnonzero(sieve.kept & taken)
        order = order[np.argsort(number[order], kind="stable")]
        return cls(images.take(order), number[order], [paths[i] for i in order.tolist()])

    def __len__(self) -> int:
        return len(self.paths)

    def size(self) -> tuple[float, float]:
        """Width and height in pixels, from the header of the first file; infinite where none of them is there."""
        path = next((path for path in self.paths if path.is_file()), None)
        return picture_size(path) if path else (np.inf, np.inf)

    def frames(self, there: Mask) -> NumberedPictures:
        """Those that (F,) are ``there``."""
        index, names = np.flatnonzero(there).tolist(), self.images.texts("file_name")
        numbers = self.number[there].tolist()
        paths = [self.paths[i] for i in index]
        begin = numbers[0] if numbers else 0
        return NumberedPictures(paths, numbers=numbers, begin=begin, names=[names[i] for i in index])

    def missing(self) -> Mask:
        """(F,) whether the file is not there."""
        gone = set(missing_files(self.paths))
        return np.array([path in gone for path in self.paths], dtype=np.bool_)


@attrs.frozen
class Annotations:
    """n annotations of individuals.

    Attributes:
        rows: as they stand in the file, for messages.
        ids: n strings, what the data set calls each.
        image: (n,) index into the pictures that are taken.
        track: n ids of individuals; a number may stand as text.
        boxes: (n, 4) x, y, w, h, pixels, of any extent.
        keypoints: (n, K, 2) pixels.
        visible: (n, K) bool.
    """

    rows: Rows
    ids: Sequence[str]
    image: Indices
    track: Sequence[Id]
    boxes: Numbers
    keypoints: Numbers
    visible: Mask

    def take(self, index: Indices) -> Annotations:
        """Those at (m,) ``index``."""
        ids, track = [self.ids[i] for i in index], [self.track[i] for i in index]
        columns = (self.boxes[index], self.keypoints[index], self.visible[index])
        return Annotations(self.rows.take(index), ids, self.image[index], track, *columns)


@attrs.frozen
class Reading:
    """What a data set's files say about one video.

    Attributes:
        path: of the annotations.
        pictures: that are taken.
        people: annotations on them.
        sieve: of these annotations, with what has been dropped before.
        least: how many visible keypoints an instance must have.
    """

    path: Path
    pictures: Pictures
    people: Annotations
    sieve: Sieve
    least: int

    def poses(self) -> Instances:
        """The instances; no picture is decoded, and none need be there.

        Boxes are clipped to the picture. An instance counts when its box has an area then and enough of its
        keypoints are visible; the rest is counted in ``sieve``. To be called once.

        Raises:
            InputError: a track is in a picture twice, and the sieve is not lenient.
        """
        people, sieve = self.people, self.sieve
        boxes = clipped(people.boxes, *self.pictures.size())
        sieve.drop(people.visible.sum(axis=1) < self.least, _too_few(self.least))
        sieve.drop(np.any(boxes[:, 2:].astype(np.float32) <= 0, axis=1), "box without area in the picture")
        tracks = [int(track) if isinstance(track, str) and track.isdecimal() else track for track in people.track]
        number = numbered(tracks)
        track = np.array([number[name] for name in tracks], dtype=np.int64)
        self._refuse_twice(track)
        return _instances(attrs.evolve(people, boxes=boxes), track, self.pictures.number, sieve.left)

    def video(self, name: str, skeleton: Skeleton) -> Video:
        """The video with its pictures, whose files must be there.

        Raises:
            InputError: as :meth:`poses`, or a picture is missing and the sieve is not lenient, or nobody is left.
        """
        if not len(self.pictures):
            raise InputError(f"{self.path}: none of its pictures is among the frames asked for: ask for others")
        missing = self.pictures.missing()
        if missing.any() and not self.sieve.lenient:
            first = int(np.argmax(missing))
            raise InputError(
                f"{self.path}: {int(missing.sum())} of its {len(missing)} pictures are not there, first image "
                f"{self.pictures.images.ids()[first]!r}, {self.pictures.paths[first]}: is the data set complete?"
            )
        self.sieve.drop(missing[self.people.image], "picture missing")
        instances = self.poses()
        place = torch.from_numpy(np.cumsum(~missing) - 1)
        instances = attrs.evolve(instances, frame=place[instances.frame])
        return Video(name, skeleton, self.pictures.frames(~missing), instances, dict(self.sieve.dropped))

    def _refuse_twice(self, track: Indices) -> None:
        people, kept = self.people, self.sieve.left
        twice = np.zeros(len(track), dtype=np.bool_)
        twice[kept] = again(people.image[kept], track[kept])

        def error(position: int) -> InputError:
            seen = self.pictures.images.ids()[people.image[position]]
            said = f"is of track {people.track[position]!r} on image {seen!r}, as is another"
            return people.rows.error(position, f"{said}: a track is in a picture once, correct one of them")

        self.sieve.refuse(twice, "track twice in a picture", error)


def images_and_annotations(path: Path, called: str) -> tuple[Rows, Rows]:
    """The two lists that a file is made of; annotations may be none.

    Args:
        path: the file.
        called: what such a file is called, for messages.

    Raises:
        InputError: it cannot be read, or has other contents.
    """
    content = read_json(path, called)
    if not isinstance(content, dict) or not all(isinstance(content.get(f), list) for f in ("images", "annotations")):
        raise InputError(f"{path}: {called} is an object with the lists images and annotations")
    images, annotations = (Rows.listed(path, field, content[field]) for field in ("images", "annotations"))
    if not len(images):
        raise InputError(f"{path} lists no images: is it complete?")
    return images, annotations


def frame_numbers(images: Rows) -> Indices:
    """(I,) the number that each image's file is named by.

    Raises:
        InputError: a file is not named by a number.
    """
    numbers = []
    for position, name in enumerate(images.texts("file_name")):
        stem = Path(name).stem
        if not re.fullmatch(r"\d{1,15}", stem, re.ASCII):
            raise images.error(position, f"has file_name {name!r}: a picture is named by number, such as 000041.jpg")
        numbers.append(int(stem))
    return np.array(numbers, dtype=np.int64)


def on_pictures(rows: Rows, images: Rows, pictures: Pictures, sieve: Sieve) -> tuple[Rows, Indices]:
    """The annotations on the pictures that are taken, and (n,) which of them each is on.

    Args:
        rows: annotations with an ``image_id``.
        images: all that are listed.
        pictures: those of them that are taken.
        sieve: of the annotations.

    Raises:
        InputError: an annotation is on an image that is not listed, and the sieve is not lenient.
    """
    on, listed = rows.ids("image_id"), set(map(str, images.ids()))

    def on_a_stranger(position: int) -> InputError:
        return rows.error(position, f"is on image {on[position]!r}, which is not among images")

    strangers = np.array([str(image) not in listed for image in on], dtype=np.bool_)
    sieve.refuse(strangers, "on a picture that is not listed", on_a_stranger)
    place = {str(image): i for i, image in enumerate(pictures.images.ids())}
    image = np.array([place.get(str(name), -1) for name in on], dtype=np.int64)
    taken = np.flatnonzero(sieve.kept & (image >= 0))
    return rows.take(taken), image[taken]


def keypoints_of(rows: Rows, count: int) -> tuple[Numbers, Mask]:
    """(n, K, 2) pixels, and (n, K) whether each is visible, from x, y, v triples; none of an absent or empty list.

    Raises:
        InputError: a list of another length or with something else than numbers, or a v that is none of 0, 1, 2.
    """
    numbers, _ = rows.without_empty("keypoints").pixel_lists("keypoints", 3 * count, f"{count} times x, y, v")
    triples = numbers.reshape(-1, count, 3)
    strange = ~np.isin(triples[..., 2], (0, 1, 2)).all(axis=1)
    if strange.any():
        raise rows.error(int(np.argmax(strange)), "has keypoints whose v is none of 0, 1, 2")
    return triples[..., :2], triples[..., 2] > 0


def _too_few(least: int) -> str:
    return "no visible keypoint" if least == 1 else f"fewer than {least} visible keypoints"


def _instances(people: Annotations, track: Indices, number: Indices, kept: Indices) -> Instances:
    """Those at ``kept`` in order of time, then of the file; neighbours follow from time, in which there are gaps."""
    order = kept[np.argsort(people.image[kept], kind="stable")]
    chosen = people.take(order)
    instances = Instances.of(
        torch.from_numpy(number[chosen.image]),
        torch.from_numpy(track[order]),
        _tensor(chosen.boxes),
        tuple(chosen.ids),
        _tensor(chosen.keypoints),
        torch.from_numpy(chosen.visible),
    )
    return attrs.evolve(instances, frame=torch.from_numpy(chosen.image))


def _tensor(numbers: Numbers) -> Tensor:
    return torch.from_numpy(numbers.astype(np.float32))


def missing_files(paths: Sequence[Path]) -> list[Path]:
    """Those that are no files; a folder is listed once, for a question a file takes minutes on a network drive."""
    listed: dict[Path, set[str]] = {}
    for folder in dict.fromkeys(path.parent for path in paths):
        try:
            with os.scandir(folder) as entries:
                listed[folder] = {entry.name for entry in entries}
        except (OSError, ValueError):
            listed[folder] = set()
    return [path for path in paths if path.name not in listed[path.parent] and not exists(path)]
