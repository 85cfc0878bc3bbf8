"""Which crops a network takes."""

from __future__ import annotations

from vatl_core.errors import InputError

DEEPEST_STRIDE = 32
"""Input pixels to a pixel of the deepest map, in every network here of which nothing else is said."""


def check_input_size(estimator: str, size: tuple[int, int], stride: int = DEEPEST_STRIDE) -> None:
    """Refuse a height or width in pixels that the deepest map does not divide.

    Args:
        estimator: its name.
        size: height and width.
        stride: input pixels to a pixel of the deepest map.

    Raises:
        InputError: a side that is no positive multiple of ``stride``.
    """
    if any(side < stride or side % stride for side in size):
        raise InputError(f"estimator '{estimator}': input_size {size} must be multiples of {stride}")
