"""What a labelling tool is asked: kept beside the task, so that an answer is held to what was really written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import cattrs

from vatl_core.contracts import Request
from vatl_core.files import write_whole
from vatl_core.video import Pair, Skeleton
from vatl_oracles.files.names import clean, told_apart

RECORD: Final = "asked.json"
"""The task's own file in its folder."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Size = tuple[int, int]


@attrs.frozen
class Item:
    """One instance that is asked for.

    Attributes:
        name: what it is recognised by; unique in the task.
        index: of the instance.
        frame, track: where in the video, and which individual.
        box: x, y, width, height in pixels.
        proposal: K points in pixels that the annotator begins with, inside of the picture.
        score: mean of the heatmaps' maxima there.
        picture: file name of its frame.
        size: width and height of the frame in pixels.
    """

    name: str
    index: int
    frame: int
    track: int
    box: Box
    proposal: tuple[Point, ...]
    score: float
    picture: str
    size: Size


@attrs.frozen
class Task:
    """One cycle's query as a labelling tool sees it.

    Attributes:
        title: run and cycle.
        format: of its files.
        path: of its folder, from the folder of run directories.
        skeleton: what a pose is called.
        keypoints: K names, told apart.
        edges: pairs of keypoints.
        sides: K times left, right or middle.
        query: everything the cycle asks for.
        items: what of it was not answered when the task was written.
    """

    title: str
    format: str
    path: str
    skeleton: str
    keypoints: tuple[str, ...]
    edges: tuple[Pair, ...]
    sides: tuple[str, ...]
    query: tuple[int, ...]
    items: tuple[Item, ...]

    @classmethod
    def of(cls, request: Request, format: str, folder: Path, sizes: Mapping[int, Size]) -> Task:
        """The task of a request.

        Args:
            request: what is asked.
            format: of the files.
            folder: in which they are going to be.
            sizes: width and height of the frames that are asked about.
        """
        skeleton, run = request.video.skeleton, request.folder.absolute().parents[1]
        return cls(
            title=clean(f"{run.name}, cycle {request.cycle + 1}"),
            format=format,
            path=folder.absolute().relative_to(run.parent).as_posix(),
            skeleton=clean(skeleton.name),
            keypoints=told_apart(skeleton.keypoints),
            edges=skeleton.edges,
            sides=_sides(skeleton),
            query=tuple(request.query.tolist()),
            items=_items(request, sizes),
        )

    @classmethod
    def read(cls, folder: Path) -> Task | None:
        """The task in a folder; None where it has no readable one."""
        try:
            return cattrs.structure(json.loads((folder / RECORD).read_text("utf-8")), cls)
        except (OSError, ValueError, cattrs.BaseValidationError):
            return None

    def write(self, folder: Path) -> None:
        """Keep the task in its folder."""
        write_whole(folder / RECORD, json.dumps(cattrs.unstructure(self), indent=1))

    def pictures(self) -> dict[str, list[Item]]:
        """The items of each picture, in order of time."""
        found: dict[str, list[Item]] = {}
        for item in sorted(self.items, key=lambda item: item.frame):
            found.setdefault(item.picture, []).append(item)
        return found


def picture_name(frame: int) -> str:
    """The file name of a frame's picture."""
    return f"{frame:06d}.jpg"


def _items(request: Request, sizes: Mapping[int, Size]) -> tuple[Item, ...]:
    instances, index = request.video.instances, request.indices
    columns = zip(
        told_apart(instances.ids[i] for i in index.tolist()),
        index.tolist(),
        instances.frame[index].tolist(),
        instances.track[index].tolist(),
        instances.boxes[index].double().tolist(),
        request.proposals.double().tolist(),
        request.scores.double().mean(1).tolist(),
        strict=True,
    )
    return tuple(
        Item(
            name=name,
            index=i,
            frame=frame,
            track=track,
            box=(box[0], box[1], box[2], box[3]),
            proposal=tuple(_inside((x, y), sizes[frame]) for x, y in points),
            score=score,
            picture=picture_name(frame),
            size=sizes[frame],
        )
        for name, i, frame, track, box, points, score in columns
    )


def _inside(point: Point, size: Size) -> Point:
    """The nearest point of the picture: labelling tools let nobody put a keypoint outside of it."""
    return min(max(point[0], 0.0), float(size[0])), min(max(point[1], 0.0), float(size[1]))


def _sides(skeleton: Skeleton) -> tuple[str, ...]:
    """The side of the body that each keypoint is on, as the names or the order of its left/right pairs tell."""
    found = ["middle"] * len(skeleton)
    for a, b in skeleton.flip_pairs:
        name = skeleton.keypoints[a]
        reverse = "right" in name.lower() or name.rstrip("0123456789").endswith("R")
        found[a], found[b] = ("right", "left") if reverse else ("left", "right")
    return tuple(found)
