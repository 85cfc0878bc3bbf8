"""Stopping by the accuracy to be expected: when little is to come of more labels, and not before there is evidence."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vatl_core.records import CycleRecord, History
from vatl_stopping.expected import Expected

SCHEDULE = (0, 10, 20, 40, 60, 80, 120, 160, 240)


def cycles(means: Sequence[float], labels: Sequence[int] = SCHEDULE, instances: int = 800) -> tuple[CycleRecord, ...]:
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


def curve(error: float, power: float = 1.0, labels: Sequence[int] = SCHEDULE) -> list[float]:
    """Means whose error falls by this power of the labels, from what it is with the first ten."""
    return [0.2, *(1 - error * (known / 10) ** -power for known in labels[1:])]


@pytest.mark.parametrize("error", [0.1, 0.2, 0.4, 0.8])
def test_it_stops_as_soon_as_twice_the_labels_would_not_halve_away_enough(error: float) -> None:
    """Each curve is one on which what the labels just given leave, halved, is known."""
    halves = [error * 10 / then / 2 for _, then in pairwise(SCHEDULE)]
    first = next(n for n, half in enumerate(halves) if n >= 2 and half < 0.02)
    assert stopped(curve(error)) == first
    reason = Expected().decide(History(cycles(curve(error))[: first + 1], 0.5))
    more = SCHEDULE[first + 1]
    assert reason == f"{more} more labels would change the mean OKS by at most {halves[first]:.4f}, less than 0.02"


def test_it_stops_where_the_mean_has_settled_however_much_is_wrong() -> None:
    assert stopped([0.2, 0.5, *[0.8] * 7]) == 7, (
        "an error of 0.2 falls with the labels, as long as it is not seen not to"
    )
    assert stopped([0.2, 0.5, 0.9, 0.96, 0.97, 0.97, 0.97]) in (3, 4)


@given(
    errors=st.tuples(st.floats(0.02, 0.9), st.floats(0.02, 0.9)), power=st.floats(0.3, 1.5), rise=st.floats(0.005, 0.1)
)
def test_it_stops_later_where_more_is_wrong(errors: tuple[float, float], power: float, rise: float) -> None:
    little, much = (stopped(curve(error, power), Expected(rise=rise)) for error in sorted(errors))
    assert much is None or (little is not None and little <= much)


def test_it_goes_on_while_labels_gain() -> None:
    assert stopped(curve(0.6, power=0.4)) is None


@pytest.mark.parametrize("cycle", [3, 4, 5])
@pytest.mark.parametrize("by", [-0.02, 0.02])
def test_one_noisy_cycle_changes_little(cycle: int, by: float) -> None:
    """One that is off looks like a rise or a fall; it neither ends a run that gains nor keeps one going for long."""
    rising, settled = curve(0.6, power=0.5), curve(0.1)
    rising[cycle] += by
    settled[cycle] += by
    assert stopped(rising) is None
    at = stopped(settled)
    assert at is not None
    assert at <= 5


@pytest.mark.parametrize("means", [[0.99], [0.99, 0.99]])
def test_what_nothing_was_held_against_counts_for_nothing(means: list[float]) -> None:
    assert stopped(means) is None
    assert stopped([*means, *[0.99] * (3 - len(means))]) == 2


@pytest.mark.parametrize("means", [[0.0, 0.77, 0.913, 0.664], [0.0, 0.4, 0.854, 0.587], [0.0, 0.4, 0.848, 0.75]])
def test_an_expectation_that_falls_is_no_plateau(means: list[float]) -> None:
    """As videos had it whose first queries were of the worst poses."""
    assert stopped(means, labels=(0, 12, 24, 48, 96), instances=600) is None


def asked(means: Sequence[float], turned_out: Sequence[float | None], instances: int = 600) -> tuple[CycleRecord, ...]:
    """Cycles whose queries turned out to have these mean OKS."""
    there = cycles(means, labels=(0, 12, 24, 48, 96), instances=instances)
    return tuple(
        attrs.evolve(cycle, query_oks=(oks,) * len(cycle.query)) for cycle, oks in zip(there, turned_out, strict=True)
    )


def test_an_expectation_that_queries_belie_is_not_believed() -> None:
    """As two flies had it: the video seems nearly right, and what is asked for is not."""
    means = [0.0, 0.42, 0.93, 0.968]
    assert Expected().decide(History(asked(means, [0.0, 0.46, 0.64, 0.8]), 0.5)) is None
    assert Expected().decide(History(asked(means, [0.0, 0.46, 0.93, 0.97]), 0.5))
    assert Expected().decide(History(asked(means, [0.0, 0.46, None, None]), 0.5)), "where labels tell nothing"
    assert Expected().decide(History(asked(means, [0.0, 0.46, 0.8, None]), 0.5)) is None, "what they told before counts"


def test_labels_one_by_one_do_not_end_it_by_chance() -> None:
    """Fifty cycles whose means scatter about a curve that still rises."""
    labels, chance = range(60), random.Random(4)
    means = [0.2, *(1 - 0.5 * (known / 10) ** -0.6 + chance.gauss(0, 0.02) for known in labels[1:])]
    assert stopped(means, labels=labels, instances=2000) is None
    flat = [0.2, *(0.97 + chance.gauss(0, 0.005) for _ in labels[1:])]
    assert stopped(flat, labels=labels, instances=200) is not None


def test_it_is_labels_that_count_and_not_the_cycles_they_come_in() -> None:
    """Twice as many cycles to the same labels end near the same labels."""
    fine = (0, *range(10, 200, 10))
    coarse, small = stopped(curve(0.4)), stopped(curve(0.4, labels=fine), labels=fine)
    assert coarse is not None
    assert small is not None
    assert abs(SCHEDULE[coarse + 1] - fine[small + 1]) <= 20


@pytest.mark.parametrize(("instances", "ends"), [(800, None), (100, 4)])
def test_there_is_no_more_to_gain_than_the_video_has(instances: int, ends: int | None) -> None:
    """Where little is left to label, little is to be gained."""
    means = curve(0.3, power=0.5)[:5]
    assert stopped(means, instances=instances) == ends
    everything = attrs.evolve(cycles(means)[-1], instances=80)
    assert Expected().decide(History((*cycles(means)[:-1], everything), 0.5)) is None, "nothing is left to stop before"


def test_an_estimator_that_is_expected_to_be_right_needs_no_more() -> None:
    assert stopped([0.2, 0.9, 1.0, 1.0]) == 2


def test_runs_in_which_nothing_was_expected_go_on() -> None:
    bare = tuple(attrs.evolve(cycle, mean_scores={}) for cycle in cycles(curve(0.0)))
    assert Expected().decide(History(bare, 0.5)) is None
    alike = cycles(curve(0.01))
    again = attrs.evolve(alike[-1], cycle=9, query=(), corrected=(1, 2))
    assert Expected().decide(History((*alike, again), 0.5)) is None, "nothing was asked for: only labels corrected"
    unseen = attrs.evolve(alike[-1], cycle=9, mean_scores={})
    assert Expected().decide(History((*alike, unseen), 0.5)) is None, "not of the cycle before"
