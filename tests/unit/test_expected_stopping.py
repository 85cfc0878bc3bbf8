"""Stopping by the accuracy to be expected: when labels gain too little, and not before there is evidence of it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vatl_core.records import CycleRecord, History
from vatl_stopping.expected import Expected

SCHEDULE = (0, 10, 20, 30, 40, 60, 80, 120, 160)


def cycles(means: Sequence[float], labels: Sequence[int] = SCHEDULE, instances: int = 200) -> tuple[CycleRecord, ...]:
    """Cycles that asked for what leads to the next one's labels, the last for as many as the one before."""
    ends = [*labels[1 : len(means)], 2 * labels[len(means) - 1] - labels[len(means) - 2] or 10]
    return tuple(
        CycleRecord(number, instances, known, tuple(range(known, end)), mean_scores={"eoks": 1 - mean})
        for number, (mean, known, end) in enumerate(zip(means, labels, ends, strict=False))
    )


def stopped(means: Sequence[float], stopping: Expected | None = None, **more: object) -> int | None:
    """The cycle in which it stops."""
    there = cycles(means, **more)  # type: ignore[arg-type]
    stopping = stopping or Expected()
    return next((n for n in range(len(there)) if stopping.decide(History(there[: n + 1], 0.5))), None)


def curve(slope: float, labels: Sequence[int] = SCHEDULE, start: float = 0.7) -> list[float]:
    """Means that rise by ``slope`` each time the labels double."""
    return [0.2, *(start + slope * math.log2(known / 10) for known in labels[1:])]


def test_it_stops_where_the_mean_has_settled_and_says_why() -> None:
    settled = [0.2, 0.6, 0.8, 0.85, 0.86, 0.86, 0.86, 0.86, 0.86]
    at = stopped(settled)
    assert at is not None
    assert 4 <= at < 8
    reason = Expected().decide(History(cycles(settled)[: at + 1], 0.5))
    assert reason is not None
    asked = SCHEDULE[at + 1] - SCHEDULE[at]
    assert reason.startswith(f"{asked} more labels are expected to raise the mean OKS by 0.0")
    assert reason.endswith("of an instance's OKS a label, less than 0.3")


def test_it_goes_on_while_labels_gain() -> None:
    assert stopped(curve(0.15, start=0.2), instances=400) is None


@given(slopes=st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), gain=st.floats(0.05, 1))
def test_it_stops_later_where_the_mean_rises_faster(slopes: tuple[float, float], gain: float) -> None:
    slow, fast = (stopped(curve(slope), Expected(gain=gain)) for slope in sorted(slopes))
    assert fast is None or (slow is not None and slow <= fast)


@pytest.mark.parametrize("cycle", [3, 4, 5, 6])
@pytest.mark.parametrize("by", [-0.03, 0.03])
def test_one_noisy_cycle_changes_little(cycle: int, by: float) -> None:
    """One that is off looks like a rise or a fall at first; it neither ends a run that gains nor keeps one going."""
    rising, settled = curve(0.15, start=0.2), curve(0.005)
    rising[cycle] += by
    settled[cycle] += by
    assert stopped(rising, instances=400) is None
    at = stopped(settled)
    assert at is not None
    assert at <= 5


@pytest.mark.parametrize("means", [[0.8], [0.8, 0.8], [0.8, 0.8, 0.8], [0.8, 0.8, 0.8, 0.8]])
def test_it_needs_evidence(means: list[float]) -> None:
    assert stopped(means) is None


def test_few_cycles_are_enough_where_they_tell() -> None:
    assert stopped([0.2, 0.6, 0.8, 0.8, 0.8]) == 4
    assert stopped([0.2, 0.6, 0.8, 0.8], Expected(patience=1)) == 3


def test_labels_one_by_one_do_not_end_it_by_chance() -> None:
    """Fifty cycles whose means scatter about a curve that still rises."""
    labels, chance = range(60), random.Random(4)
    means = [0.2, *(0.7 + 0.09 * math.log2(known / 10) + chance.gauss(0, 0.02) for known in labels[1:])]
    assert stopped(means, labels=labels, instances=2000) is None
    flat = [0.2, *(0.8 + chance.gauss(0, 0.02) for _ in labels[1:])]
    assert stopped(flat, labels=labels, instances=200) is not None


def test_larger_queries_must_gain_more() -> None:
    """The same means of a video: by queries of 10 % it is worth going on, by queries of half of it it is not."""
    means = curve(0.04, (0, 10, 20, 40, 60, 80))
    small, large = cycles(means, (0, 10, 20, 40, 60, 80)), cycles(means, (0, 10, 20, 40, 60, 80))
    asked = attrs.evolve(large[-1], query=tuple(range(100)))
    before = attrs.evolve(large[-2], query=tuple(range(100)))
    assert Expected(gain=0.06).decide(History(small, 0.5)) is None
    assert Expected(gain=0.06).decide(History((*large[:-2], before, asked), 0.5))


def test_the_length_of_the_video_does_not_matter() -> None:
    """Ten times as many instances, ten times as many labels: the same share of it is labelled."""
    means = curve(0.035)
    assert stopped(means) == stopped(means, labels=[10 * known for known in SCHEDULE], instances=2000) is not None


def test_runs_in_which_nothing_was_expected_go_on() -> None:
    bare = tuple(attrs.evolve(cycle, mean_scores={}) for cycle in cycles(curve(0.0)))
    assert Expected().decide(History(bare, 0.5)) is None
    alike = cycles(curve(0.0))
    again = attrs.evolve(alike[-1], cycle=9, query=(), corrected=(1, 2))
    assert Expected().decide(History((*alike, again), 0.5)) is None, "nothing was asked for: only labels corrected"
