"""Which crops a network of stride 32 takes."""

from __future__ import annotations

from vatl_core.errors import InputError

DEEPEST_STRIDE = 32
"""Input pixels to a pixel of the deepest map, in every network here."""


def check_input_size(estimator: str, size: tuple[int, int]) -> None:
    """Refuse a height or width in pixels that the deepest map does not divide.

    Raises:
        InputError: a side that is no positive multiple of 32.
    """
    if any(side < DEEPEST_STRIDE or side % DEEPEST_STRIDE for side in size):
        raise InputError(f"estimator '{estimator}': input_size {size} must be multiples of {DEEPEST_STRIDE}")
