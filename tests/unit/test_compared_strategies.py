"""The strategies that papers compare with: their equations in NumPy, what holds for any numbers, the first cycle."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK, Registered, configured
from tests.unit.test_criteria import window
from tests.unit.test_cycle import Copier, outcome
from tests.unit.test_more_criteria import BLOBS, blobs, showing
from vatl_core.contracts import Criterion, Maps, Pool, Poses, Window
from vatl_core.errors import InputError
from vatl_core.run import PastRun, execute
from vatl_core.video import decode
from vatl_criteria.selection import clusters
from vatl_criteria.selection.clusters import DynamicWeightedClustering, KMeans, nearest_to_each, weighted_kmeans
from vatl_criteria.selection.kcentre import CoreSet
from vatl_criteria.uncertainty import gradient_length
from vatl_criteria.uncertainty.aleatoric import Aleatoric, heteroscedastic_loss
from vatl_criteria.uncertainty.committee import Committee, ambiguity
from vatl_criteria.uncertainty.dropout import BALD, MonteCarloDropout
from vatl_criteria.uncertainty.gradient_length import (
    ExpectedGradientLength,
    neighbour_probabilities,
    squared_residual,
)
from vatl_criteria.uncertainty.learning_loss import LearningLoss, ranking_loss

CPU = torch.device("cpu")
Array = np.ndarray
SEEDS = st.integers(0, 1000)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rand(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=seeded(seed))


def known(count: int, seed: int = 0, **columns: Tensor) -> Poses:
    """Labels, all visible, in boxes of 40 × 60."""
    return Poses(
        rand(seed, count, 5, 2) * 50, torch.ones(count, 5) > 0,
        torch.tensor([[10.0, 10.0, 40.0, 60.0]]).repeat(count, 1), rand(seed + 1, count, 8), **columns,
    )  # fmt: skip


def scored(criterion: Criterion, shown: Window, labelled: Poses, seed: int = 0) -> Tensor:
    """As a cycle does it: prepared, condensed, fitted, scored."""
    criterion.prepare(STICK, None, seeded(), CPU)
    with torch.no_grad():
        condensed = criterion.condense(shown) if "heatmaps" in criterion.needs else torch.zeros(len(shown), 0)
    criterion.fit(labelled, seeded(seed))
    with torch.no_grad():
        return criterion.score(attrs.evolve(shown, condensed=condensed, heatmaps=torch.empty(0)))


# --------------------------------------------------------------------------------------------------------- first cycle
LEARNERS = [LearningLoss(steps=5), Aleatoric(steps=5), ExpectedGradientLength(), Committee()]


@pytest.mark.parametrize("criterion", LEARNERS, ids=lambda criterion: type(criterion).__name__)
def test_before_anything_is_labelled_scores_are_random_and_the_user_is_told(criterion: Criterion) -> None:
    note = criterion.prepare(STICK, None, seeded(), CPU)
    assert note
    assert "random" in note
    shown = window(300)
    first, again, other = (scored(criterion, shown, known(0), seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0 <= first.min() < 0.1 < 0.9 < first.max() <= 1


@pytest.mark.parametrize("criterion", LEARNERS[:3], ids=lambda criterion: type(criterion).__name__)
def test_labels_that_show_nothing_are_none(criterion: Criterion) -> None:
    blind = known(6, condensed=rand(3, 6, 5, 2))
    blind = attrs.evolve(blind, visible=~blind.visible)
    shown = window(30)
    assert torch.equal(scored(criterion, shown, blind), scored(criterion, shown, known(0)))


# ------------------------------------------------------------------------------------------------------- learning-loss
def slow_ranking_loss(predicted: Array, losses: Array, margin: float) -> float:
    terms = [
        max(0.0, -np.sign(losses[i] - losses[j]) * (predicted[i] - predicted[j]) + margin)
        for i in range(len(losses))
        for j in range(i)
        if losses[i] != losses[j]
    ]
    return float(np.mean(terms)) if terms else 0.0


class TestLearningLoss:
    def test_a_pair_costs_what_the_paper_says(self) -> None:
        def loss(predicted: list[float], losses: list[float]) -> float:
            return float(ranking_loss(torch.tensor(predicted), torch.tensor(losses)))

        assert loss([0.5, 0.2], [3.0, 1.0]) == pytest.approx(0.7)
        assert loss([0.2, 0.5], [3.0, 1.0]) == pytest.approx(1.3)
        assert loss([2.0, 0.5], [3.0, 1.0]) == 0
        assert loss([2.0, 0.5], [1.0, 1.0]) == 0

    @settings(max_examples=60, deadline=None)
    @given(seed=SEEDS, count=st.integers(1, 12), margin=st.sampled_from([0.1, 1.0, 3.0]))
    def test_it_is_the_mean_over_pairs_that_differ(self, seed: int, count: int, margin: float) -> None:
        predicted, losses = rand(seed, count) * 4 - 2, (rand(seed + 1, count) * 4).round() / 4
        slow = slow_ranking_loss(predicted.numpy(), losses.numpy(), margin)
        assert float(ranking_loss(predicted, losses, margin)) == pytest.approx(slow, abs=1e-5)

    @settings(max_examples=40, deadline=None)
    @given(seed=SEEDS, by=st.floats(-5, 5))
    def test_only_differences_and_only_their_order_count(self, seed: int, by: float) -> None:
        predicted, losses = rand(seed, 9), rand(seed + 1, 9)
        plain = ranking_loss(predicted, losses)
        torch.testing.assert_close(ranking_loss(predicted + by, losses), plain, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ranking_loss(predicted, losses.exp() * 7), plain)
        assert ranking_loss(losses.argsort().argsort().float(), losses) == 0

    def test_it_learns_which_features_go_with_a_large_loss(self) -> None:
        labelled = known(60)
        labelled = attrs.evolve(labelled, condensed=labelled.keypoints + 9 * labelled.features[:, :1, None])
        shown = window(80, 5)
        scores = scored(LearningLoss(), shown, labelled)
        assert np.corrcoef(scores.argsort().argsort(), shown.features[:, 0].argsort().argsort())[0, 1] > 0.8

    @pytest.mark.parametrize("count", [1, 5])
    def test_labels_that_do_not_differ_rank_nothing(self, count: int) -> None:
        shown, alike = window(30), known(count)
        alike = attrs.evolve(alike, condensed=alike.keypoints)
        assert torch.equal(scored(LearningLoss(), shown, alike), scored(LearningLoss(), shown, known(0)))


# ----------------------------------------------------------------------------------------------------------- aleatoric
class TestAleatoric:
    @settings(max_examples=60, deadline=None)
    @given(seed=SEEDS, count=st.integers(1, 8))
    def test_the_loss_is_the_mean_over_what_is_known(self, seed: int, count: int) -> None:
        squared, logs, there = rand(seed, count, 5), rand(seed + 1, count, 5) * 8 - 4, rand(seed + 2, count, 5) < 0.7
        terms = [
            0.5 * math.exp(-s) * r + 0.5 * s
            for r, s, k in zip(*(t.flatten().tolist() for t in (squared, logs, there)), strict=True)
            if k
        ]
        expected = float(np.mean(terms)) if terms else 0.0
        assert float(heteroscedastic_loss(squared, logs, there)) == pytest.approx(expected, rel=1e-4, abs=1e-5)

    @settings(max_examples=60, deadline=None)
    @given(squared=st.floats(1e-4, 10), away=st.floats(-3, 3))
    def test_the_best_log_variance_is_that_of_the_residual(self, squared: float, away: float) -> None:
        def loss(log_variance: float) -> float:
            one = torch.ones(1, 1, dtype=torch.float64)
            return float(heteroscedastic_loss(one * squared, one * log_variance, one > 0))

        assert loss(math.log(squared)) <= loss(math.log(squared) + away) + 1e-9

    def test_what_a_head_that_does_not_learn_says_is_the_mean_squared_residual(self) -> None:
        labelled = known(40)
        labelled = attrs.evolve(labelled, condensed=labelled.keypoints + rand(7, 40, 5, 2) * 9)
        labelled.visible[::3, 2] = False
        off = ((labelled.keypoints - labelled.condensed).numpy() ** 2).sum(-1) / (40 * 60)
        seen = labelled.visible.numpy()
        expected = np.mean([np.log(off[seen[:, k], k].mean()) for k in range(5)])
        scores = scored(Aleatoric(steps=0), window(6), labelled)
        torch.testing.assert_close(scores, torch.full((6,), float(expected)), rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("scale", [1.0, 7.0])
    def test_it_learns_which_features_go_with_large_residuals(self, scale: float) -> None:
        labelled = known(200)
        off = torch.randn(200, 5, 2, generator=seeded()) * (0.3 + 8 * labelled.features[:, 0])[:, None, None]
        points = labelled.keypoints * scale
        labelled = attrs.evolve(
            labelled, keypoints=points, boxes=labelled.boxes * scale, condensed=points + off * scale
        )
        shown = window(80, 5)
        scores = scored(Aleatoric(), shown, labelled)
        assert np.corrcoef(scores.argsort().argsort(), shown.features[:, 0].argsort().argsort())[0, 1] > 0.8


# --------------------------------------------------------------------------------------------------------------- egl++
def slow_probabilities(squared: Array, perplexity: float) -> Array:
    """t-SNE's bisection, row by row."""
    found = []
    for row in squared.astype(np.float64):
        low, high = 0.0, np.inf
        beta = 1.0
        for _ in range(200):
            weights = np.exp(-(row - row.min()) * beta)
            p = weights / weights.sum()
            entropy = -(p[p > 0] * np.log(p[p > 0])).sum()
            low, high = (beta, high) if entropy > math.log(perplexity) else (low, beta)
            beta = beta * 2 if np.isinf(high) else (low + high) / 2
        found.append(p)
    return np.array(found)


class TestExpectedGradientLength:
    @settings(max_examples=40, deadline=None)
    @given(seed=SEEDS, count=st.integers(6, 40), scale=st.sampled_from([1e-3, 1.0, 1e4]))
    def test_neighbours_are_as_probable_as_in_t_sne(self, seed: int, count: int, scale: float) -> None:
        squared = rand(seed, 3, count) * scale
        perplexity = count / 3
        ours = neighbour_probabilities(squared, 100.0).numpy()
        np.testing.assert_allclose(ours, slow_probabilities(squared.numpy(), perplexity), rtol=2e-3, atol=1e-5)
        np.testing.assert_allclose(ours.sum(1), 1, rtol=1e-5)
        assert (np.diff(np.take_along_axis(ours, squared.numpy().argsort(1), 1), axis=1) <= 1e-6).all()

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_few_or_equal_labels_share_the_probability(self, count: int) -> None:
        found = neighbour_probabilities(torch.full((2, count), 3.0), 20.0)
        torch.testing.assert_close(found, torch.full((2, count), 1 / count))

    def test_the_residual_is_that_of_drawn_maps(self) -> None:
        places = torch.tensor([[[30.0, 25.0], [40.0, 30.0]]])
        targets = torch.tensor([[[[33.0, 26.0], [40.0, 30.0]], [[70.0, 60.0], [10.0, 50.0]]]])
        heights = torch.tensor([[0.6, 1.0]])
        rows, columns = np.mgrid[0:90, 0:110]

        def drawn(place: Tensor, height: float) -> Array:
            x, y = place.tolist()
            return height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)

        expected = [
            np.mean([
                ((drawn(places[0, k], float(heights[0, k])) - drawn(targets[0, j, k], 1.0)) ** 2).sum()
                for k in range(2)
            ])
            for j in range(2)
        ]  # fmt: skip
        found = squared_residual(places, heights, targets, torch.ones(1, 2, 2) > 0)
        np.testing.assert_allclose(found[0], expected, rtol=1e-3)

    def test_it_is_the_sum_over_the_labels_of_probability_times_squared_gradient(self) -> None:
        shown, labelled = window(7), known(12)
        labelled.visible[::4, 1] = False
        scores = scored(ExpectedGradientLength(neighbours=4, perplexity=3), shown, labelled)
        box, size = np.array([10.0, 10.0, 40.0, 60.0]), np.array([12.0, 16.0])
        width = max(box[2], box[3] * 12 / 16) * 1.25
        corner = box[:2] + box[2:] / 2 - np.array([width, width * 16 / 12]) / 2
        label_places = (labelled.keypoints.numpy() - corner) / (width / 12)
        places = (shown.keypoints.numpy() - [5, 5]) / (np.array([50, 70]) / size)
        for i in range(7):
            f = shown.features[i].numpy()
            squared = ((labelled.features.numpy() - f) ** 2).sum(1)
            near = squared.argsort()[:9]
            total = 0.0
            for j, p in list(zip(near, slow_probabilities(squared[None, near], 3.0)[0], strict=True))[:4]:
                h, seen = shown.scores[i].numpy(), labelled.visible[j].numpy()
                apart = ((places[i] - label_places[j]) ** 2).sum(-1)
                total += p * (math.pi * 4 * (h**2 + 1 - 2 * h * np.exp(-apart / 16)))[seen].mean()
            assert float(scores[i]) == pytest.approx(total * (f**2).sum(), rel=2e-3)

    def test_blocks_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, labelled = window(25), known(12)
        whole = scored(ExpectedGradientLength(), shown, labelled)
        monkeypatch.setattr(gradient_length, "BLOCK", 1)
        torch.testing.assert_close(scored(ExpectedGradientLength(), shown, labelled), whole, rtol=1e-3, atol=1e-3)

    def test_an_estimate_like_its_neighbours_labels_scores_lower_than_another(self) -> None:
        shown = window(2)
        labelled = attrs.evolve(known(9), keypoints=shown.keypoints[:1].repeat(9, 1, 1), features=torch.ones(9, 8))
        shown = attrs.evolve(
            shown, features=torch.ones(2, 8), scores=torch.ones(2, 5),
            crops=torch.tensor([[0.0, 3.3333, 60.0, 83.3333]]).repeat(2, 1),
            boxes=torch.tensor([[10.0, 13.3333, 40.0, 60.0]]).repeat(2, 1),
        )  # fmt: skip
        scores = scored(ExpectedGradientLength(), shown, attrs.evolve(labelled, boxes=shown.boxes[:1].repeat(9, 1)))
        assert scores[0] < scores[1] / 4

    @pytest.mark.parametrize("query", ["egl++", "thc+egl++", "egl+++thc", "egl++ + thc"])
    def test_its_name_may_stand_in_a_sum(self, registered: Registered, tmp_path: Path, query: str) -> None:
        config = configured(registered(), tmp_path, query=query)
        assert set(config.criteria) == {"egl++", "thc"} - ({"thc"} if query == "egl++" else set())

    @pytest.mark.parametrize("query", ["thc+", "thc++wpu", "egl+"])
    def test_a_sum_with_nothing_at_its_end_is_refused(self, registered: Registered, tmp_path: Path, query: str) -> None:
        with pytest.raises(InputError, match=r"no criterion"):
            execute(configured(registered(), tmp_path, query=query), registered())


# ----------------------------------------------------------------------------------------------------------- committee
class TestCommittee:
    @settings(max_examples=60, deadline=None)
    @given(seed=SEEDS, members=st.integers(2, 5), by=st.floats(-100, 100), scale=st.floats(0.2, 5))
    def test_ambiguity_is_the_variance_of_the_votes(self, seed: int, members: int, by: float, scale: float) -> None:
        votes, boxes = rand(seed, members, 3, 5, 2).double() * 50, rand(seed + 1, 3, 4).double() * 40 + 10
        points = votes.numpy()
        centre = points.mean(0)
        squared = np.mean([((vote - centre) ** 2).sum(-1).mean(-1) for vote in points], 0)
        found = ambiguity(votes, boxes)
        np.testing.assert_allclose(found, squared / (boxes[:, 2] * boxes[:, 3]).numpy(), rtol=1e-6)
        moved = ambiguity(votes * scale + by, torch.cat([boxes[:, :2], boxes[:, 2:] * scale], 1))
        torch.testing.assert_close(moved, found, rtol=1e-6, atol=1e-9)
        assert ambiguity(votes[:1].repeat(members, 1, 1, 1), boxes).abs().max() < 1e-9

    def test_a_run_has_the_votes_of_its_last_cycles_and_asks_for_no_pass(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        options = {"query": {"committee": {"members": 3}}}
        settings = {"query": "committee", "select": "top", "schedule": ["4", "8", "12"], "options": options}
        execute(configured(registered(), tmp_path, **settings), registered())
        run = PastRun.open(tmp_path / "run", registered())
        found = [run.folder.estimates(cycle) for cycle in range(4)]
        boxes = run.video.instances.boxes
        for cycle in (1, 2, 3):
            votes = torch.stack(
                [then.kept["committee"].view(-1, 5, 2) for then in found[max(0, cycle - 2) : cycle + 1]]
            )
            torch.testing.assert_close(found[cycle].criteria["committee"], ambiguity(votes, boxes))
        assert all(not cycle.further_passes for cycle in run.cycles)

    def test_votes_that_are_not_on_disk_any_more_do_not_count(self) -> None:
        shown, criterion = window(5), Committee(members=3)
        votes = shown.keypoints + 2
        criterion.recall([votes])
        expected = ambiguity(torch.stack([votes, shown.keypoints]), shown.boxes)
        torch.testing.assert_close(scored(criterion, shown, known(0)), expected)
        criterion.recall([])
        assert torch.equal(scored(criterion, shown, known(0)), scored(Committee(), shown, known(0)))


def test_a_run_interrupted_anywhere_picks_what_it_would_have_picked(registered: Registered, tmp_path: Path) -> None:
    few = {"steps": 5}
    settings = {"query": "committee+aleatoric+learning-loss", "select": "top"}
    settings["options"] = {"query": {"aleatoric": few, "learning-loss": few}}
    copier = Copier(tmp_path)
    registry = registered(plugins=(copier,))
    execute(configured(registry, tmp_path, name="plain", **settings), registry)
    for at in (6, 8):
        execute(copier.copies[at], registered())
        assert outcome(copier.copies[at]) == outcome(tmp_path / "plain")


def test_what_learns_from_residuals_is_handed_those_of_the_present_pass(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Poses] = []
    fit = LearningLoss.fit

    def watched(self: LearningLoss, labelled: Poses, generator: torch.Generator) -> None:
        seen.append(labelled)
        fit(self, labelled, generator)

    monkeypatch.setattr(LearningLoss, "fit", watched)
    options = {"query": {"learning-loss": {"steps": 2}}}
    execute(configured(registered(), tmp_path, query="learning-loss", select="top", options=options), registered())
    run = PastRun.open(tmp_path / "run", registered())
    assert [len(labelled) for labelled in seen] == [cycle.labelled for cycle in run.cycles] == [0, 4, 8]
    for cycle, labelled in enumerate(seen):
        asked = [i for earlier in run.cycles[:cycle] for i in earlier.query]
        torch.testing.assert_close(labelled.condensed, run.folder.estimates(cycle).keypoints[asked])
        assert labelled.kept is None


# ------------------------------------------------------------------------------------------------- bald and mc-dropout
def thinned(maps: Tensor) -> Any:
    """A network whose sample s gives ``maps[s]``."""
    return lambda pictures, dropout=None, sample=0: Maps(maps[sample], torch.zeros(len(pictures), 1))


def asking(maps: Tensor, boxes: Tensor) -> Window:
    count = maps.shape[1]
    shown = attrs.evolve(showing(torch.zeros(count, 5, 6, 4)), boxes=boxes, crops=boxes)
    return attrs.evolve(shown, pictures=torch.zeros(count, 3, 2, 2, dtype=torch.uint8), network=thinned(maps))


class TestThinned:
    @settings(max_examples=40, deadline=None)
    @given(seed=SEEDS, samples=st.integers(2, 5))
    def test_bald_is_the_mutual_information_of_place_and_network(self, seed: int, samples: int) -> None:
        maps = rand(seed, samples, 3, 5, 6, 4)
        places = maps.double().flatten(3).numpy()
        places = np.maximum(places - places.max(-1, keepdims=True) / 2, 0)
        places = places / places.sum(-1, keepdims=True)

        def entropy(p: Array) -> Array:
            return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)

        expected = (entropy(places.mean(0)) - entropy(places).mean(0)).sum(-1)
        shown = asking(maps, torch.tensor([[0.0, 0.0, 40.0, 60.0]]).repeat(3, 1))
        found = BALD(samples=samples).score(shown)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
        assert torch.equal(MonteCarloDropout(samples=samples).score(shown), found)
        assert (found <= 5 * math.log(samples) + 1e-4).all(), "no answer tells more than which sample is right"

    @settings(max_examples=40, deadline=None)
    @given(seed=SEEDS, samples=st.integers(2, 5))
    def test_variance_is_that_of_the_poses(self, seed: int, samples: int) -> None:
        maps, boxes = rand(seed, samples, 3, 5, 6, 4), torch.tensor([[3.0, 5.0, 40.0, 60.0]]).repeat(3, 1)
        poses = np.stack([decode(part, boxes)[0].numpy() for part in maps]).astype(np.float64)
        expected = ((poses - poses.mean(0)) ** 2).sum(-1).mean((0, -1)) / (40 * 60)
        found = MonteCarloDropout(samples=samples, measure="variance").score(asking(maps, boxes))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)

    @pytest.mark.parametrize("criterion", [BALD(samples=4), MonteCarloDropout(4)], ids=repr)
    def test_noise_far_from_the_peak_tells_nothing(self, criterion: Criterion) -> None:
        """It is most of what a map sums up to."""
        steady = blobs(BLOBS["one"]).repeat(4, 1, 1, 1, 1) + 0.05 * rand(1, 4, 1, 5, 48, 32)
        found = criterion.score(asking(steady, torch.tensor([[0.0, 0.0, 32.0, 48.0]])))
        assert found.item() < 5 * 0.01

    @pytest.mark.parametrize("criterion", [BALD(samples=2), MonteCarloDropout(2, measure="variance")], ids=repr)
    def test_networks_that_agree_leave_nothing_to_learn(self, criterion: Criterion) -> None:
        maps = blobs([(2, 3)])[..., :6, :4].repeat(2, 3, 1, 1, 1).view(2, 3, 5, 6, 4)
        assert criterion.score(asking(maps, torch.tensor([[0.0, 0.0, 4.0, 6.0]]).repeat(3, 1))).abs().max() < 1e-5


# ------------------------------------------------------------------------------------------------- core-set and k-means
def pool(count: int, seed: int, share: float = 0.2, depth: int = 6) -> Pool:
    boxes = torch.cat([rand(seed, count, 2) * 100, rand(seed + 1, count, 2) * 40 + 20], 1)
    return Pool(
        rand(seed + 2, count), torch.randn(count, depth, generator=seeded(seed)), rand(seed + 3, count) < share,
        watched={"peaks": rand(seed + 4, count)}, boxes=boxes,
        keypoints=boxes[:, None, :2] + boxes[:, None, 2:] * rand(seed + 5, count, 5, 2),
    )  # fmt: skip


def slow_core_set(points: Array, labelled: list[int], askable: list[int], count: int, first: int) -> list[int]:
    picks = [] if labelled else [first]
    while len(picks) < count:
        centres = points[labelled + picks]
        worth = {i: np.linalg.norm(centres - points[i], axis=1).min() for i in askable if i not in picks}
        picks.append(max(worth, key=lambda i: worth[i]))
    return picks


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS, count=st.integers(2, 30), share=st.sampled_from([0.0, 0.3]), by=st.sampled_from(["features", "pose"])
)
def test_core_set_takes_the_farthest_in_either_space(seed: int, count: int, share: float, by: str) -> None:
    of = pool(count, seed, share)
    askable, labelled = of.unlabelled.tolist(), of.labelled.nonzero().flatten().tolist()
    ask = min(6, len(askable))
    if not ask:
        return
    boxes = of.boxes.double().numpy()
    centre, longer = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(1)
    posed = ((of.keypoints.double().numpy() - centre[:, None]) / longer[:, None, None]).reshape(count, -1)
    points = of.features.double().numpy() if by == "features" else posed
    picks = CoreSet(by=by).select(of, ask, seeded(seed)).tolist()
    assert picks == slow_core_set(points, labelled, askable, ask, picks[0])


def test_core_set_by_pose_does_not_look_at_features_nor_at_where_a_box_is() -> None:
    of = pool(40, 3)
    by_pose = CoreSet(by="pose")
    picks = by_pose.select(of, 9, seeded()).tolist()
    away = torch.tensor([[1000.0, 500.0]])
    moved = attrs.evolve(
        of,
        features=of.features.flip(0),
        keypoints=of.keypoints + away,
        boxes=of.boxes + torch.tensor([1000, 500, 0, 0]),
    )
    assert by_pose.select(moved, 9, seeded()).tolist() == picks
    assert CoreSet().select(of, 9, seeded()).tolist() != picks


def slow_kmeans(points: Array, weights: Array, count: int, draws: Array) -> Array:
    """k-means++ and Lloyd's iterations."""
    nearest, start = np.ones(len(points)), list[int]()
    for draw in draws:
        mass = np.cumsum(nearest * weights)
        start.append(min(int(np.searchsorted(mass, draw * mass[-1], side="right")), len(points) - 1))
        squared = ((points - points[start[-1]]) ** 2).sum(1)
        nearest = squared if len(start) == 1 else np.minimum(nearest, squared)
    centres, before = points[start], None
    for _ in range(50):
        cluster = ((points[:, None] - centres) ** 2).sum(-1).argmin(1)
        if before is not None and (before == cluster).all():
            break
        before = cluster
        for c in range(count):
            own = cluster == c
            if own.any():
                centres[c] = (points[own] * weights[own, None]).sum(0) / weights[own].sum()
    return centres


@pytest.mark.parametrize("block", [1, 50, 1 << 22], ids="{} at once".format)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, count=st.integers(5, 80))
def test_clusters_are_those_of_numpy_whatever_the_blocks(block: int, seed: int, count: int) -> None:
    points, weights = torch.randn(count, 6, generator=seeded(seed)), 1 + rand(seed, count)
    draws = torch.rand(5, generator=seeded(seed), dtype=torch.float64).numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "BLOCK", block)
        centres = weighted_kmeans(points, weights, 5, seeded(seed))
        picks = nearest_to_each(points, centres).tolist()
    expected = slow_kmeans(points.double().numpy(), weights.double().numpy(), 5, draws)
    np.testing.assert_allclose(centres, expected, rtol=1e-4, atol=1e-4)
    for number, pick in enumerate(picks):
        distance = np.linalg.norm(points.numpy() - centres[number].numpy(), axis=1)
        distance[picks[:number]] = np.inf
        assert distance[pick] == pytest.approx(distance.min(), abs=1e-4)  # of two, neither is nearer to their middle


PICKED = {
    "KMeans": [15, 48, 172, 39, 119, 25, 120, 152, 123, 107, 110, 10, 155, 78, 20, 28, 212, 43, 97, 154, 197, 215],
    "DynamicWeightedClustering": [
        15,
        212,
        172,
        211,
        17,
        25,
        101,
        152,
        123,
        182,
        111,
        68,
        155,
        81,
        21,
        27,
        139,
        43,
        112,
        156,
        200,
        194,
    ],
}
"""22 of 216 × 32, seed 1, as they were picked when distances to all centres were held at once."""


@pytest.mark.parametrize("selector", [KMeans(), DynamicWeightedClustering(0.5)], ids=lambda s: type(s).__name__)
def test_a_seed_picks_what_it_has_always_picked(selector: KMeans) -> None:
    generator = seeded(1)
    features = torch.randn(216, 32, generator=generator)
    scores, labelled, peaks = (torch.rand(216, generator=generator) for _ in range(3))
    of = Pool(scores, features, labelled < 0.1, watched={"peaks": peaks})
    assert selector.select(of, 22, seeded(1)).tolist() == PICKED[type(selector).__name__]
