"""Annotations as a video's instances: what is kept, what is dropped and why."""

from __future__ import annotations

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from vatl_coco.by_hand import PREDICTED, Makers, once
from vatl_coco.document import Document
from vatl_coco.pictures import Places
from vatl_coco.repeated import REPEATED, repeated
from vatl_coco.training import for_training
from vatl_core.errors import InputError
from vatl_core.video import Instances, Skeleton, boxes_around
from vatl_formats import (
    Indices,
    Mask,
    Numbers,
    Rows,
    Sieve,
    at_least,
    neighbours_in_time,
    numbered,
    of_another,
    with_tracks,
)


def instances_of(
    document: Document,
    skeleton: Skeleton,
    places: Places,
    training: bool = False,
    extent: float | None = None,
    predicted: str = PREDICTED[0],
) -> tuple[Instances, dict[str, int], dict[int, str] | None]:
    """The instances in order of frame, then of the file, what was dropped, and who labelled which by hand, if it tells.

    Args:
        document: what holds them.
        skeleton: of its first category with keypoints.
        places: of its images.
        training: whether to keep only what :func:`for_training` does.
        extent: pixels that a side of a box around keypoints has at least; None for boxes as they are.
        predicted: one of :data:`PREDICTED`.

    Raises:
        InputError: a value that cannot be used, one track twice in a frame, somebody labelled twice, or nothing left.
    """
    dropped: dict[str, int] = {}
    rows = _of_category(document, dropped)
    image = _images(document, rows)
    keypoints, visible, known = _keypoints(rows, len(skeleton))
    boxes, sieve = _boxes(rows, keypoints, visible, places.size[image], dropped, extent)
    makers = Makers.none(rows) if training else Makers.of(rows, visible)
    again = _again(rows, makers, image, boxes, keypoints)
    if training:
        boxes = for_training(rows, visible, boxes, places.size[image], sieve)
    sieve.drop(again, REPEATED)
    once(rows, makers, image, boxes, sieve, predicted)
    kept = np.flatnonzero(sieve.kept)
    if not len(kept):
        raise _empty(document, dropped, len(skeleton) == 1 and extent is None)
    if predicted != "truth" and makers.by_hand[kept].any():
        visible, known = visible & ~makers.predicted[:, None], known & ~makers.predicted
    order = kept[np.argsort(places.time[image[kept]], kind="stable")]
    poses = keypoints[order], visible[order], known[order]
    instances = _in_order(rows.take(order), image[order], boxes[order], poses, places)
    people = [makers.people[place] if known[place] else None for place in order.tolist()]
    by = {i: who for i, who in enumerate(people) if who is not None}
    return instances, dropped, by if makers.tell else None


def _again(rows: Rows, makers: Makers, image: Indices, boxes: Numbers, keypoints: Numbers) -> Mask:
    """(N,) bool, which repeat another; of two that are the same, what is by hand stays."""
    first = np.argsort(~makers.by_hand, kind="stable")
    again = np.zeros(len(rows), dtype=np.bool_)
    again[first] = repeated(rows.take(first), image[first], boxes[first], keypoints[first])
    return again


def _empty(document: Document, dropped: dict[str, int], alone: bool) -> InputError:
    """What to say where everything was dropped; ``alone``: boxes lie around a single keypoint."""
    reasons = "".join(f"; {count} dropped: {reason}" for reason, count in dropped.items())
    remedy = "give boxes around its one keypoint an extent in pixels, -o dataset.extent=…" if alone else ""
    return InputError(f"{document.path} has no instances to estimate{reasons}: {remedy or 'check its annotations'}")


def _in_order(
    rows: Rows, image: Indices, boxes: Numbers, poses: tuple[Numbers, Mask, Mask], places: Places
) -> Instances:
    """The instances of rows in order of time, each of an image; poses are keypoints, visible and known.

    Neighbours follow from time, in which picture files may leave gaps that their places in the list do not show.
    """
    track, (keypoints, visible, known) = _tracks(rows), poses
    _check_tracks(rows, image, track)
    # of boxes alone, which many programs write with keypoints of zeros, nobody knows the poses
    truth = (_tensor(keypoints), torch.from_numpy(visible), torch.from_numpy(known)) if visible.any() else ()
    time = torch.from_numpy(places.time[image])
    instances = Instances.of(time, torch.from_numpy(track), _tensor(boxes), tuple(map(str, rows.ids())), *truth)
    previous, following = neighbours_in_time(instances.frame, instances.track)
    frame = torch.from_numpy(places.index[image])
    return attrs.evolve(instances, frame=frame, previous=previous, next=following)


def _tensor(numbers: Numbers) -> torch.Tensor:
    return torch.from_numpy(numbers.astype(np.float32))


def _of_category(document: Document, dropped: dict[str, int]) -> Rows:
    """The annotations of single instances of the category with keypoints: only they must have its keypoints."""
    rows = document.annotations
    sieve = Sieve.of(len(rows), dropped)
    sieve.drop(*of_another(rows, document.categories))
    sieve.drop(rows.flags("iscrowd"), "marked as a crowd")
    return with_tracks(rows.take(np.flatnonzero(sieve.kept)))


def _images(document: Document, rows: Rows) -> Indices:
    """(n,) position of each annotation's image."""
    position = {str(image): i for i, image in enumerate(document.images.ids())}
    return np.array([position[str(image)] for image in rows.ids("image_id")], dtype=np.int64)


def _keypoints(rows: Rows, count: int) -> tuple[Numbers, Mask, Mask]:
    """(n, K, 2) pixels, (n, K) whether each is annotated, and (n,) whether there is any list, not an empty one."""
    expected = f"{count} times x, y, v, with 0 0 0 for a keypoint that is not annotated"
    numbers, given = rows.without_empty("keypoints").pixel_lists("keypoints", 3 * count, expected)
    triples = numbers.reshape(-1, count, 3)
    sound = np.isin(triples[..., 2], (0, 1, 2)).all(axis=1)
    if not sound.all():
        position = int(np.argmin(sound))
        raise rows.error(position, "has keypoints whose v is none of 0 (not annotated), 1 (hidden), 2 (visible)")
    return triples[..., :2], triples[..., 2] > 0, given


def _boxes(
    rows: Rows, keypoints: Numbers, visible: Mask, size: Numbers, dropped: dict[str, int], extent: float | None
) -> tuple[Numbers, Sieve]:
    """(n, 4) x, y, w, h in pixels, from the keypoints where there is no box, and which of them can be used."""
    boxes, given = rows.without_empty("bbox").pixel_lists("bbox", 4, "x, y, width, height")
    sieve = Sieve.of(len(rows), dropped)
    sieve.drop(~given & ~visible.any(axis=1), "neither a box nor an annotated keypoint")
    if extent is not None:  # tools write boxes of one keypoint without area
        given &= (boxes[:, 2:] > 0).all(axis=1) | ~visible.any(axis=1)
    around = boxes_around(torch.from_numpy(keypoints[~given]), torch.from_numpy(visible[~given]))
    boxes[~given] = at_least(around.numpy(), extent)
    sieve.drop(np.any(boxes[:, 2:].astype(np.float32) <= 0, axis=1), "box without area")
    outside = (boxes[:, :2] >= size) | (boxes[:, :2] + boxes[:, 2:] <= 0)
    sieve.drop(np.any(outside, axis=1), "box outside of the picture")
    return boxes, sieve


def _tracks(rows: Rows) -> NDArray[np.int64]:
    """(n,) number of each instance's track: its id where all are numbers, else counted; its own where it has none."""
    given = rows.ids_or_none("track_id")
    numbers = numbered(track for track in given if track is not None)
    own = max(numbers.values(), default=-1) + 1
    return np.array(
        [own + i if track is None else numbers[track] for i, track in enumerate(given)],
        dtype=np.int64,
    )


def _check_tracks(rows: Rows, image: Indices, track: Indices) -> None:
    """Nobody is in a picture twice."""
    order = np.lexsort((track, image))
    again = (np.diff(image[order]) == 0) & (np.diff(track[order]) == 0)
    if again.any():
        first, second = (int(order[int(np.argmax(again)) + i]) for i in (0, 1))
        other, seen = rows.objects[first]["id"], rows.objects[second]["image_id"]
        said = f"is of track {rows.objects[second]['track_id']!r} on image {seen!r}, as is annotation {other!r}"
        raise rows.error(second, f"{said}: a track is in a frame once, correct one of them")
