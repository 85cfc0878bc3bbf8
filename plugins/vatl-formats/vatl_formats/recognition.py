"""What a file is that is not what it was given for: told by how it begins, with a way on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_SHARE: Final = rb"[ \t]+(-?0?\.\d+|[01](\.0*)?)(e-\d+)?"
"""Of the picture's width or height, as YOLO's labels have them."""
_YOLO: Final = "YOLO's labels, which do not name their keypoints: convert them to a COCO keypoints file, and give that"
_KNOWN: Final = {
    rb"version https://git-lfs": "a Git LFS pointer: fetch the file itself by `git lfs pull`",
    rb"PK\x03\x04": "a zip archive: unpack it, and give the file in it",
    rb"\x1f\x8b": "compressed by gzip: unpack it, and give the file in it",
    rb"\s*<(!doctype html|html)": "a web page: download the file itself",
    rb"\s*<\?xml.*<annotations": "CVAT's XML: export the task as COCO keypoints, and give that",
    rb"MATLAB|\x89HDF": "a project of a pose-tracking program: give it to the data set that reads those, sleap-io",
    rb"\s*\d+(" + _SHARE + rb"){4}((" + _SHARE + rb"|[ \t]+2(\.0*)?))*\s*($|\n)": _YOLO,
    rb"(.*\n)?(kpt_shape|nc)[ \t]*:": _YOLO,
}
"""What files begin with, and what is then to be said of them."""
_PATTERNS: Final = [(re.compile(begins, re.DOTALL | re.IGNORECASE), said) for begins, said in _KNOWN.items()]
_BEGINNING: Final = 4096


def recognised(path: Path) -> str | None:
    """What is known of a file that users give in place of another, in words that follow "is"; None of any other."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return None
    return next((said for pattern, said in _PATTERNS if pattern.match(beginning)), None)
