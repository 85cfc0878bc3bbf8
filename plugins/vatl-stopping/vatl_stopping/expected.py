"""Stopping by an accuracy without truth: when labels are not expected to raise the mean OKS much any more."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from statistics import fmean
from typing import ClassVar, Final

import attrs
from attrs.validators import ge, gt

from vatl_core.contracts import Stopping
from vatl_core.records import CycleRecord, History

BACK: Final = 8.0
"""How many times fewer labels the earliest cycle had that the line goes through."""
ADAPTED: Final = 2
"""The first cycle whose expectations labels of an estimator that had learnt from some have been held against."""
SLOPE: Final = -1.0
"""What the line's slope is drawn to, as strongly as two cycles, one of twice the labels, speak for theirs."""
DOUBLING: Final = log(2) ** 2 / 2
"""How far two cycles, one of twice the labels, lie from their mean: the sum of the squares."""
LEAST: Final = 1e-3
"""Error that is left at least, so that it has a logarithm."""


@attrs.frozen
class Expected(Stopping):
    """Stops when as many labels again as there are would not change the mean expected OKS over the video enough.

    What is left of the error, 1 − the mean expected OKS, is taken for a power of the number of labels (Hestness et al.,
    *Deep Learning Scaling is Predictable, Empirically*, 2017): a straight line of logarithms, fitted by least squares
    to the cycles of the last three doublings of the labels. Few cycles tell little of its slope, which is drawn to −1,
    half the error with twice the labels; and it may be off by its standard error. The line goes on from the labels just
    given, which are still learnt from, to twice as many, or to the whole video. So it is labels that count, not the
    cycles that they come in; chance in one cycle is averaged out, and much of it calls for more cycles. An expectation
    that falls is no plateau either.

    An expectation can be wrong. So the same is asked of the error that each query turned out to have, which its labels
    tell: of what is hard, as selectors prefer it, there must be little to gain, too.

    Attributes:
        rise: what they must change it by to be worth asking for.
        labels: how many must be given before the first cycle that counts.
    """

    watches: ClassVar[tuple[str, ...]] = ("eoks",)
    retrains: ClassVar[bool] = True

    rise: float = attrs.field(default=0.02, validator=gt(0))
    labels: int = attrs.field(default=8, validator=ge(1))

    def decide(self, history: History) -> str | None:
        """What as many labels again would change, at most."""
        present, cycles = history.present, self._recent(history.cycles)
        more = min(history.labelled, present.instances - history.labelled)
        if not cycles or cycles[-1] is not present or not present.query or more <= 0:
            return None
        curves = [_expected(cycles), _asked(cycles)]
        change = max(_to_come(curve, history.labelled, history.labelled + more) for curve in curves if curve)
        if change >= self.rise:
            return None
        return f"{more} more labels would change the mean OKS by at most {change:.4f}, less than {self.rise:g}"

    def _recent(self, cycles: Sequence[CycleRecord]) -> list[CycleRecord]:
        """Those that the line goes through."""
        seen = [c for c in cycles[ADAPTED:] if c.labelled >= self.labels and "eoks" in c.mean_scores]
        return [c for c in seen if c.labelled * BACK >= seen[-1].labelled]


def _expected(cycles: Sequence[CycleRecord]) -> list[tuple[int, float]]:
    """Labels, and what is expected to be wrong of the video's mean OKS."""
    return [(cycle.labelled, cycle.mean_scores["eoks"]) for cycle in cycles]


def _asked(cycles: Sequence[CycleRecord]) -> list[tuple[int, float]]:
    """Labels, and what was wrong of the query's mean OKS, where anything of it is visible."""
    return [(cycle.labelled, 1 - mean) for cycle in cycles if (mean := cycle.query_mean_oks) is not None]


def _to_come(curve: Sequence[tuple[int, float]], labels: int, then: int) -> float:
    """By how much the error may differ between so many labels and ``then``, its slope as far off as it may be."""
    places, errors = [log(known) for known, _ in curve], [log(max(error, LEAST)) for _, error in curve]
    slope, off = _slope(places, errors)
    start, end = (log(known) - fmean(places) for known in (labels, then))
    return max(abs(exp(fmean(errors)) * (exp(s * start) - exp(s * end))) for s in (slope - off, slope + off))


def _slope(places: Sequence[float], errors: Sequence[float]) -> tuple[float, float]:
    """Of the line, drawn to :data:`SLOPE`, and its standard error, which what it is drawn by counts in as a point."""
    x, y = ([value - fmean(column) for value in column] for column in (places, errors))
    squares = sum(a * a for a in x) + DOUBLING
    slope = (sum(a * b for a, b in zip(x, y, strict=True)) + DOUBLING * SLOPE) / squares
    missed = sum((b - slope * a) ** 2 for a, b in zip(x, y, strict=True)) + DOUBLING * (slope - SLOPE) ** 2
    return slope, sqrt(missed / max(len(x) - 1, 1) / squares)
