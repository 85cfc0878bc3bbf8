"""What files are called: which are pictures and videos, and which comes first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PICTURE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

VIDEO_SUFFIXES: Final = frozenset(
    f".{name}"
    for name in (
        "3gp", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts",
        "webm", "wmv",
    )
)  # fmt: skip


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts names by the numbers in them: img2 before img10."""
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d+)|(\D+)", name, re.ASCII)], name


def pictures_in(folder: Path) -> list[Path]:
    """A folder's picture files but for hidden ones, 2.png before 10.png."""
    return sorted((file for file in folder.iterdir() if _is_picture(file)), key=lambda file: natural(file.name))


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".") and file.is_file()
