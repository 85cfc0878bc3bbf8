"""How large the pictures really are, held to what the annotation file says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from vatl_core.errors import InputError
from vatl_core.video import Frames
from vatl_formats import Indices, Numbers, Rows

MOST: Final = 5000
"""Headers that are read, evenly spread: of more, a network drive makes minutes."""


def check_sizes(images: Rows, size: Numbers, frames: Frames, index: Indices) -> None:
    """Make sure that images were annotated on pictures as they are shown.

    Args:
        images: I of them.
        size: (I, 2) width and height in pixels as the file has them; infinite ones say nothing.
        frames: the pictures.
        index: (I,) each image's place among them.

    Raises:
        InputError: one is of another size, such as one that lies on its side and is turned by its EXIF data.
    """
    told = np.flatnonzero(np.isfinite(size).all(axis=1))
    for position in told[:: -(-len(told) // MOST) or 1].tolist():
        given, real = tuple(size[position].tolist()), _size(frames, int(index[position]))
        if real is not None and real != given:
            name, (width, height) = frames.name(int(index[position])), real
            said = f"has width {given[0]:g} and height {given[1]:g}, but {name} is {width} wide and {height} high"
            raise images.error(
                position, f"{said}{_turned(given, real)}: annotate it as it is shown, or correct the two"
            )


def _size(frames: Frames, index: int) -> tuple[int, int] | None:
    """Width and height in pixels of a picture as it is shown; None where its header does not tell."""
    from PIL.Image import DecompressionBombError

    try:
        return frames.size(index)
    except (InputError, DecompressionBombError):  # whoever needs the picture is told
        return None


def _turned(given: Sequence[float], real: Sequence[float]) -> str:
    return " as it is shown (swapped: is it turned by its EXIF data?)" if tuple(reversed(given)) == tuple(real) else ""
