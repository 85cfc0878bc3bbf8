"""Means with confidence intervals, and tests between methods."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

import attrs
import numpy as np

CONFIDENCE: Final = 0.95
LEAST_PAIRS: Final = 6
"""With fewer, no outcome of a two-sided signed-rank test has p < 0.05: the smallest is 2/2ⁿ."""


@attrs.frozen
class Mean:
    """A mean, and how sure it is.

    Attributes:
        mean: of the strata's means.
        low, high: its 95 % confidence interval; None where a stratum has a single value.
        deviation: sample standard deviation (n − 1) of the strata's means, or of the values of a single stratum; None
            where that is one.
        count: of values.
    """

    mean: float
    low: float | None
    high: float | None
    deviation: float | None
    count: int


def mean_of(strata: Sequence[Sequence[float]]) -> Mean:
    """The mean over strata (videos) of the means of their values (seeds), with Student's t interval.

    The interval is about the seeds: the strata are the ones there are, no sample. The degrees of freedom are Welch and
    Satterthwaite's; with one stratum it is the ordinary t interval.

    Args:
        strata: at least one, none of them empty.
    """
    from scipy import stats

    means = [float(np.mean(values)) for values in strata]
    mean, spread = float(np.mean(means)), means if len(means) > 1 else strata[0]
    deviation = float(np.std(spread, ddof=1)) if len(spread) > 1 else None
    count = sum(len(values) for values in strata)
    if any(len(values) < 2 for values in strata):
        return Mean(mean, None, None, deviation, count)
    variances = np.array([np.var(values, ddof=1) for values in strata])
    sizes = np.array([len(values) for values in strata])
    terms = variances / sizes / len(strata) ** 2
    if not terms.any():
        return Mean(mean, mean, mean, deviation, count)
    freedom = terms.sum() ** 2 / (terms**2 / (sizes - 1)).sum()
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(terms.sum()))
    return Mean(mean, mean - half, mean + half, deviation, count)


@attrs.frozen
class Comparison:
    """Two methods against each other.

    Attributes:
        first, second: which.
        pairs: runs of both on the same video with the same seed.
        higher: pairs in which the first has the higher value.
        differing: pairs whose values are not equal: n of the test.
        median: of the differences first − second; None without pairs.
        p: two-sided, of Wilcoxon's signed-rank test; None where n is too small.
        adjusted: p corrected for all comparisons made (Holm).
    """

    first: str
    second: str
    pairs: int
    higher: int
    differing: int
    median: float | None
    p: float | None
    adjusted: float | None = None


def compare(
    values: Mapping[str, Mapping[Hashable, float]], pairs: Iterable[tuple[str, str]] | None = None
) -> list[Comparison]:
    """These pairs of methods, or all, paired by what their values are of; ``{method: {(video, seed): value}}``."""
    two = combinations(values, 2) if pairs is None else pairs
    found = [_compared(a, b, values[a], values[b]) for a, b in two]
    tested = [c.p for c in found if c.p is not None]
    corrected = iter(holm(tested))
    return [c if c.p is None else attrs.evolve(c, adjusted=next(corrected)) for c in found]


def _compared(a: str, b: str, of_a: Mapping[Hashable, float], of_b: Mapping[Hashable, float]) -> Comparison:
    from scipy import stats

    shared = [key for key in of_a if key in of_b]
    differences = np.round([of_a[key] - of_b[key] for key in shared], 12)  # equal areas may differ in their last bit
    differing = int(np.count_nonzero(differences))
    p = float(stats.wilcoxon(differences).pvalue) if differing >= LEAST_PAIRS else None
    median = float(np.median(differences)) if shared else None
    return Comparison(a, b, len(shared), int((differences > 0).sum()), differing, median, p)


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for their number by Holm's step-down procedure (1979), in their order."""
    order = np.argsort(p, kind="stable")
    stepped = np.asarray(p)[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return [float(value) for value in corrected]
