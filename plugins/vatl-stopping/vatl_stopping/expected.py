"""Stopping by an accuracy without truth: when labels are not expected to raise the mean OKS much any more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import log
from statistics import median
from typing import ClassVar, Final

import attrs
from attrs.validators import ge

from vatl_core.contracts import Stopping
from vatl_core.records import CycleRecord, History

BACK: Final = 3.0
"""How many times fewer labels the earliest cycle had that the slope is taken from."""
SPAN: Final = 1.25
"""How many times fewer it must have had."""
ADAPTED: Final = 2
"""The first cycle whose expectations labels of an estimator that had learnt from some have been held against."""


@attrs.frozen
class Expected(Stopping):
    """Stops when the next query is not expected to raise the mean expected OKS over the video enough for its labels.

    Learning curves are about straight over the logarithm of the labels. The slope is the median of those between any
    two of the last cycles (Sen, JASA 1968), in which a noisy cycle does not count; the next query is taken to be as
    large as the present. What it raises the mean by, times the video's instances, is what its labels gain: so larger
    queries must gain more, and videos of any length are alike. The last labels are still learnt from.

    Attributes:
        gain: the least that a label must gain: by how much the OKS of all estimates together must rise.
        patience: in how many cycles in a row it must be less.
        labels: how many must be given before the first cycle that counts.
    """

    watches: ClassVar[tuple[str, ...]] = ("eoks",)
    retrains: ClassVar[bool] = True

    gain: float = attrs.field(default=0.3, validator=ge(0))
    patience: int = attrs.field(default=2, validator=ge(1))
    labels: int = attrs.field(default=8, validator=ge(1))

    def decide(self, history: History) -> str | None:
        """What the next query would gain, as it looks in each of the last cycles."""
        cycles, least = history.cycles, max(len(history.cycles) - self.patience, 0)
        gains = [gain for n in range(least, len(cycles)) if (gain := self._next_gain(cycles[: n + 1])) is not None]
        if len(gains) < self.patience or max(gains) >= self.gain:
            return None
        present, asked = history.present, len(history.present.query)
        raised = f"raise the mean OKS by {gains[-1] * asked / present.instances:.3f}"
        a_label = f"{gains[-1]:.2f} of an instance's OKS a label, less than {self.gain:g}"
        return f"{asked} more labels are expected to {raised}: {a_label}"

    def _next_gain(self, cycles: Sequence[CycleRecord]) -> float | None:
        """What each label of a query as large as that of the last of these cycles would gain; None if not known."""
        seen = [c for c in cycles[ADAPTED:] if c.labelled >= self.labels and "eoks" in c.mean_scores]
        if not seen or not (last := seen[-1]).query or last is not cycles[-1]:
            return None
        recent = [c for c in seen if c.labelled * BACK >= last.labelled]
        if recent[0].labelled * SPAN > last.labelled:
            return None
        rise = _slope(recent) * log(1 + len(last.query) / last.labelled_after)
        return rise * last.instances / len(last.query)


def _slope(cycles: Sequence[CycleRecord]) -> float:
    """Of the mean expected OKS over the logarithm of the labels learnt from: the median of any two cycles'."""
    places = [(log(c.labelled), _mean(c)) for c in cycles]
    return median((b - a) / (y - x) for (x, a), (y, b) in combinations(places, 2) if y != x)


def _mean(cycle: CycleRecord) -> float:
    return 1 - cycle.mean_scores["eoks"]
