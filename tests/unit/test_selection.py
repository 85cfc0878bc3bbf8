"""What every selector promises, whatever it is given."""

from __future__ import annotations

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vatl_core.contracts import Pool, Selector
from vatl_core.cycle import normalised
from vatl_core.cycle.combining import combined
from vatl_criteria.selection import kcentre
from vatl_criteria.selection.clusters import DynamicWeightedClustering, KMeans, weighted_kmeans
from vatl_criteria.selection.filters import Diversity, RandomFilter
from vatl_criteria.selection.kcentre import CoreSet, DynamicUncertaintyWeighting, FixedLambda
from vatl_criteria.selection.simple import Random, Top

SELECTORS = [
    Random(), Top(), CoreSet(), DynamicUncertaintyWeighting(), DynamicUncertaintyWeighting(0.5, True), FixedLambda(),
    FixedLambda(2.0, True), RandomFilter(), RandomFilter(1), Diversity(), KMeans(), DynamicWeightedClustering(),
    DynamicWeightedClustering(5.0),
]  # fmt: skip


def pool(count: int, labelled: int, seed: int, constant: bool) -> Pool:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(count, dtype=torch.bool)
    mask[torch.randperm(count, generator=generator)[:labelled]] = True
    scores = torch.full((count,), 0.5) if constant else torch.rand(count, generator=generator)
    features = torch.ones(count, 4) if constant else torch.randn(count, 4, generator=generator)
    watched = {"peaks": torch.rand(count, generator=generator)}
    return Pool(scores, features, mask, 0.4 if labelled else None, watched)


@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 40),
    share=st.floats(0, 1),
    ask=st.integers(1, 50),
    seed=st.integers(0, 1000),
    constant=st.booleans(),
)
def test_picks_are_new_different_and_as_many_as_there_are(
    selector: Selector, count: int, share: float, ask: int, seed: int, constant: bool
) -> None:
    labelled = int(share * count)
    given_pool = pool(count, labelled, seed, constant)
    before = given_pool.labelled.clone()
    picks = selector.select(given_pool, ask, torch.Generator().manual_seed(seed))
    assert len(picks) == min(ask, count - labelled)
    assert len(set(picks.tolist())) == len(picks)
    assert not before[picks].any()
    assert torch.equal(given_pool.labelled, before), "the pool is not the selector's to change"


@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
def test_the_same_seed_gives_the_same_picks(selector: Selector) -> None:
    picks = [selector.select(pool(30, 5, 1, False), 7, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert picks[0].tolist() == picks[1].tolist()


@settings(max_examples=60, deadline=None)
@given(
    labelled=st.integers(0, 20), seed=st.integers(0, 1000), far=st.sampled_from([0.0, 0.3, 1.0]),
    uncertain=st.sampled_from([0.0, 0.7, 20.0]), candidates=st.sampled_from([1, 3, 16, 256]),
)  # fmt: skip
def test_greedy_picks_are_those_of_one_step_at_a_time(
    labelled: int, seed: int, far: float, uncertain: float, candidates: int
) -> None:
    plain = pool(60, labelled, seed, False)
    plain = attrs.evolve(plain, features=plain.features.double(), scores=plain.scores.double())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kcentre, "CANDIDATES", candidates)
        ours = kcentre.greedy(plain, 25, far, uncertain, None).tolist()
    left, expected = ~plain.labelled, []
    while len(expected) < 25:
        centres = plain.features[~left]
        distance = torch.cdist(plain.features, centres).amin(1) if len(centres) else torch.zeros(60)
        value = far * distance + uncertain * plain.scores if len(centres) else plain.scores
        expected.append(int(torch.where(left, value, -torch.inf).argmax()))
        left[expected[-1]] = False
    assert ours == expected


@pytest.mark.parametrize("selector", [CoreSet(), DynamicUncertaintyWeighting()])
def test_distances_are_to_what_is_labelled_alone_whatever_cannot_be_answered(selector: Selector) -> None:
    features = torch.arange(9.0)[:, None]
    chosen_from = Pool(
        torch.zeros(9), features, torch.arange(9) == 0, 0.0, {"peaks": torch.zeros(9)},
        answerable=torch.arange(9) % 2 == 1,
    )  # fmt: skip
    assert selector.select(chosen_from, 2, torch.Generator()).tolist() == [7, 3], "the even ones are nobody's labels"


def test_top_takes_the_highest_scores() -> None:
    scores = torch.tensor([0.1, 0.9, 0.5, 0.9, 0.2])
    picks = Top().select(Pool(scores, torch.zeros(5, 1), torch.zeros(5) > 0), 3, torch.Generator())
    assert picks.tolist() == [1, 3, 2]


def test_duw_turns_from_distance_to_uncertainty_as_poses_get_better() -> None:
    features = torch.tensor([[0.0], [1.0], [10.0]])
    scores = torch.tensor([0.0, 1.0, 0.0])
    labelled = torch.tensor([True, False, False])
    selector = DynamicUncertaintyWeighting(uncertainty_weight=1.0)
    bad, good = Pool(scores, features, labelled, 0.0), Pool(scores, features, labelled, 1.0)
    assert selector.select(bad, 1, torch.Generator()).tolist() == [2]
    assert selector.select(good, 1, torch.Generator()).tolist() == [1]


def test_normalising_distances_makes_the_weight_independent_of_the_features_scale() -> None:
    one = pool(30, 4, 7, False)
    other = Pool(one.scores, one.features * 1000, one.labelled, one.query_oks)
    selector = DynamicUncertaintyWeighting(0.5, True)
    picks = [selector.select(p, 10, torch.Generator()).tolist() for p in (one, other)]
    assert picks[0] == picks[1]


def test_filters_look_only_at_the_highest_scores() -> None:
    given_pool = pool(100, 20, 3, False)
    highest = set(Top().select(given_pool, 24, torch.Generator()).tolist())
    for selector in (RandomFilter(), Diversity()):
        assert set(selector.select(given_pool, 3, torch.Generator().manual_seed(0)).tolist()) <= highest


def test_diversity_takes_those_with_the_smallest_summed_cosine_distance() -> None:
    features = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [-1.0, 0.0], [0.0, -1.0]])
    picks = Diversity().select(Pool(torch.rand(5), features, torch.zeros(5) > 0), 2, torch.Generator())
    directions = torch.nn.functional.normalize(features, dim=1)
    expected = (1 - directions @ directions.T).sum(1).argsort()[:2]
    assert picks.tolist() == expected.tolist()


def test_kmeans_takes_one_of_each_cluster() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.eye(6, 8) * 50
    features = (centres[:, None] + torch.randn(6, 20, 8, generator=generator)).flatten(0, 1)
    picks = KMeans().select(Pool(torch.zeros(120), features, torch.zeros(120) > 0), 6, generator)
    assert sorted((picks // 20).tolist()) == list(range(6))


def test_clusters_are_as_tight_as_those_of_scikit_learn() -> None:
    from sklearn.cluster import KMeans as Reference

    generator = torch.Generator().manual_seed(0)
    features, weights = torch.randn(300, 6, generator=generator), 1 + 4 * torch.rand(300, generator=generator)
    ours = weighted_kmeans(features, weights, 12, generator)
    inertia = float((torch.cdist(features, ours).amin(1).square() * weights).sum())
    reference = Reference(12, n_init=1, random_state=0).fit(features.numpy(), sample_weight=weights.numpy())
    assert inertia < 1.1 * reference.inertia_


def test_uncertain_instances_pull_the_centres() -> None:
    features, scores = torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0])
    weights = 1 + 1000 * scores
    centre = weighted_kmeans(features, weights, 1, torch.Generator().manual_seed(0))
    assert centre.item() == pytest.approx(weights[1].item() / weights.sum().item())


def test_dwc_weighs_scores_the_more_the_surer_the_estimator_is() -> None:
    features = torch.tensor([[0.0], [1.0], [1.5]])
    scores, labelled = torch.tensor([1.0, 0.0, 0.0]), torch.zeros(3) > 0
    picks = [
        DynamicWeightedClustering(1e4)
        .select(Pool(scores, features, labelled, watched={"peaks": torch.full((3,), unsure)}), 1, torch.Generator())
        .tolist()
        for unsure in (0.0, 1.0)
    ]
    assert picks == [[0], [1]]


def test_a_fixed_weight_does_not_change_with_the_poses() -> None:
    bad, good = (attrs.evolve(pool(30, 4, 7, False), query_oks=oks) for oks in (0.0, 1.0))
    picks = [FixedLambda(1.0).select(p, 10, torch.Generator()).tolist() for p in (bad, good)]
    assert picks[0] == picks[1]


class TestSum:
    def test_a_constant_score_normalises_to_zero(self) -> None:
        assert normalised(torch.full((4,), 3.0), torch.ones(4) > 0).tolist() == [0.0] * 4

    def test_only_the_unlabelled_count(self) -> None:
        among = torch.tensor([True, True, True, False])
        assert normalised(torch.tensor([1.0, 2.0, 3.0, 99.0]), among).tolist() == [0.0, 0.5, 1.0, 0.0]

    @pytest.mark.parametrize(("weights", "favours"), [("increase", 0), ("decrease", 1)])
    def test_weights_move_with_the_labelled_fraction(self, weights: str, favours: int) -> None:
        columns = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
        late = combined(columns, torch.ones(2) > 0, 0.9, weights)
        assert int(late.argmax()) == favours

    @given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
    def test_sums_stay_between_zero_and_one(self, values: list[float]) -> None:
        total = combined([torch.tensor(values)] * 2, torch.ones(len(values)) > 0, 0.3)
        assert torch.isfinite(total).all()
        assert 0 <= total.min() <= total.max() <= 1

    def test_a_part_with_a_share_gets_it_and_the_others_the_rest(self) -> None:
        u, v, influence = torch.rand(3, 9, generator=torch.Generator().manual_seed(0))
        among = torch.ones(9) > 0
        gamma = torch.tensor(0.7)
        ours = combined([u, v, influence], among, 0.2, "dynamic", [None, None, 1 - gamma])
        rest = combined([u, v], among, 0.2)
        expected = normalised(gamma * rest + (1 - gamma) * normalised(influence, among), among)
        torch.testing.assert_close(ours, expected)

    def test_a_share_alone_or_nobodys_share_changes_nothing(self) -> None:
        columns, among = list(torch.rand(2, 9)), torch.ones(9) > 0
        assert torch.equal(combined(columns, among, 0.2, "dynamic", [None, None]), combined(columns, among, 0.2))
        alone = combined(columns[:1], among, 0.2, "dynamic", [torch.tensor(0.0)])
        assert torch.equal(alone, normalised(columns[0], among))
