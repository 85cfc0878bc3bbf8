"""Where the data set's folders lie below its root."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vatl_core.errors import InputError
from vatl_core.files import exists

POSES: Final = "labels/labels_2d_pose_stitched_coco"
BOXES: Final = "labels/labels_2d_stitched"
PICTURES: Final = "images/image_stitched"

ABOVE: Final = ("", "jrdb2022", "train_dataset_with_activity", "jrdb2022/train_dataset_with_activity")
"""Folders below the root that hold ``labels`` or ``images``, by how the archives were unpacked."""


def find(root: Path, folder: str, needed: bool = True) -> Path:
    """The first place below ``root`` that has one of the folders above.

    Raises:
        InputError: none has, and it is needed; the message says what was looked for.
    """
    if not exists(root):
        raise InputError(f"{root} does not exist: give JRDB's folder as the option root")
    places = [root / above / folder for above in ABOVE]
    for place in places:
        if place.is_dir():
            return place
    if not needed:
        return root / folder
    looked = ", ".join(str(place.relative_to(root)) for place in places)
    raise InputError(f"{root} has no {Path(folder).name}: looked for {looked}: is it JRDB's folder, and complete?")
