"""Stopping by the heatmaps: on a plateau whatever the noise, never on a slope, and not where nothing is learnt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vatl_core.records import CycleRecord, History
from vatl_stopping.settled import Settled

SCHEDULE = (0, 11, 22, 32, 43, 65, 86, 130, 173, 216)
ONE_BY_ONE = tuple(range(0, 217))
DOUBLING = (0, 5, 10, 20, 40, 80, 160, 216)


def records(
    labels: Sequence[int], thc: Sequence[float], heights: Sequence[float], oks: Sequence[float | None] = (0.9,)
) -> tuple[CycleRecord, ...]:
    """One cycle a number of labels; as many instances as the last of them; labelled ones have one OKS a cycle."""
    similar = [*oks] if len(oks) == len(labels) else [*oks] * len(labels)
    return tuple(
        CycleRecord(
            cycle, labels[-1], now, tuple(range(now, after)), query_oks=(similar[cycle],) * (after - now),
            mean_scores={"thc": thc[cycle], "lc": -heights[cycle], "wpu": 0.1},
        )
        for cycle, (now, after) in enumerate(zip(labels, [*labels[1:], labels[-1]], strict=True))
    )  # fmt: skip


def stops_with(cycles: Sequence[CycleRecord], settled: Settled | None = None, threshold: float = 0.5) -> int | None:
    """How many labels there are when it stops first; None where it never does."""
    for end in range(1, len(cycles) + 1):
        history = History(tuple(cycles[:end]), threshold)
        if (settled or Settled()).decide(history):
            return history.labelled
    return None


# ----------------------------------------------------------------------------------------------------- recorded curves
# `vatl run --query wpu --video V` and the same with `--weights none`, seed 0: thc, −lc, mean OKS of what is labelled,
# mean OKS of all, in each cycle.
Curves = tuple[list[float], list[float], list[float], list[float]]
RECORDED: dict[str, Curves] = {
    "dance": (
        [14.68, 17.71, 16.50, 16.19, 15.99, 15.57, 14.82, 15.15, 15.15, 15.08],
        [6.919, 13.039, 13.112, 13.907, 14.129, 13.885, 13.582, 14.188, 14.435, 14.501],
        [0.419, 0.821, 0.917, 0.904, 0.918, 0.918, 0.929, 0.937, 0.941, 0.940],
        [0.381, 0.858, 0.894, 0.898, 0.917, 0.927, 0.930, 0.940, 0.941, 0.940],
    ),
    "gym": (
        [10.13, 16.44, 15.87, 13.91, 14.39, 12.79, 12.30, 12.49, 13.20, 12.81],
        [5.121, 11.483, 11.459, 11.935, 12.693, 12.425, 12.540, 12.934, 13.617, 13.356],
        [0.122, 0.805, 0.790, 0.847, 0.856, 0.887, 0.889, 0.916, 0.922, 0.917],
        [0.144, 0.761, 0.762, 0.842, 0.826, 0.875, 0.885, 0.915, 0.922, 0.917],
    ),
    "beach": (
        [15.88, 17.01, 17.47, 16.71, 16.16, 15.91, 17.16, 15.69, 16.05, 16.60],
        [7.360, 13.363, 13.283, 13.357, 12.998, 13.711, 14.423, 13.341, 13.924, 13.896],
        [0.513, 0.888, 0.903, 0.887, 0.901, 0.927, 0.927, 0.927, 0.942, 0.940],
        [0.516, 0.867, 0.879, 0.878, 0.895, 0.920, 0.918, 0.923, 0.942, 0.940],
    ),
    "night": (
        [10.09, 19.72, 17.43, 16.46, 16.39, 15.45, 16.03, 16.19, 15.24, 16.10],
        [5.288, 12.725, 13.336, 11.933, 13.413, 13.172, 13.594, 13.849, 13.575, 14.384],
        [0.214, 0.813, 0.873, 0.820, 0.900, 0.922, 0.934, 0.944, 0.945, 0.938],
        [0.210, 0.808, 0.850, 0.795, 0.892, 0.919, 0.931, 0.940, 0.945, 0.938],
    ),
    "dance, random weights": (
        [0.15, 15.81, 16.65, 18.33, 18.10, 18.25, 18.18, 17.20, 16.77, 16.15],
        [0.131, 7.107, 10.158, 10.397, 11.184, 13.180, 13.832, 14.231, 15.018, 14.863],
        [0.059, 0.561, 0.791, 0.800, 0.855, 0.887, 0.889, 0.932, 0.941, 0.938],
        [0.059, 0.523, 0.775, 0.804, 0.851, 0.885, 0.892, 0.934, 0.941, 0.938],
    ),
    "gym, random weights": (
        [0.05, 9.47, 14.99, 15.00, 15.53, 15.48, 15.60, 14.85, 14.44, 13.38],
        [0.128, 5.533, 9.334, 9.935, 10.811, 12.041, 12.014, 13.549, 14.059, 13.909],
        [0.012, 0.459, 0.708, 0.712, 0.742, 0.834, 0.829, 0.891, 0.907, 0.908],
        [0.023, 0.432, 0.674, 0.686, 0.724, 0.826, 0.821, 0.890, 0.907, 0.908],
    ),
    "beach, random weights": (
        [0.12, 13.37, 15.71, 17.42, 17.38, 18.25, 19.04, 17.80, 17.73, 17.24],
        [0.130, 7.324, 9.412, 10.756, 11.089, 13.071, 13.807, 14.095, 14.604, 14.447],
        [0.021, 0.532, 0.728, 0.797, 0.812, 0.874, 0.882, 0.923, 0.930, 0.946],
        [0.032, 0.565, 0.713, 0.791, 0.805, 0.870, 0.877, 0.921, 0.930, 0.946],
    ),
    "night, random weights": (
        [0.10, 11.41, 16.26, 15.99, 17.12, 18.26, 18.11, 18.38, 17.22, 16.86],
        [0.130, 4.140, 8.408, 9.923, 9.547, 11.516, 12.561, 13.867, 14.092, 14.361],
        [0.021, 0.463, 0.720, 0.725, 0.762, 0.837, 0.869, 0.914, 0.918, 0.941],
        [0.028, 0.451, 0.695, 0.736, 0.732, 0.825, 0.865, 0.911, 0.918, 0.941],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_real_runs_end_before_all_is_labelled_and_close_to_what_that_would_give(name: str) -> None:
    thc, heights, labelled, everything = RECORDED[name]
    labels = stops_with(records(SCHEDULE, thc, heights, labelled))
    assert labels is not None
    assert labels <= (173 if "random" in name else 130)
    assert everything[SCHEDULE.index(labels)] > everything[-1] - 0.025


# -------------------------------------------------------------------------------------------------------- made-up ones
def noisy(curve: Callable[[int], float], labels: Sequence[int], noise: Sequence[float]) -> list[float]:
    return [curve(max(now, 1)) * math.exp(noise[i % len(noise)]) for i, now in enumerate(labels)]


def noise(most: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(-most, most), min_size=10, max_size=40)


@settings(max_examples=200, deadline=None)
@given(apart=noise(0.03), tall=noise(0.03), level=st.floats(1e-3, 1e3), height=st.floats(1e-3, 1e3))
def test_noise_about_a_plateau_fires(apart: list[float], tall: list[float], level: float, height: float) -> None:
    heights = noisy(lambda _: height, SCHEDULE, tall)
    labels = stops_with(records(SCHEDULE, noisy(lambda _: level, SCHEDULE, apart), heights))
    assert labels is not None
    assert labels <= 86


@settings(max_examples=200, deadline=None)
@given(apart=noise(0.03), tall=noise(0.03), power=st.floats(0.1, 0.5), until=st.sampled_from([22, 43]))
def test_a_plateau_after_a_fall_fires_before_all_is_labelled(
    apart: list[float], tall: list[float], power: float, until: int
) -> None:
    thc = noisy(lambda now: min(now, until) ** -power, SCHEDULE, apart)
    labels = stops_with(records(SCHEDULE, thc, noisy(lambda _: 0.8, SCHEDULE, tall)))
    assert labels is not None
    assert labels <= 173


@settings(max_examples=200, deadline=None)
@given(
    apart=noise(0.02), tall=noise(0.02), power=st.floats(0.1, 1.5), rises=st.booleans(),
    several=st.sampled_from([1, 30]),
)  # fmt: skip
def test_what_falls_or_rises_steadily_goes_on_until_little_is_to_come(
    apart: list[float], tall: list[float], power: float, rises: bool, several: int
) -> None:
    labels = [now * several for now in SCHEDULE]
    thc = noisy(lambda now: now ** (power if rises else -power), labels, apart)
    end = stops_with(records(labels, thc, noisy(lambda _: 0.8, labels, tall)))
    ahead = math.log(labels[-1] / (end or labels[-1]))
    assert abs(math.expm1((power if rises else -power) * ahead)) < 0.15 + 0.04 * 1.5 * ahead


@settings(max_examples=100, deadline=None)
@given(apart=noise(0.02), power=st.floats(0.2, 1))
def test_thc_that_stands_still_while_heatmaps_grow_is_no_plateau(apart: list[float], power: float) -> None:
    thc, heights = noisy(lambda _: 15.0, SCHEDULE, apart), noisy(lambda now: now**power, SCHEDULE, [0.0])
    labels = stops_with(records(SCHEDULE, thc, heights))
    assert labels is None or (216 / labels) ** power < 1.2


@pytest.mark.parametrize("factor", [[1.3, 0.8, 1.1, 0.9], [0.5], [2.0, 1.0]])
def test_how_tall_a_retraining_makes_the_maps_does_not_count_for_steadiness(factor: list[float]) -> None:
    by = [math.log(f) for f in factor]
    cycles = records(SCHEDULE, noisy(lambda _: 15, SCHEDULE, by), noisy(lambda _: 0.8, SCHEDULE, by))
    reason = Settled(tolerance=9).decide(History(cycles[:5], 0.5))
    assert reason is not None
    assert re.search(r"THC in units of it by 0\.0%", reason)


def test_the_slope_may_be_steeper_by_its_standard_error() -> None:
    thc = [20.0, 16.0, 15.0, 15.2, 14.1]
    reason = Settled(tolerance=9).decide(History(records(SCHEDULE, [*thc, *thc], [0.8] * 10)[:5], 0.5))
    line, covariance = np.polyfit(np.log(SCHEDULE[1:5]), np.log(thc[1:]), 1, cov=True)
    steepest = abs(math.expm1((line[0] - math.sqrt(covariance[0, 0])) * math.log(216 / 65)))
    assert reason is not None
    assert f"THC in units of it by {steepest:.1%}" in reason


@pytest.mark.parametrize("unit", [1e-6, 17, 1e6])
def test_units_do_not_matter(unit: float) -> None:
    thc, heights, *_ = RECORDED["gym"]
    for scaled in ([unit * t for t in thc], heights), (thc, [unit * h for h in heights]):
        assert stops_with(records(SCHEDULE, *scaled)) == stops_with(records(SCHEDULE, thc, heights))


def test_labels_count_not_the_cycles_that_they_come_in() -> None:
    def curve(now: int) -> float:
        return 20 * max(now, 1) ** -0.15

    ends = []
    for labels in (ONE_BY_ONE, SCHEDULE, DOUBLING):
        ends.append(stops_with(records(labels, [curve(now) for now in labels], [0.8] * len(labels))))
    expected = 216 * 0.85 ** (1 / 0.15)
    assert ends[0] == math.ceil(expected)
    assert ends[1] == min(now for now in SCHEDULE if now > expected)
    assert ends[2] == min(now for now in DOUBLING if now > expected)


# ----------------------------------------------------------------------------------------------------- where it is mute
def flat(labels: Sequence[int] = SCHEDULE, oks: Sequence[float | None] = (0.9,)) -> tuple[CycleRecord, ...]:
    return records(labels, [15.0] * len(labels), [0.8] * len(labels), oks)


@pytest.mark.parametrize(("oks", "threshold", "stops"), [(0.05, 0.5, False), (0.6, 0.5, True), (0.6, 0.7, False)])
def test_it_is_mute_while_nothing_is_learnt(oks: float, threshold: float, stops: bool) -> None:
    assert (stops_with(flat(oks=[oks]), threshold=threshold) is not None) is stops


def test_labels_in_which_nothing_is_visible_say_nothing_of_what_is_learnt() -> None:
    assert stops_with(flat(oks=[None])) is None
    some = [attrs.evolve(c, query_oks=(None, *c.query_oks[1:])) for c in flat()]
    assert stops_with(some) == stops_with(flat()) == 65


def test_the_source_estimators_heatmaps_do_not_count() -> None:
    first, *others = flat()
    other = attrs.evolve(first, mean_scores={"thc": 0.01, "lc": -1e-3})
    assert stops_with([other, *others]) == stops_with(flat())


@pytest.mark.parametrize("scores", [{"thc": 0.0, "lc": -0.8}, {"thc": 15.0, "lc": 0.0}, {"thc": 15.0, "lc": 0.2}])
def test_it_is_mute_without_neighbours_in_time_or_heights(scores: dict[str, float]) -> None:
    assert stops_with([attrs.evolve(record, mean_scores=scores) for record in flat()]) is None


def test_it_is_mute_where_nobody_answers_and_where_nothing_is_left_to_ask() -> None:
    waiting = records((0, *[11] * 8, 216), [15.0] * 10, [0.8] * 10)
    assert stops_with(waiting[:-1]) is None
    assert Settled().decide(History(flat(), 0.5)) is None


@pytest.mark.parametrize(("patience", "labels"), [(2, 43), (3, 65), (4, 86)])
def test_patience_is_the_doublings_it_looks_back_and_one_cycle_more_at_the_least(patience: int, labels: int) -> None:
    assert stops_with(flat(), Settled(patience=patience)) == labels


def test_what_was_before_these_doublings_is_forgotten() -> None:
    labels = (0, 10, 20, 40, 80, 160, 320, 640, 1280)
    thc = [9.0, *[40.0, 20.0], *[10.0] * 6]
    heights = [0.8] * 9
    assert stops_with(records(labels, thc, heights), Settled(patience=2)) == 320
    assert stops_with(records(labels, thc, heights), Settled(patience=4)) is None


@pytest.mark.parametrize(("tolerance", "labels"), [(0.02, None), (0.05, 173), (0.1, 130), (0.15, 86), (0.2, 65)])
def test_tolerance_is_what_may_be_left_to_change(tolerance: float, labels: int | None) -> None:
    thc, heights, *_ = RECORDED["dance"]
    assert stops_with(records(SCHEDULE, thc, heights), Settled(tolerance=tolerance)) == labels


def test_the_reason_says_what_is_expected_and_the_last_labels_are_learnt_from() -> None:
    reason = Settled().decide(History(flat()[:5], 0.5))
    assert reason == (
        "labelling the other 151 instances would change the heatmaps' height by at most 0.0%, "
        "and THC in units of it by 0.0%: less than 15%"
    )
    assert Settled.retrains


@pytest.mark.parametrize("options", [{"patience": 1}, {"tolerance": 0.0}, {"tolerance": -1.0}])
def test_options_that_mean_nothing_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Settled(**options)  # type: ignore[arg-type]
