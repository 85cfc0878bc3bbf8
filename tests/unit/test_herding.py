"""Selectors that cover the video pick what a plain search over all pairs picks, at a cost that stays bounded."""

from __future__ import annotations

import math

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_criteria.selection import coverage
from vatl_criteria.selection.coverage import Part, Points, thinned
from vatl_criteria.selection.herding import Herding, ProbCover
from vatl_criteria.selection.typical import TypiClust

SELECTORS = [
    Herding(), Herding(uncertainty=0, pose=0, time=0), Herding(features=0), Herding(width=0.3), ProbCover(),
    ProbCover(3.0), TypiClust(), TypiClust(neighbours=1, clusters=2),
]  # fmt: skip
SIZES = {"count": st.integers(3, 40), "labelled": st.integers(0, 12), "seed": st.integers(0, 1000)}


def video(count: int, labelled: int, seed: int, sure: float = 0.8, alike: bool = False) -> Pool:
    """A pool of doubles, two individuals in turn, with everything that a run tells of it."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(count, dtype=torch.bool)
    mask[torch.randperm(count, generator=generator)[:labelled]] = True

    def drawn(*shape: int) -> Tensor:
        return torch.full(shape, 0.3).double() if alike else torch.rand(shape, generator=generator, dtype=torch.float64)

    frame = torch.arange(count) // 2
    boxes = torch.cat([100 * drawn(count, 2), 20 + 50 * drawn(count, 2)], 1)
    return Pool(
        scores=drawn(count), features=drawn(count, 5), labelled=mask, boxes=boxes,
        keypoints=boxes[:, None, :2] + boxes[:, None, 2:] * drawn(count, 3, 2), keypoint_scores=sure * drawn(count, 3),
        frame=frame, track=torch.arange(count) % 2, time=frame.double() / 25,
    )  # fmt: skip


def permuted(pool: Pool, order: Tensor) -> Pool:
    fields = ("scores", "features", "labelled", "boxes", "keypoints", "keypoint_scores", "frame", "track", "time")
    return attrs.evolve(pool, **{name: getattr(pool, name)[order] for name in fields})


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --------------------------------------------------------------------------------------------------- plain references
def neighbour(squared: Tensor, shares: int) -> Tensor:
    """The median over all of the squared distance to the ⌈N / shares⌉-th neighbour."""
    place = min(len(squared) - 1, math.ceil(len(squared) / shares))
    return squared.sort(1).values[:, place].median()


def apart(points: Tensor) -> Tensor:
    return (points[:, None] - points).square().sum(2)


def one_at_a_time(near: Tensor, pool: Pool, weights: Tensor, count: int) -> list[int]:
    """Greedy picks from the whole kernel (N, N), as long as something is left to be covered."""
    settled, picks = pool.labelled.clone(), []
    for _ in range(min(count, len(pool.unlabelled))):
        covered = near[:, settled].amax(1) if settled.any() else torch.zeros(len(near)).double()
        gain = ((near - covered[:, None]).clamp(min=0) * weights[:, None]).sum(0)
        gain[settled | ~pool.askable] = -1
        if gain.max() <= 1e-6 * weights.sum():
            break
        picks.append(int((gain >= gain.max() * (1 - 1e-5)).nonzero()[0]))
        settled[picks[-1]] = True
    return picks


def herded(pool: Pool, count: int) -> list[int]:
    shares = int(pool.labelled.sum()) + min(count, len(pool.unlabelled))
    squared = torch.zeros(len(pool.scores), len(pool.scores)).double()
    sure = round(float(pool.keypoint_scores.clamp(0, 1).mean()), 3) if pool.labelled.any() else 0.0
    corner, size = pool.boxes[:, :2], pool.boxes[:, 2:]
    poses = (pool.keypoints - (corner + size / 2)[:, None]) / size.amax(1)[:, None, None]
    features = (pool.features - pool.features.mean(0)) / pool.features.std(0, correction=0)
    for part, share in ((features, 1.0), (poses.flatten(1), sure), (pool.time[:, None], 0.1)):
        squared += share * apart(part) / (part - part.mean(0)).square().sum(1).mean()
    near = (-squared / neighbour(squared, shares)).exp()
    return one_at_a_time(near, pool, uncertain(pool), count)


def uncertain(pool: Pool) -> Tensor:
    """The scores, from 0 at the 5th percentile of what may be asked for to 1 at the 95th; 1 where nothing is known."""
    ordered = sorted(pool.scores[pool.askable].tolist())
    last = len(ordered) - 1
    if not pool.labelled.any() or last < 0 or ordered[int(0.95 * last)] <= ordered[int(0.05 * last)]:
        return torch.ones_like(pool.scores)
    low, high = ordered[int(0.05 * last)], ordered[int(0.95 * last)]
    return ((pool.scores - low) / (high - low)).clamp(0, 1)


# ----------------------------------------------------------------------------------------------------------- exactness
@settings(max_examples=40, deadline=None)
@given(**SIZES, ask=st.integers(1, 12), sure=st.sampled_from([0.0, 0.4, 1.0, 3.0]), again=st.sampled_from([3, 8, 256]))
def test_herding_picks_what_a_search_over_all_pairs_picks(
    count: int, labelled: int, seed: int, ask: int, sure: float, again: int
) -> None:
    pool = video(count, min(labelled, count - 1), seed, sure)
    expected = herded(pool, ask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "AGAIN", again)
        assert Herding().select(pool, ask, seeded()).tolist()[: len(expected)] == expected


@settings(max_examples=40, deadline=None)
@given(**SIZES, ask=st.integers(1, 12), radius=st.sampled_from([0.3, 1.1, 3.0]))
def test_probcover_picks_what_a_search_over_all_pairs_picks(
    count: int, labelled: int, seed: int, ask: int, radius: float
) -> None:
    pool = video(count, min(labelled, count - 1), seed)
    squared, shares = apart(pool.features), int(pool.labelled.sum()) + min(ask, len(pool.unlabelled))
    near = (squared < radius**2 * neighbour(squared, shares) * (1 - 1e-12)).double()
    expected = one_at_a_time(near, pool, torch.ones(count).double(), ask)
    assert ProbCover(radius).select(pool, ask, seeded()).tolist()[: len(expected)] == expected


@pytest.mark.parametrize(("name", "value"), [("BLOCK", 1), ("BLOCK", 97), ("AGAIN", 1), ("AGAIN", 7)])
@pytest.mark.parametrize("selector", [Herding(), ProbCover()], ids=repr)
def test_blocks_change_nothing(selector: Selector, name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = video(90, 8, 5)
    whole = selector.select(pool, 30, seeded()).tolist()
    monkeypatch.setattr(coverage, name, value)
    assert selector.select(pool, 30, seeded()).tolist() == whole


@settings(max_examples=25, deadline=None)
@given(**SIZES)
def test_the_order_of_instances_does_not_matter(count: int, labelled: int, seed: int) -> None:
    labelled = max(1, min(labelled, count - 1))  # where all count alike, two that are each other's nearest tie
    pool, order = video(count, labelled, seed), torch.randperm(count, generator=seeded(seed))
    ask = 1 + count // 4
    picks = order[Herding().select(permuted(pool, order), ask, seeded())]
    assert picks.tolist() == Herding().select(pool, ask, seeded()).tolist()


# ----------------------------------------------------------------------------------------------------------- promises
@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 30), share=st.floats(0, 1), ask=st.integers(0, 40), seed=st.integers(0, 99),
    alike=st.booleans(), single=st.booleans(),
)  # fmt: skip
def test_picks_are_askable_different_and_as_many_as_there_are(
    selector: Selector, count: int, share: float, ask: int, seed: int, alike: bool, single: bool
) -> None:
    pool = video(count, int(share * count), seed, alike=alike)
    pool = attrs.evolve(pool, answerable=torch.rand(count, generator=seeded(seed)) < 0.7)
    if single:
        pool = attrs.evolve(pool, features=pool.features.float(), scores=pool.scores.float())
    picks = selector.select(pool, ask, seeded(seed))
    assert picks.dtype == torch.int64
    assert len(set(picks.tolist())) == len(picks) == min(ask, len(pool.unlabelled))
    assert pool.askable[picks].all()
    assert picks.tolist() == selector.select(pool, ask, seeded(seed)).tolist(), "the same seed, the same picks"


@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
def test_a_pool_of_scores_and_features_is_enough(selector: Selector) -> None:
    full = video(20, 3, 0)
    bare = Pool(full.scores, full.features, full.labelled)
    assert len(selector.select(bare, 5, seeded())) == 5


@pytest.mark.parametrize("selector", [Herding(), ProbCover()], ids=repr)
def test_equal_features_give_the_lowest_index_first_and_then_any(selector: Selector) -> None:
    pool = Pool(torch.zeros(50), torch.full((50, 3), 7.1), torch.zeros(50) > 0)
    picks = selector.select(pool, 10, seeded()).tolist()
    assert picks[0] == 0
    assert picks != list(range(10)), "all is covered: the rest is drawn, not the video's first frames"


# ------------------------------------------------------------------------------------------------------------ meaning
def islands(sizes: list[int], labelled: list[int]) -> Pool:
    """Groups of like instances far apart, some of which have a label."""
    group = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    noise = 0.01 * torch.randn(len(group), 8, generator=seeded(1))
    mask = torch.zeros(len(group), dtype=torch.bool)
    for number in labelled:
        mask[(group == number).nonzero()[0]] = True
    return Pool(torch.zeros(len(group)), 5 * torch.eye(8)[group] + noise, mask)


@pytest.mark.parametrize("selector", [Herding(width=2), ProbCover(), TypiClust()], ids=repr)
def test_large_groups_without_a_label_come_first(selector: Selector) -> None:
    sizes = [30, 10, 20, 15]
    group = torch.arange(4).repeat_interleave(torch.tensor(sizes))
    assert group[selector.select(islands(sizes, [0]), 3, seeded())].tolist() == [2, 3, 1]


def test_uncertainty_counts_once_something_is_learnt() -> None:
    group = torch.arange(3).repeat_interleave(torch.tensor([20, 10, 5]))
    unsure = attrs.evolve(islands([20, 10, 5], [2]), scores=(group == 1).float())
    fresh = attrs.evolve(unsure, labelled=torch.zeros(35) > 0, answerable=group < 2)

    def first(herding: Herding, pool: Pool) -> int:
        return int(group[herding.select(pool, 1, seeded())[0]])

    assert first(Herding(), unsure) == 1
    assert first(Herding(uncertainty=0), unsure) == 0
    assert first(Herding(), fresh) == 0, "nothing is learnt from the video yet"


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_uncertainty_is_relative_to_the_videos_own(scale: float) -> None:
    pool = video(40, 8, 3)
    other = attrs.evolve(pool, scores=pool.scores * scale + scale)
    assert Herding().select(pool, 8, seeded()).tolist() == Herding().select(other, 8, seeded()).tolist()


def test_where_all_are_equally_uncertain_they_count_alike() -> None:
    pool = video(40, 8, 3)
    alike = attrs.evolve(pool, scores=torch.full((40,), 0.3))
    assert Herding().select(alike, 8, seeded()).tolist() == Herding(uncertainty=0).select(pool, 8, seeded()).tolist()


def test_each_share_can_be_switched_off() -> None:
    pool = video(30, 2, 4)
    moved = torch.randperm(30, generator=seeded(9))
    for option, field in (("features", "features"), ("pose", "keypoints"), ("time", "time")):
        other = attrs.evolve(pool, **{field: getattr(pool, field)[moved]})
        without, with_it = Herding(**{"time": 1.0, option: 0}), Herding(time=1)
        assert without.select(pool, 9, seeded()).tolist() == without.select(other, 9, seeded()).tolist(), option
        assert with_it.select(pool, 9, seeded()).tolist() != with_it.select(other, 9, seeded()).tolist(), option


def test_more_frames_a_second_do_not_narrow_the_kernel_and_more_labels_do() -> None:
    steps = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
    often = torch.linspace(0, 1, 401, dtype=torch.float64)[:, None]
    few, many, finer = (
        float(Points([Part.of(values)]).squared_reach(shares, seeded()).sqrt())
        for values, shares in ((steps, 10), (steps, 100), (often, 10))
    )
    assert finer == pytest.approx(few, rel=0.15)
    assert many == pytest.approx(0.01)


def test_beginning_far_from_zero_costs_time_no_precision() -> None:
    pool = video(40, 3, 6)
    single = attrs.evolve(pool, features=pool.features.float(), scores=pool.scores.float())
    later = attrs.evolve(single, time=single.time + 1.7e9)
    assert Herding().select(later, 8, seeded()).tolist() == Herding().select(single, 8, seeded()).tolist()


# -------------------------------------------------------------------------------------------------------------- bounds
def test_the_kernel_stays_within_its_bound_and_still_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, largest = video(600, 10, 2), 0
    exact = Herding().select(pool, 40, seeded())
    whole = Points.kernel

    def watched(self: Points, kernel: coverage.Kernel, some: Tensor, others: Tensor) -> Tensor:
        nonlocal largest
        largest = max(largest, len(some) * len(others))
        return whole(self, kernel, some, others)

    monkeypatch.setattr(coverage, "VALUES", 60_000)
    monkeypatch.setattr(coverage, "LANDMARKS", 50)
    monkeypatch.setattr(Points, "kernel", watched)
    thin = Herding().select(pool, 40, seeded())
    assert largest <= 60_000
    points = Points([Part.of(pool.features, standardised=True)]).rows(torch.arange(600))
    kernel = (-apart(points) / apart(points).median()).exp()
    covered = [kernel[:, torch.cat([pool.labelled.nonzero()[:, 0], picks])].amax(1).mean() for picks in (exact, thin)]
    assert covered[1] > 0.95 * covered[0]


def test_instances_drawn_evenly_are_one_of_each_stretch() -> None:
    picked = thinned(torch.arange(1000, 2000), 50, seeded())
    assert ((picked - 1000) // 20).tolist() == list(range(50))
    assert thinned(torch.arange(7), 50, seeded()).tolist() == list(range(7))
    assert len(set((picked % 2).tolist())) == 2, "two individuals in turn are both met"
