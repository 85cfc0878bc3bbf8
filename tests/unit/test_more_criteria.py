"""What the compared criteria promise: finite, in step with their sign, blind to the batch and its order."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK, Registered, configured
from tests.unit.test_criteria import part, window
from tests.unit.test_cycle import Copier, outcome
from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.errors import InputError
from vatl_core.run import execute
from vatl_core.video import Skeleton, gaussian_targets
from vatl_criteria.representativeness.chance import Chance
from vatl_criteria.representativeness.influence import Influence, summed_cosine_distance
from vatl_criteria.uncertainty.ambiguity import HeatmapEntropy, Margin, MultiplePeakEntropy
from vatl_criteria.uncertainty.confidence import LeastConfidence, LowPeaks
from vatl_criteria.uncertainty.continuity import HeatmapContinuity, PoseContinuity
from vatl_criteria.uncertainty.peaks import local_maxima, local_peak_mean, window_maximum
from vatl_criteria.uncertainty.pose_likelihood import log_likelihood
from vatl_criteria.uncertainty.vl4pose import VL4Pose

CPU = torch.device("cpu")
OF_HEATMAPS = [MultiplePeakEntropy(2), Margin(2), Margin(2, "nothing"), HeatmapEntropy(), LowPeaks(), PoseContinuity()]
BLOBS = {"one": [(16, 24)], "two": [(10, 12), (24, 36)], "three": [(8, 8), (24, 8), (16, 40)]}


def blobs(places: list[tuple[int, int]], height: float = 1.0) -> Tensor:
    """(1, 5, 48, 32) heatmaps with a Gaussian at each place."""
    points = torch.tensor(places, dtype=torch.float32)[None]
    drawn, _ = gaussian_targets(points, torch.ones(1, len(places)) > 0, (48, 32), 1)
    return drawn.amax(1, keepdim=True).expand(1, 5, 48, 32) * height


def showing(heatmaps: Tensor, **columns: Tensor) -> Window:
    """A window of these heatmaps (B, 5, h, w), each its own neighbour."""
    count = len(heatmaps)
    plain = {
        "index": torch.arange(count),
        "boxes": torch.tensor([[0.0, 0.0, 32.0, 48.0]]).repeat(count, 1),
        "crops": torch.tensor([[0.0, 0.0, 32.0, 48.0]]).repeat(count, 1),
        "keypoints": torch.zeros(count, 5, 2),
        "scores": heatmaps.amax((2, 3)),
        "features": torch.zeros(count, 3),
        "heatmaps": heatmaps,
        "previous": heatmaps,
        "next": heatmaps,
        "has_previous": torch.ones(count) > 0,
        "has_next": torch.ones(count) > 0,
    }
    return Window(skeleton=STICK, **(plain | columns))


@pytest.mark.parametrize("criterion", OF_HEATMAPS, ids=repr)
def test_a_score_depends_neither_on_the_batch_nor_on_its_order(criterion: Criterion) -> None:
    whole, order = window(11), torch.randperm(11)
    together = criterion.score(whole)
    assert together.shape == (11,)
    torch.testing.assert_close(criterion.score(part(whole, order)), together[order])
    for row in range(11):
        torch.testing.assert_close(criterion.score(part(whole, torch.tensor([row])))[0], together[row])


@pytest.mark.parametrize("criterion", [*OF_HEATMAPS, MultiplePeakEntropy(), Margin()], ids=repr)
@pytest.mark.parametrize("size", [(16, 12), (11, 11), (8, 8), (1, 1)])
@pytest.mark.parametrize("kind", ["zero", "one", "negative", "one pixel", "both signs", "plateau"])
def test_odd_heatmaps_give_finite_scores(criterion: Criterion, size: tuple[int, int], kind: str) -> None:
    maps = torch.zeros(3, 5, *size)
    if kind in ("one", "negative"):
        maps += 1.0 if kind == "one" else -torch.rand(maps.shape)
    elif kind == "one pixel":
        maps[..., size[0] // 2, size[1] // 2] = 1.0
    elif kind == "both signs":
        maps = torch.randn(maps.shape)
    elif kind == "plateau":
        maps[..., : size[0] // 2, :] = 1.0
    assert torch.isfinite(criterion.score(showing(maps))).all()


@pytest.mark.parametrize(
    ("criterion", "sure", "unsure"),
    [
        (MultiplePeakEntropy(), blobs(BLOBS["one"]), blobs(BLOBS["two"])),
        (MultiplePeakEntropy(), blobs(BLOBS["two"]), blobs(BLOBS["three"])),
        (Margin(), blobs(BLOBS["one"]), blobs(BLOBS["two"])),
        (Margin(), blobs(BLOBS["one"]) + blobs(BLOBS["two"]) * 0.3, blobs(BLOBS["one"]) + blobs(BLOBS["two"]) * 0.8),
        (HeatmapEntropy(), blobs(BLOBS["one"]), blobs(BLOBS["three"])),
        (HeatmapEntropy(), blobs(BLOBS["three"]), torch.zeros(1, 5, 48, 32)),
        (LowPeaks(), blobs(BLOBS["one"]), blobs(BLOBS["one"], 0.4)),
        (LeastConfidence(), blobs(BLOBS["one"]), blobs(BLOBS["one"], 0.4)),
    ],
    ids=lambda value: repr(value) if isinstance(value, Criterion) else "",
)
def test_the_surer_of_two_instances_scores_lower(criterion: Criterion, sure: Tensor, unsure: Tensor) -> None:
    scores = criterion.score(showing(torch.cat([sure, unsure])))
    assert scores[0] < scores[1] - 1e-3


@pytest.mark.parametrize("criterion", [PoseContinuity(), HeatmapContinuity()], ids=repr)
def test_an_instance_that_stands_still_scores_lower(criterion: Criterion) -> None:
    maps, moved = blobs(BLOBS["one"]).repeat(2, 1, 1, 1), blobs([(20, 24)])
    neighbours = torch.cat([maps[:1], moved])
    there = torch.tensor([16.0, 24.0]).expand(2, 5, 2)
    scores = criterion.score(showing(maps, previous=neighbours, next=neighbours, keypoints=there))
    assert scores[0] < scores[1]


class TestPoseContinuity:
    def test_a_lone_instance_scores_zero_and_a_lone_neighbour_counts_twice(self) -> None:
        maps, moved = blobs(BLOBS["one"]).repeat(3, 1, 1, 1), blobs([(20, 24)]).repeat(3, 1, 1, 1)
        shown = showing(maps, previous=moved, next=moved, keypoints=torch.tensor([16.0, 24.0]).expand(3, 5, 2))
        before, after = torch.tensor([False, False, True]), torch.tensor([False, True, True])
        scores = PoseContinuity().score(attrs.evolve(shown, has_previous=before, has_next=after))
        assert scores.tolist() == [0.0, 10.0, 10.0]

    def test_its_factor_says_what_moving_is(self) -> None:
        shown = showing(blobs([(18, 24)]), keypoints=torch.tensor([16.0, 24.0]).expand(1, 5, 2))
        size = (32 * 48) ** 0.5
        assert PoseContinuity(1.9 / size).score(shown).item() == 10
        assert PoseContinuity(2.1 / size).score(shown).item() == 0


class TestPeaks:
    @settings(max_examples=150, deadline=None)
    @given(
        seed=st.integers(0, 10_000), distance=st.integers(1, 6), levels=st.sampled_from([0.3, 1.0, 3.0, 1e6]),
        shift=st.sampled_from([-5.0, 0.0, 2.0]), size=st.sampled_from([(9, 30), (24, 18), (13, 13)]),
    )  # fmt: skip
    def test_they_are_those_of_scikit_image(
        self, seed: int, distance: int, levels: float, shift: float, size: tuple[int, int]
    ) -> None:
        """Few levels make plateaus, on which what counts as one peak is a matter of order."""
        oracle = pytest.importorskip("skimage.feature").peak_local_max
        maps = (
            torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(seed)) * levels
        ).round() / levels + shift
        peaks = local_maxima(maps, distance, 5)
        for number, single in enumerate(maps[0].numpy()):
            there = oracle(single, min_distance=distance, num_peaks=5)
            ours = peaks.places[0, number][peaks.found[0, number]].flip(-1)
            assert ours.tolist() == there.tolist()
            np.testing.assert_array_equal(peaks.values[0, number][peaks.found[0, number]], single[tuple(there.T)])

    def test_no_peak_on_a_constant_map_and_none_near_the_border(self) -> None:
        assert not local_maxima(torch.full((1, 1, 20, 20), 3.0), 5, 5).found.any()
        corner = torch.zeros(1, 1, 20, 20)
        corner[..., 2, 2] = 1.0
        assert not local_maxima(corner, 5, 5).found.any()

    def test_windows_are_those_of_pooling(self) -> None:
        maps = torch.randn(2, 3, 17, 13)
        for size in (1, 2, 3, 5, 11):
            assert torch.equal(window_maximum(maps, size), torch.nn.functional.max_pool2d(maps, size, 1))

    def test_their_mean_counts_those_of_at_least_half_the_maximum(self) -> None:
        maps = torch.zeros(1, 2, 9, 9)
        maps[0, 0, 2, 2], maps[0, 0, 6, 6], maps[0, 0, 2, 6] = 0.8, 0.4, 0.3
        maps[0, 1, 0, 0] = 0.6
        assert local_peak_mean(maps).item() == pytest.approx((0.8 + 0.4 + 0.6) / 3)

    def test_a_lone_peak_is_sure_unless_asked_otherwise(self) -> None:
        shown = showing(blobs(BLOBS["one"]))
        assert Margin().score(shown).item() == pytest.approx(-5)
        assert Margin(lone="nothing").score(shown).item() == 0


class TestInfluence:
    def test_it_is_the_sum_of_cosine_distances_to_the_unlabelled(self) -> None:
        features, among = torch.randn(20, 6), torch.rand(20) < 0.7
        cosine = torch.nn.functional.cosine_similarity(features[:, None], features[None], dim=-1)
        expected = (1 - cosine)[:, among].sum(1)
        torch.testing.assert_close(summed_cosine_distance(features, among).float(), expected, rtol=1e-4, atol=1e-4)

    def test_the_farther_from_the_rest_the_higher(self) -> None:
        features = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]])
        scores = Influence().score(self._window(features, torch.zeros(4) > 0))
        assert scores.argmax() == 3
        assert scores.max() == 1

    def test_order_does_not_matter(self) -> None:
        features, labelled, order = torch.randn(30, 5), torch.rand(30) < 0.3, torch.randperm(30)
        scores = Influence().score(self._window(features, labelled))
        torch.testing.assert_close(Influence().score(self._window(features[order], labelled[order])), scores[order])

    @pytest.mark.parametrize("value", [0.0, 0.3])
    @pytest.mark.parametrize("labelled", [0, 7, 13])
    def test_constant_features_score_zero(self, value: float, labelled: int) -> None:
        features = torch.full((13, 7), value) * torch.linspace(0.1, 1, 7)
        scores = Influence().score(self._window(features, torch.arange(13) < labelled))
        assert scores.tolist() == [0.0] * 13

    @staticmethod
    def _window(features: Tensor, labelled: Tensor) -> Window:
        nothing = features[:, :0]
        index = torch.arange(len(features))
        return Window(index, STICK, nothing, nothing, nothing, nothing, features, labelled=labelled)


def test_chance_is_uniform_and_drawn_anew_each_cycle() -> None:
    criterion, shown = Chance(), attrs.evolve(window(2000), heatmaps=torch.empty(0))
    empty = Poses(torch.zeros(0, 5, 2), torch.zeros(0, 5) > 0, torch.zeros(0, 4))
    drawn = []
    for seed in (0, 0, 1):
        criterion.fit(empty, torch.Generator().manual_seed(seed))
        drawn.append(criterion.score(shown))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert drawn[0].mean().item() == pytest.approx(0.5, abs=0.05)
    assert 0 <= drawn[0].min() < drawn[0].max() <= 1


class TestVL4Pose:
    def test_the_likeliest_pose_is_found_among_all_combinations(self) -> None:
        generator = torch.Generator().manual_seed(0)
        peaks = local_maxima(torch.rand(2, 4, 24, 24, generator=generator, dtype=torch.float64), 2, 3)
        links = [(0, 1), (0, 2), (2, 3)]
        means, logs = 10 * torch.rand(2, 2, 3, generator=generator, dtype=torch.float64)
        choice = torch.cartesian_prod(*[torch.arange(3)] * 4)
        places, weights = peaks.places[:, torch.arange(4), choice], peaks.log_weights()[:, torch.arange(4), choice]
        total = weights.sum(-1)
        for number, (a, b) in enumerate(links):
            normal = torch.distributions.Normal(means[:, number], (logs[:, number] / 2).exp())
            total = total + normal.log_prob((places[:, :, a] - places[:, :, b]).norm(dim=-1).T).T
        torch.testing.assert_close(log_likelihood(peaks, means, logs, links, "max"), total.amax(1))

    @pytest.mark.parametrize("reduce", ["max", "sum"])
    def test_odd_lengths_score_higher_once_the_usual_ones_are_known(self, reduce: str) -> None:
        usual, odd = self._pose([(16, 8), (6, 20), (26, 20), (10, 40), (22, 40)]), self._pose([(16, 8)] * 4 + [(6, 44)])
        criterion = VL4Pose(reduce=reduce)
        assert "until there are labels" in str(criterion.prepare(STICK, None, torch.Generator(), CPU))
        shown = showing(torch.cat([usual, odd]))
        shown = attrs.evolve(shown, condensed=criterion.condense(shown), features=torch.randn(2, 3))
        nothing = torch.zeros(0, 5, 2)
        criterion.fit(Poses(nothing, nothing[..., 0] > 0, nothing[:, 0, :0], torch.zeros(0, 3)), torch.Generator())
        assert criterion.score(shown).tolist() == [0.0, 0.0]
        criterion.fit(self._labelled(), torch.Generator().manual_seed(0))
        with torch.no_grad():
            scores = criterion.score(shown)
        assert torch.isfinite(scores).all()
        assert scores[0] < scores[1]

    def test_source_poses_count_before_anything_is_labelled(self) -> None:
        criterion = VL4Pose()
        assert criterion.prepare(STICK, attrs.evolve(self._labelled(), features=None), torch.Generator(), CPU) is None
        shown = showing(self._pose([(16, 8), (6, 20), (26, 20), (10, 40), (22, 40)]))
        shown = attrs.evolve(shown, condensed=criterion.condense(shown))
        nothing = torch.zeros(0, 5, 2)
        criterion.fit(Poses(nothing, nothing[..., 0] > 0, torch.zeros(0, 4), torch.zeros(0, 3)), torch.Generator())
        assert criterion.score(shown).item() != 0

    def test_the_network_learns_lengths_that_depend_on_the_features(self) -> None:
        generator = torch.Generator().manual_seed(0)
        large = torch.rand(200, generator=generator)
        labelled = self._labelled(200)
        stretched = attrs.evolve(
            labelled,
            keypoints=labelled.keypoints[:, :1]
            + (labelled.keypoints - labelled.keypoints[:, :1]) * (1 + large)[:, None, None],
            features=torch.stack([large, torch.rand(200, generator=generator)], 1),
        )
        criterion = VL4Pose(steps=600)
        criterion.prepare(STICK, None, generator, CPU)
        criterion._size = (48, 32)
        criterion.fit(stretched, generator)
        with torch.no_grad():
            means, _ = criterion._network(torch.tensor([[0.1, 0.5], [0.9, 0.5]]))
        ratio = means[1] / means[0]
        assert ((ratio > 1.3) & (ratio < 2.1)).all()

    @pytest.mark.parametrize("kind", ["zero", "noise", "border"])
    @pytest.mark.parametrize("reduce", ["max", "sum"])
    @pytest.mark.parametrize("edges", [STICK.edges, (), ((0, 1),), ((0, 1), (1, 2), (2, 0), (3, 4))])
    def test_any_heatmaps_and_any_skeleton_give_finite_scores(self, kind: str, reduce: str, edges: tuple) -> None:
        maps = torch.randn(3, 5, 16, 12) if kind == "noise" else torch.zeros(3, 5, 16, 12)
        if kind == "border":
            maps[..., 0, 0] = 1.0
        criterion = VL4Pose(reduce=reduce)
        criterion.prepare(Skeleton("odd", STICK.keypoints, edges), None, torch.Generator(), CPU)
        shown = showing(maps)
        shown = attrs.evolve(shown, condensed=criterion.condense(shown))
        for count in (1, 4, 20):
            criterion.fit(attrs.evolve(self._labelled(count)), torch.Generator().manual_seed(0))
            with torch.no_grad():
                assert torch.isfinite(criterion.score(shown)).all()

    def test_keypoints_that_nobody_sees_leave_the_lengths_finite(self) -> None:
        labelled = self._labelled(8)
        unseen = attrs.evolve(labelled, visible=torch.zeros(8, 5) > 0, keypoints=torch.full((8, 5, 2), torch.nan))
        criterion = VL4Pose()
        criterion.prepare(STICK, None, torch.Generator(), CPU)
        shown = showing(torch.randn(2, 5, 16, 12))
        shown = attrs.evolve(shown, condensed=criterion.condense(shown))
        criterion.fit(unseen, torch.Generator().manual_seed(0))
        with torch.no_grad():
            assert torch.isfinite(criterion.score(shown)).all()

    def test_a_root_that_does_not_exist_is_named(self) -> None:
        with pytest.raises(InputError, match="did you mean 'head'"):
            VL4Pose(root="haed").prepare(STICK, None, torch.Generator(), CPU)

    @staticmethod
    def _pose(places: list[tuple[int, int]]) -> Tensor:
        points = torch.tensor(places, dtype=torch.float32)[None]
        return gaussian_targets(points, torch.ones(1, 5) > 0, (48, 32), 1)[0]

    @staticmethod
    def _labelled(count: int = 30) -> Poses:
        generator = torch.Generator().manual_seed(1)
        usual = torch.tensor([[16.0, 8.0], [6.0, 20.0], [26.0, 20.0], [10.0, 40.0], [22.0, 40.0]]) * 0.8
        points = usual + torch.randn(count, 5, 2, generator=generator) * 0.3
        boxes = torch.tensor([[0.0, 0.0, 32 * 0.8, 48 * 0.8]]).repeat(count, 1)
        boxes[:, 2:] /= 1.25
        return Poses(points, torch.ones(count, 5) > 0, boxes, torch.randn(count, 3, generator=generator))


@pytest.mark.parametrize(
    ("query", "select"),
    [("vl4pose", "top"), ("mpe+influence", "diversity"), ("random", "dwc"), ("tpc+margin+entropy", "kmeans")],
)
def test_a_run_interrupted_anywhere_picks_what_it_would_have_picked(
    registered: Registered, tmp_path: Path, query: str, select: str
) -> None:
    settings = {"query": query, "select": select, "retrain": "none", "options": {"query": {"vl4pose": {"steps": 20}}}}
    copier = Copier(tmp_path)
    registry = registered(plugins=(copier,))
    execute(configured(registry, tmp_path, name="plain", **settings), registry)
    expected = outcome(tmp_path / "plain")
    assert expected[1]["query"]
    for copy in copier.copies[1:9]:
        execute(copy, registered())
        assert outcome(copy) == expected, copy.name


def test_influence_is_weighed_by_the_height_of_the_peaks(registered: Registered, tmp_path: Path) -> None:
    settings = {"query": "mpe+influence", "select": "top", "schedule": ["4"], "retrain": "none"}
    for weights in ("dynamic", "constant"):
        config = configured(registered(), tmp_path, name=weights, query_weights=weights, **settings)
        execute(config, registered())
    with np.load(tmp_path / "dynamic" / "cycles" / "000" / "estimates.npz") as columns:
        mpe, influence, peaks = (torch.tensor(columns[f"criterion.{name}"]) for name in ("mpe", "influence", "peaks"))
    mpe = (mpe - mpe.min()) / (mpe.max() - mpe.min()).clamp(min=1e-12)
    for weights, gamma in (("dynamic", 1 - peaks.mean()), ("constant", 0.5)):
        expected = (gamma * mpe + (1 - gamma) * influence).argsort(descending=True, stable=True)[:4]
        assert outcome(tmp_path / weights)[0]["query"] == expected.tolist()
