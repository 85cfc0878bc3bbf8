"""What the page sends, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import torch

from vatl_annotate.review.wishes import Wish
from vatl_core.contracts import Labels

LONGEST: Final = 24 * 3600.0
"""Seconds that a label may have taken."""
_NAME: Final = 80
"""Characters of a name or an identifier."""
_STILL: Final = 0.5
"""Pixels within which a keypoint counts as not moved."""


class RefusedError(Exception):
    """A request that is not done; the message is for the person at the page.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@attrs.frozen
class Submission:
    """A pose that somebody accepted.

    Attributes:
        tab: the window.
        submission: made once for it: sent again, it is the same label.
        instance, cycle: which, and which queue it was shown in.
        keypoints: K times x, y in pixels and v: 0 not visible, 1 occluded, 2 visible.
        seconds: spent on it.
        annotator: who.
        correction: whether it is meant to replace a label.
    """

    tab: str
    submission: str
    instance: int
    cycle: int
    keypoints: tuple[tuple[float, float, int], ...]
    seconds: float
    annotator: str
    correction: bool

    @classmethod
    def of(cls, body: Mapping[str, Any], keypoints: int, size: tuple[int, int]) -> Submission:
        """Read a body.

        Args:
            body: of the request.
            keypoints: K.
            size: width and height of its frame; no keypoint lies further out than once that.

        Raises:
            RefusedError: a field is missing or has a value that it cannot have, or no keypoint is visible.
        """
        triples = body.get("keypoints")
        if not isinstance(triples, list) or len(triples) != keypoints:
            raise RefusedError(422, f"'keypoints' must be a list of {keypoints} times x, y, v")
        pose = tuple(_triple(triple, size) for triple in triples)
        if not any(v for _, _, v in pose):
            raise RefusedError(422, "no keypoint is visible: place one, or skip the instance, or delete its box")
        return cls(
            tab=text(body, "tab"),
            submission=text(body, "submission"),
            instance=whole(body, "instance"),
            cycle=whole(body, "cycle"),
            keypoints=pose,
            seconds=number(body, "seconds", 0.0, LONGEST),
            annotator=text(body, "annotator"),
            correction=body.get("correction") is True,
        )

    def labels(self, proposal: torch.Tensor) -> Labels:
        """As the core takes it; ``proposal`` (K, 2) is the pose that the person began with."""
        points = torch.tensor([triple[:2] for triple in self.keypoints], dtype=torch.float32)
        values = torch.tensor([triple[2] for triple in self.keypoints])
        moved = ((points - proposal).abs().amax(1) > _STILL) | (values == 0)
        return Labels(
            index=torch.tensor([self.instance]),
            keypoints=torch.where(values[:, None] > 0, points, 0.0)[None],
            visible=(values > 0)[None],
            annotator=self.annotator,
            seconds=torch.tensor([self.seconds]),
            occluded=(values == 1)[None],
            moved=moved.sum()[None],
            proposals=proposal[None],
        )


def _triple(triple: object, size: tuple[int, int]) -> tuple[float, float, int]:
    if not isinstance(triple, list) or len(triple) != 3 or any(isinstance(v, bool) for v in triple):
        raise RefusedError(422, "a keypoint must be x, y, v")
    x, y, value = triple
    if value not in (0, 1, 2):
        raise RefusedError(422, "a keypoint's v must be 0 (not visible), 1 (occluded) or 2 (visible)")
    if not value:
        return 0.0, 0.0, 0
    for place, side in ((x, size[0]), (y, size[1])):
        if not isinstance(place, int | float) or not -side <= place <= 2 * side:  # no for NaN, too
            raise RefusedError(422, "a keypoint lies far outside of the picture, or nowhere")
    return float(x), float(y), int(value)


def text(body: Mapping[str, Any], field: str) -> str:
    """A field that holds a short text.

    Raises:
        RefusedError: it does not.
    """
    value = body.get(field)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _NAME or not value.isprintable():
        raise RefusedError(422, f"'{field}' must be a text of 1 to {_NAME} characters")
    return value.strip()


def whole(body: Mapping[str, Any], field: str) -> int:
    """A field that holds a whole number from 0 on.

    Raises:
        RefusedError: it does not.
    """
    value = body.get(field)
    if type(value) is not int or not 0 <= value < 2**53:
        raise RefusedError(422, f"'{field}' must be a whole number from 0 on")
    return value


def number(body: Mapping[str, Any], field: str, low: float, high: float) -> float:
    """A field that holds a number between two others.

    Raises:
        RefusedError: it does not.
    """
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RefusedError(422, f"'{field}' must be a number from {low:g} to {high:g}")
    return float(value)


def wish(body: Mapping[str, Any]) -> Wish:
    """The field ``wish``: how a review goes on.

    Raises:
        RefusedError: it is none of the ways.
    """
    try:
        return Wish(str(body.get("wish")))
    except ValueError:
        raise RefusedError(422, f"'wish' must be {', '.join(Wish)}") from None


def tracks(body: Mapping[str, Any]) -> tuple[int, int]:
    """The field ``tracks``: two whole numbers.

    Raises:
        RefusedError: it is not.
    """
    value = body.get("tracks")
    if not isinstance(value, list) or len(value) != 2 or any(type(v) is not int or abs(v) >= 2**53 for v in value):
        raise RefusedError(422, "'tracks' must be a list of two whole numbers")
    return value[0], value[1]


def box(body: Mapping[str, Any], size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The field ``box``: x, y, width, height in pixels, meeting the frame; None where nobody is there.

    It reaches no further out than once the frame's size, as keypoints do.

    Raises:
        RefusedError: it is neither.
    """
    value = body.get("box", ())
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(_is_pixel(v, size) for v in value):
        raise RefusedError(422, "'box' must be x, y, width, height in pixels, or null")
    x, y, width, height = (float(v) for v in value)
    for start, extent, side in ((x, width, size[0]), (y, height, size[1])):
        if extent < 2 or not -side <= start < side or not 0 < start + extent <= 2 * side:
            raise RefusedError(422, "the box must have an area and lie in the picture")
    return x, y, width, height


def _is_pixel(value: object, size: tuple[int, int]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= 2 * max(size)  # no for NaN, too
