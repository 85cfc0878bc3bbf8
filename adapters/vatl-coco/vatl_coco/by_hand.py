"""Who made an annotation: somebody by hand, or a program that predicted it."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np

from vatl_formats import Indices, Mask, Numbers, OnPictures, Rows, Sieve

PREDICTED: Final = ("boxes", "truth", "none")
"""What becomes of predictions beside labels by hand: boxes without truth, instances like the others, or nothing."""
SCORES: Final = ("score", "keypoint_scores")
"""What a program that predicts writes beside an annotation, and nobody else."""


@attrs.frozen(eq=False)
class Makers:
    """Who made n annotations, as far as their file says.

    ``labelled``, as ``vatl predict`` writes it, says yes or no; else an ``annotator`` says yes, and a score no. Where
    there are predictions, what says nothing is by hand, if any keypoint of it is annotated.

    Attributes:
        people: n names of who made them by hand; the file's where it has none; None of others.
        predicted: (n,).
    """

    people: Sequence[str | None]
    predicted: Mask

    @classmethod
    def of(cls, rows: Rows, visible: Mask) -> Makers:
        """What the annotations say, whose annotated keypoints are ``visible`` (n, K).

        Raises:
            InputError: a value that says neither.
        """
        named = attrs.evolve(rows, objects=[_named(row) for row in rows.objects])
        names = ["" if name is None else str(name) for name in named.ids_or_none("annotator")]
        rows.flags("labelled")
        labelled = [row.get("labelled") for row in rows.objects]
        scored = [any(row.get(name) is not None for name in SCORES) for row in rows.objects]
        told = [bool(name) if flag is None else bool(flag) for flag, name in zip(labelled, names, strict=True)]
        columns = zip(told, labelled, scored, strict=True)
        guessed = [not by and (score or flag is not None) for by, flag, score in columns]
        predicted = np.array(guessed, dtype=np.bool_)
        hand = np.array(told, dtype=np.bool_) | (predicted.any() & ~predicted & visible.any(axis=1))
        own = rows.path.name
        return cls([(name or own) if by else None for name, by in zip(names, hand.tolist(), strict=True)], predicted)

    @classmethod
    def none(cls, rows: Rows) -> Makers:
        """Of annotations that are not asked who made them."""
        return cls([None] * len(rows), np.zeros(len(rows), dtype=np.bool_))

    @property
    def by_hand(self) -> Mask:
        """(n,) which are by hand."""
        return np.array([name is not None for name in self.people], dtype=np.bool_)

    @property
    def tell(self) -> bool:
        """Whether any annotation says who made it."""
        return bool(self.predicted.any() or self.by_hand.any())


def once(rows: Rows, makers: Makers, image: Indices, boxes: Numbers, sieve: Sieve, predicted: str) -> None:
    """Drop predictions of whom somebody labelled on the same picture, and all if that is what ``predicted`` says.

    Raises:
        InputError: somebody is labelled twice on a picture.
    """
    left, hand = sieve.left, makers.by_hand
    if not hand[left].any() or hand[left].all():
        return
    there = OnPictures(image[left], boxes[left], [rows.ids_or_none("track_id")[i] for i in left], hand[left])
    if found := there.twice():
        first, second = (int(left[place]) for place in found)
        said = f"is by hand, of whom annotation {reprlib.repr(rows.objects[first].get('id'))} is by hand, too"
        raise rows.error(second, f"{said}: delete one of them, or give each a track_id of its own")
    taken = np.zeros(len(image), dtype=np.bool_)
    taken[left] = there.taken_over() & makers.predicted[left]
    sieve.drop(taken, "predicted, and by hand too")
    sieve.drop(makers.predicted & (predicted == "none"), "predicted, not by hand")


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """An annotation with its ``annotator`` in its own place: some programs write it among the ``attributes``."""
    inner = row.get("attributes")
    who = row.get("annotator") or (inner.get("annotator") if isinstance(inner, dict) else None)
    return {**row, "annotator": who or None}
