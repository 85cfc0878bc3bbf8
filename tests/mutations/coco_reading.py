"""A COCO keypoints file read a second time, by the plainest means, and held against what the data set made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.mutations.reading import Seen, close, same_partition, seen
from vatl_core.video import Video

NO_EDGE = "edge of the skeleton that joins no two of its keypoints"


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object each of whose keys stands there once."""
    assert len(pairs) == len(dict(pairs)), f"read, though a key stands twice among {[key for key, _ in pairs]}"
    return dict(pairs)


def name_of(value: object) -> str:
    """An id as text; 3.0 is 3."""
    assert type(value) in (int, str, float), f"read, though {value!r} is an id"
    return str(int(value)) if isinstance(value, float) else str(value)


def assert_says(path: Path, video: Video) -> None:
    """Make sure that a video holds what its annotation file says, and that all that is left out is counted."""
    content = json.loads(path.read_bytes(), object_pairs_hook=once)
    images = {name_of(image["id"]): image for image in content["images"]}
    assert len(images) == len(content["images"]), "read, though two images have one id"
    category = next((row for row in content["categories"] if row.get("keypoints")), content["categories"][0])
    rows = {name_of(row["id"]): row for row in content["annotations"]}
    assert len(rows) == len(content["annotations"]), "read, though two annotations have one id"
    assert list(video.skeleton.keypoints) == category["keypoints"]
    found = seen(video)
    dropped = sum(count for reason, count in video.dropped.items() if reason != NO_EDGE)
    assert len(rows) == len(found) + dropped, "annotations vanished"
    _assert_edges(video, category)
    for name, instance in found.items():
        _assert_is(instance, rows[name], images, category)
    _assert_tracks(found, rows)
    _assert_neighbours(found, images, rows)
    _assert_different(found, rows)


def _assert_edges(video: Video, category: dict[str, Any]) -> None:
    edges = category.get("skeleton") or []
    different = {frozenset(map(float, e)) for e in edges if isinstance(e, list) and _numbers(e)}
    assert video.dropped.get(NO_EDGE, 0) + len(different) >= len(video.skeleton.edges)
    assert len(video.skeleton.edges) == len(different) or NO_EDGE in video.dropped


def _numbers(values: list[Any]) -> bool:
    return all(type(value) in (int, float) for value in values)


def _assert_is(instance: Seen, row: dict[str, Any], images: dict[str, Any], category: dict[str, Any]) -> None:
    """One instance is on the picture, in the box and of the pose that its row says."""
    image = images[name_of(row["image_id"])]
    assert not row.get("iscrowd")
    assert name_of(row["category_id"]) == name_of(category["id"])
    if isinstance(instance.picture, str):
        assert instance.picture == Path(image["file_name"]).name
    elif image.get("frame_index") is not None:
        assert instance.picture == image["frame_index"]
    else:
        assert instance.picture == list(images).index(name_of(row["image_id"]))
    if row.get("bbox"):
        assert _numbers(row["bbox"]), f"read, though its box is {row['bbox']}"
        assert close(row["bbox"], instance.box)
    values = row.get("keypoints") or []
    assert _numbers(values), f"read, though its keypoints are {values}"
    visible = tuple(v > 0 for v in values[2::3])
    if any(visible):
        assert instance.visible == visible
        for (x, y), point, there in zip(
            zip(values[::3], values[1::3], strict=True), instance.points, visible, strict=True
        ):
            assert not there or close((x, y), point)
    else:
        assert not any(instance.visible)


def _assert_tracks(found: dict[str, Seen], rows: dict[str, Any]) -> None:
    told = {name: _track(rows[name]) for name in found}
    alone = {name: ("alone", name) if track is None else name_of(track) for name, track in told.items()}
    assert same_partition(alone, {name: instance.track for name, instance in found.items()})


def _track(row: dict[str, Any]) -> Any:
    inner = row.get("attributes")
    return (
        row["track_id"]
        if row.get("track_id") is not None
        else inner.get("track_id")
        if isinstance(inner, dict)
        else None
    )


def _assert_neighbours(found: dict[str, Seen], images: dict[str, Any], rows: dict[str, Any]) -> None:
    """Who comes before is of the same track, on an earlier frame."""
    for name, instance in found.items():
        if instance.before is None:
            continue
        earlier = found[instance.before]
        assert earlier.track == instance.track
        when = [images[name_of(rows[key]["image_id"])].get("frame_index") for key in (instance.before, name)]
        assert when[0] < when[1] if None not in when else earlier.picture < instance.picture


def _assert_different(found: dict[str, Seen], rows: dict[str, Any]) -> None:
    """No two without a track are of the same box and pose in one picture: a row was there twice."""
    told = {name: (i.picture, i.box, i.points, i.visible) for name, i in found.items() if _track(rows[name]) is None}
    assert len(set(told.values())) == len(told), "read, though two annotations are the same"
