"""Colours that tell the sides of a body apart, as web pages write them."""

from __future__ import annotations

from typing import Final

from vatl_drawing import SIDES

BOX: Final = "#cc79a7"


def colour(side: str) -> str:
    """The colour of keypoints on the left, the right or in the middle."""
    return "#{:02x}{:02x}{:02x}".format(*SIDES[side])
