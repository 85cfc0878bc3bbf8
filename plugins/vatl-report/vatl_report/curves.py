"""Learning curves as numbers: accuracy against the labelled fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from vatl_report.measure import Measure, figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vatl_core.records import CycleRecord, RunRecord


@attrs.frozen
class Curve:
    """One measure of a run against its labels.

    Attributes:
        percent: labelled instances, in % of the video's, ascending.
        values: one for each of them.
    """

    percent: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.percent)

    def at(self, percent: float, tolerance: float = 0.0) -> float:
        """The value there: the nearest point's within ``tolerance``, for whole labels miss a percentage; else between.

        Args:
            percent: between the first point and the last, give or take ``tolerance``.
            tolerance: in %, usually what one label is.
        """
        nearest = min(self.percent, key=lambda point: abs(point - percent))
        if abs(nearest - percent) <= tolerance:
            return self.values[self.percent.index(nearest)]
        return float(np.interp(percent, self.percent, self.values))

    def mean(self, start: float, end: float) -> float:
        """The mean value over a range in %: the area by trapezoids, divided by the range.

        From 0 to 100 that is the area under the learning curve.
        """
        if end <= start:
            return self.at(start)
        inner = [x for x in self.percent if start < x < end]
        x = [start, *inner, end]
        return float(np.trapezoid(np.interp(x, self.percent, self.values), x) / (end - start))

    def first(self, target: float, lower: bool = False) -> float | None:
        """Where the curve first reaches ``target``, in %, between points if need be; None if it never does.

        ``lower``: whether it is reached from above.
        """
        for n, (x, y) in enumerate(zip(self.percent, self.values, strict=True)):
            if y <= target if lower else y >= target:
                if n == 0:
                    return x
                before, low = self.percent[n - 1], self.values[n - 1]
                return before + (x - before) * (target - low) / (y - low)
        return None


def curve_of(points: Sequence[tuple[float, float | None]]) -> Curve:
    """The points whose value is known."""
    kept = [(x, y) for x, y in points if y is not None]
    return Curve(tuple(x for x, _ in kept), tuple(y for _, y in kept))


def accuracy_curves(
    cycles: Sequence[CycleRecord], closing: RunRecord | None, measures: Iterable[Measure]
) -> dict[str, Curve]:
    """The curve of each measure that the cycles' records keep, by its key; none where there is no truth.

    A run that stops without another retraining has labels that no cycle was estimated with: its closing record is
    the last point then.
    """
    judged = [(100 * r.fraction, figures(r.evaluation)) for r in cycles if r.evaluation]
    if closing and judged and (reached := 100 * (closing.labelled / closing.instances)) > judged[-1][0]:
        judged.append((reached, figures(closing)))
    curves = {m.key: curve_of([(x, found.get(m.key)) for x, found in judged]) for m in measures}
    return {key: curve for key, curve in curves.items() if curve}


def query_curve(cycles: Sequence[CycleRecord]) -> Curve:
    """Each query's mean OKS when it was asked, against what had been labelled by then."""
    return curve_of([(100 * r.fraction, r.query_mean_oks) for r in cycles])


def score_curves(cycles: Sequence[CycleRecord]) -> dict[str, Curve]:
    """Each criterion's mean over the video."""
    found = dict.fromkeys(name for r in cycles for name in r.mean_scores)
    return {name: curve_of([(100 * r.fraction, r.mean_scores.get(name)) for r in cycles]) for name in found}
