"""What is in the boxes: a COCO category with the skeleton that will be estimated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton
from vatl_formats import Rows, read_json, skeleton_of


def category_of(skeleton: Skeleton) -> dict[str, Any]:
    """A skeleton as a COCO category."""
    return {
        "id": 1,
        "name": skeleton.name,
        "keypoints": list(skeleton.keypoints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges],
    }


PERSON = category_of(PERSON_17)


def read_category(path: Path) -> dict[str, Any]:
    """The first category of a COCO keypoints file, with or without images, or a lone category.

    Raises:
        InputError: it cannot be read, or describes no skeleton.
    """
    content = read_json(path, "a COCO category with keypoints")
    lone = isinstance(content, dict) and "keypoints" in content
    categories = [content] if lone else content.get("categories") if isinstance(content, dict) else None
    rows = Rows.listed(path, "categories", categories, "category")
    if not len(rows):
        raise InputError(f"{path} has no categories: a skeleton is the keypoints and skeleton of the first of them")
    return category_of(skeleton_of(rows))
