"""Small data sets on disk, in exactly the layout and with the fields of the real ones.

People are stick figures whose keypoints are coloured squares, so that a network can learn them in seconds. A *cast*
says who is in a video: for each track its frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 120
KEYPOINTS: Final = 17
SHAPE: Final = np.array(
    [
        (0, -40), (0, -30), (0, -48), (-5, -42), (5, -42), (-12, -26), (12, -26), (-18, -10), (18, -10), (-20, 6),
        (20, 6), (-8, 6), (8, 6), (-9, 26), (9, 26), (-10, 46), (10, 46),
    ],
    dtype=float,
)  # fmt: skip
"""(17, 2) a person around the origin, in pixels, with PoseTrack's keypoints."""
JRDB_SHAPE: Final = np.array(
    [
        (0, -44), (-4, -42), (4, -42), (-12, -28), (0, -28), (12, -28), (-18, -12), (18, -12), (0, 6), (-20, 4),
        (-7, 6), (7, 6), (20, 4), (-9, 26), (9, 26), (-10, 46), (10, 46),
    ],
    dtype=float,
)  # fmt: skip
"""The same with JRDB-Pose's keypoints."""
EARS: Final = (3, 4)

Cast = Mapping[Any, Sequence[int]]
"""``{track: the frames it is in}``"""

WALK: Final[Cast] = {0: range(8), 1: range(8)}
"""Two people who are always there."""


def pose(track: Any, frame: int, shape: NDArray[np.float64] = SHAPE) -> NDArray[np.float64]:
    """(17, 2) where a person's keypoints are, in pixels; it sways with time."""
    place = sum(map(ord, str(track))) % 3
    sway = np.random.default_rng([place, frame]).normal(0, 1.5, (KEYPOINTS, 2))
    centre = np.array([40 + 40 * place + 2 * np.sin(frame), 60])
    moved: NDArray[np.float64] = (shape + centre + sway).round(1)
    return moved


def box(points: NDArray[np.float64]) -> list[float]:
    """x, y, w, h around a pose."""
    low, high = points.min(0) - 5, points.max(0) + 5
    return [round(float(value), 1) for value in (*low, *(high - low))]


def picture(path: Path, poses: Sequence[NDArray[np.float64]], width: int = WIDTH, height: int = HEIGHT) -> None:
    """Write a picture of people."""
    seed = sum(path.stem.encode())
    pixels = np.random.default_rng(seed).integers(40, 90, (height, width, 3), dtype=np.uint8)
    for points in poses:
        for k, (x, y) in enumerate(points.astype(int)):
            colour = [int(c) for c in np.random.default_rng(k).integers(100, 256, 3)]
            cv2.rectangle(pixels, (x - 2, y - 2), (x + 2, y + 2), colour, cv2.FILLED)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])


def save(path: Path, content: Any) -> None:
    """Write JSON, or text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


# ----------------------------------------------------------------------------------------------------- PoseTrack21
def posetrack_image_id(video: str, frame: int) -> int:
    """A 1, the six-digit video, the four-digit frame."""
    return int(f"1{video[:6]}{frame:04d}")


def posetrack_document(
    video: str, cast: Cast, folder: str = "val", nframes: int = 8, labelled: Sequence[int] | None = None
) -> dict[str, Any]:
    """The contents of ``posetrack_data/{split}/{video}.json``."""
    labelled = range(nframes) if labelled is None else labelled
    images = [
        {
            "id": posetrack_image_id(video, frame),
            "frame_id": posetrack_image_id(video, frame),
            "file_name": f"images/{folder}/{video}/{frame:06d}.jpg",
            "vid_id": video[:6],
            "nframes": nframes,
            "is_labeled": frame in labelled,
            "has_labeled_person": any(frame in frames for frames in cast.values()),
            "ignore_regions_x": [[0, 5, 5]],
            "ignore_regions_y": [[0, 0, 5]],
        }
        for frame in range(nframes)
    ]
    annotations = [
        posetrack_annotation(video, track, frame)
        for frame in range(nframes)
        for track, frames in cast.items()
        if frame in frames and frame in labelled
    ]
    names = ["nose", "head_bottom", "head_top"] + [
        f"{side}_{part}"
        for part in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": names}
    return {"images": images, "annotations": annotations, "categories": [category]}


def posetrack_annotation(video: str, track: Any, frame: int) -> dict[str, Any]:
    """One person in one frame; the ears are there in name only."""
    points = pose(track, frame)
    triples = [(0, 0, 0) if k in EARS else (*point, 1) for k, point in enumerate(points.tolist())]
    image = posetrack_image_id(video, frame)
    return {
        "id": int(f"{image}{int(track):02d}"),
        "image_id": image,
        "track_id": track,
        "person_id": 1000 + int(track),
        "bbox": box(points),
        "bbox_head": box(points[:3]),
        "category_id": 1,
        "keypoints": [number for triple in triples for number in triple],
    }


def posetrack_pictures(root: Path, document: Mapping[str, Any], cast: Cast) -> None:
    """The files that a document's images name."""
    for frame, image in enumerate(document["images"]):
        picture(root / image["file_name"], [pose(track, frame) for track, frames in cast.items() if frame in frames])


def posetrack21(root: Path, train_val: bool = False) -> Path:
    """Three published val videos, two to train on and, if asked for, one of them held out.

    The first val video has a person whose track id has three digits, one who leaves and returns, and a frame without
    people; so the second ids of instances run into each other's digits.
    """
    casts = {
        "000342_mpii_test": {0: [0, 1, 2, 4, 5], 105: [0, 1, 4, 5, 6, 7]},
        "000522_mpii_test": WALK,
        "000583_mpii_test": {"0": range(8), "1": range(4)},
        "000001_bonn_train": WALK,
        "000004_bonn_train": WALK,
    }
    for video, cast in casts.items():
        split = video.rpartition("_")[2].replace("test", "val")
        document = posetrack_document(video, cast, split)
        save(root / "posetrack_data" / split / f"{video}.json", document)
        posetrack_pictures(root, document, cast)
    if train_val:
        held_out = root / "posetrack_data" / "train_val" / "000001_bonn_train.json"
        save(held_out, (root / "posetrack_data" / "train" / held_out.name).read_text())
    return root


# ------------------------------------------------------------------------------------------------------- JRDB-Pose
JRDB_LABELS: Final = "jrdb2022/labels"
PANORAMA: Final = (376, 120)
"""Width and height, in place of 3760 and 480."""


def jrdb_person(track: Any, frame: int) -> NDArray[np.float64]:
    """(17, 2) keypoints in pixels."""
    return pose(track, frame, JRDB_SHAPE)


def jrdb_pose_document(scene: str, cast: Cast, frames: int = 8) -> dict[str, Any]:
    """The contents of ``labels_2d_pose_stitched_coco/{scene}.json``: no usable boxes."""
    images = [{"id": f + 1, "file_name": f"image_stitched/{scene}/{f:06d}.jpg"} for f in range(frames)]
    annotations = []
    for frame in range(frames):
        for track, there in cast.items():
            if frame in there:
                points = jrdb_person(track, frame).tolist()
                triples = [(*point, 1 if k % 2 else 2) for k, point in enumerate(points)]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": frame + 1,
                        "track_id": track,
                        "category_id": 1,
                        "num_keypoints": KEYPOINTS,
                        "area": 2000.0,
                        "keypoints": [number for triple in triples for number in triple],
                    }
                )
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}


def jrdb_box_document(cast: Cast, frames: int = 8, without: Sequence[tuple[Any, int]] = ()) -> dict[str, Any]:
    """The contents of ``labels_2d_stitched/{scene}.json``: boxes of everybody but (track, frame) of ``without``."""
    labels = {}
    for frame in range(frames):
        there = [track for track, frames_of in cast.items() if frame in frames_of and (track, frame) not in without]
        labels[f"{frame:06d}.jpg"] = [
            {"label_id": f"pedestrian:{track}", "box": box(jrdb_person(track, frame)), "attributes": {"area": 2000.0}}
            for track in there
        ]
    return {"labels": labels}


def jrdb_pictures(root: Path, scene: str, cast: Cast, frames: int = 8) -> None:
    """The panoramas of a scene."""
    for frame in range(frames):
        people = [jrdb_person(track, frame) for track, there in cast.items() if frame in there]
        picture(root / "images" / "image_stitched" / scene / f"{frame:06d}.jpg", people, *PANORAMA)


def jrdb_scene(root: Path, scene: str, cast: Cast, without: Sequence[tuple[Any, int]] = ()) -> None:
    """One scene's files."""
    save(root / JRDB_LABELS / "labels_2d_pose_stitched_coco" / f"{scene}.json", jrdb_pose_document(scene, cast))
    save(root / JRDB_LABELS / "labels_2d_stitched" / f"{scene}.json", jrdb_box_document(cast, without=without))
    jrdb_pictures(root, scene, cast)


def jrdb_pose(root: Path) -> Path:
    """Three test scenes and one of each of the others.

    In the first, track 3 has no box in frame 2 while track 13 has one, track 113 leaves and returns, and nobody is in
    frame 7. Ids are numbers in some scenes and strings in others.
    """
    first: Cast = {3: range(7), 13: range(7), 113: [0, 1, 5, 6]}
    jrdb_scene(root, "forbes-cafe-2019-01-22_0", first, without=[(3, 2)])
    jrdb_scene(root, "memorial-court-2019-03-16_0", WALK)
    jrdb_scene(root, "stlc-111-2019-04-19_0", {"0": range(8), "1": range(8)})
    jrdb_scene(root, "bytes-cafe-2019-02-07_0", WALK)
    jrdb_scene(root, "huang-2-2019-01-25_0", WALK)
    return root
