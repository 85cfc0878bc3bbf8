"""Stopping by the heatmaps: once more labels would make them hardly surer, and hardly steadier over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import linear_regression, pvariance
from typing import ClassVar

import attrs
from attrs.validators import ge, gt

from vatl_core.contracts import Stopping
from vatl_core.records import CycleRecord, History


@attrs.frozen
class Settled(Stopping):
    """Stops when labelling all the rest is expected to change the video's heatmaps by less than ``tolerance``.

    Two means over the video are watched: the height of the heatmaps' maxima, how sure the estimator is, and the
    temporal heatmap continuity in units of that height, how unsteady it is. THC alone can stand still for the wrong
    reason: it grows with the maps' height, which rises while an estimator learns and differs from one retraining to the
    next, and falls as poses get steady.

    Each is taken for a power of the number of labels, as errors are of the amount of training data (Hestness et al.,
    *Deep Learning Scaling is Predictable, Empirically*, 2017): a straight line of logarithms, fitted by least squares
    to the cycles of the last ``patience`` doublings of the labels, and at least to the last ``patience`` + 1. The slope
    may be steeper by its standard error, and the line goes on from the labels just given, which are still learnt from,
    until all is labelled. So it is labels that count, not the cycles that they come in; chance in one retraining is
    averaged out, and much of it calls for more cycles; the less of the video is labelled, the flatter the line must be.
    A rise is no plateau either.

    It never fires where the query has a mean OKS below τ, since an estimator that has learnt nothing does not
    change, nor in a video in which nothing has a neighbour in time.

    Attributes:
        patience: over how many doublings of the labels it looks back.
        tolerance: what the rest of the labels may change, as a fraction.
    """

    watches: ClassVar[tuple[str, ...]] = ("thc", "lc")
    retrains: ClassVar[bool] = True

    patience: int = attrs.field(default=3, validator=ge(2))
    tolerance: float = attrs.field(default=0.15, validator=gt(0))

    def decide(self, history: History) -> str | None:
        """How much is still to come, at most."""
        cycles, left = self._recent(history), history.present.instances - history.labelled
        if not _learnt(history) or not cycles or left <= 0:
            return None
        changes = _to_come(cycles, math.log(history.present.instances / history.labelled))
        if changes is None or max(changes) >= self.tolerance:
            return None
        unsteady, height = changes
        return (
            f"labelling the other {left} instances would change the heatmaps' height by at most {height:.1%}, "
            f"and THC in units of it by {unsteady:.1%}: less than {self.tolerance:.0%}"
        )

    def _recent(self, history: History) -> tuple[CycleRecord, ...]:
        """The cycles that count, the present one last; none where there are too few."""
        taught = tuple(record for record in history.cycles if record.labelled)
        since = history.present.labelled / 2**self.patience
        count = max(self.patience + 1, sum(record.labelled >= since for record in taught))
        return taught[-count:] if len(taught) > self.patience else ()


def _learnt(history: History) -> bool:
    """Whether the query was correct on the mean when it was asked: a refinement may put older labels in place."""
    mean = history.present.query_mean_oks
    return mean is not None and mean >= history.threshold


def _to_come(cycles: Sequence[CycleRecord], ahead: float) -> tuple[float, float] | None:
    """By what fraction unsteadiness and height may change as log labels go ``ahead``; None where there is no trend."""
    heights, thc = [-record.mean_scores["lc"] for record in cycles], [record.mean_scores["thc"] for record in cycles]
    labels = [math.log(record.labelled) for record in cycles]
    if min(*heights, *thc) <= 0 or min(labels) == max(labels):
        return None
    unsteady = [change / height for change, height in zip(thc, heights, strict=True)]
    powers = (_power(labels, [*map(math.log, curve)]) for curve in (unsteady, heights))
    first, second = (max(abs(math.expm1(min(p * ahead, 99.0))) for p in (s - e, s + e)) for s, e in powers)
    return first, second


def _power(labels: Sequence[float], curve: Sequence[float]) -> tuple[float, float]:
    """Slope of the line through three points or more, and the slope's standard error."""
    slope, intercept = linear_regression(labels, curve)
    squares = sum((y - intercept - slope * x) ** 2 for x, y in zip(labels, curve, strict=True))
    return slope, math.sqrt(squares / (len(labels) - 2) / (len(labels) * pvariance(labels)))
