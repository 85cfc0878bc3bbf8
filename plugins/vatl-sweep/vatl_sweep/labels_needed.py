"""How many labels an accuracy takes, and how much fewer one strategy takes than another: mathematics alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final, Literal

import attrs

CONFIDENCE: Final = 0.95
LEAST: Final = 1.0
"""Labels that a ratio is made of at least: fewer than one nobody can give."""
Sense = Literal["=", "<", ">"]


@attrs.frozen
class Needed:
    """Labels needed to reach an accuracy.

    Attributes:
        labels: where the curve first reaches it; if it never does, its last, and more are needed.
        reached: whether it does.
    """

    labels: float
    reached: bool


def labels_needed(labels: Sequence[float], accuracy: Sequence[float], target: float) -> Needed:
    """Where a learning curve first reaches ``target``, between two points by a straight line.

    What the curve does afterwards does not count: whoever had stopped there had the accuracy.

    Args:
        labels: of each point, rising; at least one.
        accuracy: of each point; it may fall.
        target: the accuracy.
    """
    for n, value in enumerate(accuracy):
        if value >= target:
            if n == 0:
                return Needed(float(labels[0]), True)
            share = (target - accuracy[n - 1]) / (value - accuracy[n - 1])
            return Needed(labels[n - 1] + min(share, 1.0) * (labels[n] - labels[n - 1]), True)
    return Needed(float(labels[-1]), False)


def median_needed(values: Sequence[Needed]) -> Needed:
    """The median over seeds, those that never get there last; a lower bound where it falls among these."""
    known = math.isfinite(statistics.median([each.labels if each.reached else math.inf for each in values]))
    return Needed(statistics.median([each.labels for each in values]), known)


@attrs.frozen
class Ratio:
    """Labels needed by one strategy over those needed by another.

    Attributes:
        value: the quotient, or what is known of it.
        sense: ``=``, or ``>`` where the one never gets there, ``<`` where the other does not.
    """

    value: float
    sense: Sense = "="


def ratio(one: Needed, other: Needed) -> Ratio | None:
    """The one's labels over the other's; None if neither gets there, or if the other needs none: none can be saved."""
    if not (one.reached or other.reached) or (other.reached and other.labels <= 0):
        return None
    sense: Sense = "=" if one.reached and other.reached else "<" if one.reached else ">"
    return Ratio(max(one.labels, LEAST) / max(other.labels, LEAST), sense)


@attrs.frozen
class MeanRatio:
    """A geometric mean of ratios, and how sure it is.

    Attributes:
        value: the mean, or a bound on it; None where nothing is known.
        sense: as of :class:`Ratio`.
        low, high: its 95 % confidence interval; None where there is a bound alone, or a video with a single pair.
        pairs: how many ratios it is of.
        planned: of how many pairs.
    """

    value: float | None
    sense: Sense
    low: float | None
    high: float | None
    pairs: int
    planned: int


def mean_ratio(videos: Sequence[Sequence[Ratio | None]]) -> MeanRatio:
    """The geometric mean over videos of the geometric means of their ratios, each of one seed's two runs.

    The interval is Student's t of the logarithms, and about the seeds: the videos are the ones there are, no sample;
    the degrees of freedom are Welch and Satterthwaite's, with one video the ordinary n − 1. Where some ratios are
    bounds of one sense so is the mean; where there are both senses nothing is known.

    Args:
        videos: the ratios of each, None where there is none.
    """
    known = [found for ratios in videos if (found := [each for each in ratios if each is not None])]
    planned, pairs = sum(map(len, videos)), sum(map(len, known))
    bounds: set[Sense] = {each.sense for ratios in known for each in ratios} - {"="}
    if not known or len(bounds) > 1:
        return MeanRatio(None, "=", None, None, pairs, planned)
    logs = [[math.log(each.value) for each in ratios] for ratios in known]
    mean = statistics.fmean(map(statistics.fmean, logs))
    if bounds:
        return MeanRatio(math.exp(mean), bounds.pop(), None, None, pairs, planned)
    half = _half_interval(logs)
    low, high = (None, None) if half is None else (math.exp(mean - half), math.exp(mean + half))
    return MeanRatio(math.exp(mean), "=", low, high, pairs, planned)


def _half_interval(strata: Sequence[Sequence[float]]) -> float | None:
    """Half the confidence interval of the mean of the strata's means; None where one of them has a single value."""
    from scipy.special import stdtrit

    if any(len(values) < 2 for values in strata):
        return None
    terms = [statistics.variance(values) / len(values) / len(strata) ** 2 for values in strata]
    largest = max(terms)
    if largest == 0:
        return 0.0
    shares = [term / largest for term in terms]  # the square of a tiny variance would be 0
    freedom = sum(shares) ** 2 / sum(share**2 / (len(values) - 1) for share, values in zip(shares, strata, strict=True))
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2) * math.sqrt(sum(terms)))
