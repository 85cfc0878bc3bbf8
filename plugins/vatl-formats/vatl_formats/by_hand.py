"""Labels by hand beside predictions and each other: who on a picture is the same individual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

import attrs
import numpy as np

from vatl_formats.rows import Indices, Mask, Numbers

SAME: Final = 0.5
"""The overlap of boxes, intersection over union, from which a prediction is of whom somebody labelled there."""
TWICE: Final = 0.9
"""From which two labels by hand are of one individual."""


@attrs.frozen(eq=False)
class OnPictures:
    """n instances, some of them labelled by hand.

    Attributes:
        image: (n,) which picture each is on.
        boxes: (n, 4) x, y, w, h in pixels.
        track: n names or numbers of individuals; None of those that have none.
        by_hand: (n,).
    """

    image: Indices
    boxes: Numbers
    track: Sequence[Hashable]
    by_hand: Mask

    def taken_over(self) -> Mask:
        """(n,) which predictions are of whom somebody labelled on the same picture; each label takes over one."""
        taken = np.zeros(len(self.image), dtype=np.bool_)
        labels = set[int]()
        for _, label, other in sorted(self._pairs(~self.by_hand, SAME), reverse=True):
            if label not in labels and not taken[other]:
                labels.add(label)
                taken[other] = True
        return taken

    def twice(self) -> tuple[int, int] | None:
        """Two labels by hand of one individual on one picture, the later second; None where there are none."""
        found = ((min(pair), max(pair)) for _, *pair in self._pairs(self.by_hand, TWICE))
        return min(found, default=None)

    def _pairs(self, others: Mask, least: float) -> Iterator[tuple[float, int, int]]:
        """How far a label and one of the others may be the same (2 of one track), and their places."""
        there = defaultdict[int, list[int]](list)
        for other in np.flatnonzero(others).tolist():
            there[int(self.image[other])].append(other)
        for label in np.flatnonzero(self.by_hand).tolist():
            for other in there[int(self.image[label])]:
                if other != label and (alike := self._alike(label, other)) >= least:
                    yield alike, label, other

    def _alike(self, one: int, two: int) -> float:
        if self.track[one] is not None and self.track[two] is not None:
            return 2.0 if self.track[one] == self.track[two] else 0.0
        (a, b), (c, d) = ((box[:2], box[:2] + box[2:]) for box in self.boxes[[one, two]])
        shared = float(np.prod((np.minimum(b, d) - np.maximum(a, c)).clip(0)))
        return shared / max(float(np.prod(b - a) + np.prod(d - c)) - shared, 1e-9)
