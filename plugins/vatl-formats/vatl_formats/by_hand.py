"""Labels by hand beside predictions and each other: who on a picture is the same individual."""

from __future__ import annotations

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
        """How far a label and one of the others on its picture may be the same, ``least`` or more, and their places."""
        order, numbers = np.argsort(self.image, kind="stable"), dict[Hashable, int]()
        track = np.array([-1 if t is None else numbers.setdefault(t, len(numbers)) for t in self.track], dtype=np.int64)
        for here in np.split(order, np.flatnonzero(np.diff(self.image[order])) + 1):
            labels, rest = here[self.by_hand[here]], here[others[here]]
            alike = self._alike(labels, rest, track)
            for i, j in np.argwhere((alike >= least) & (labels[:, None] != rest)).tolist():
                yield float(alike[i, j]), int(labels[i]), int(rest[j])

    def _alike(self, labels: Indices, rest: Indices, track: Indices) -> Numbers:
        """(L, R) the overlap of boxes; where both have a track 2 if it is the same, else 0."""
        one, other = self.boxes[labels][:, None], self.boxes[rest]
        near = np.maximum(one[..., :2], other[:, :2])
        far = np.minimum(one[..., :2] + one[..., 2:], other[:, :2] + other[:, 2:])
        shared = (far - near).clip(0).prod(-1)
        overlap = shared / np.maximum(one[..., 2:].prod(-1) + other[:, 2:].prod(-1) - shared, 1e-9)
        told = (track[labels] >= 0)[:, None] & (track[rest] >= 0)
        same: Numbers = np.where(told, 2.0 * (track[labels][:, None] == track[rest]), overlap)
        return same
