"""Where the published code is wrong, or leaves open what happens, and ours differs: docs/parity.md lists them."""

from __future__ import annotations

import math

import attrs
import pytest
import torch

from tests.conftest import STICK
from tests.unit.test_criteria import fitted, window
from tests.unit.test_more_criteria import BLOBS, blobs, showing
from vatl_core.contracts import Criterion, Pool
from vatl_core.cycle import normalised
from vatl_core.cycle.combining import combined
from vatl_core.discovery import discover
from vatl_core.metrics import PosesInFrames, oks
from vatl_core.metrics.average_precision import average_precision
from vatl_core.video import PERSON_17, decode, gaussian_targets, neighbours
from vatl_criteria.representativeness.influence import Influence
from vatl_criteria.selection.kcentre import CoreSet, DynamicUncertaintyWeighting, FixedLambda
from vatl_criteria.uncertainty.ambiguity import HeatmapEntropy, Margin, heatmap_entropy
from vatl_criteria.uncertainty.autoencoder import AutoEncoder
from vatl_criteria.uncertainty.confidence import LeastConfidence
from vatl_criteria.uncertainty.continuity import HeatmapContinuity, PoseContinuity
from vatl_criteria.uncertainty.peaks import local_maxima
from vatl_criteria.uncertainty.pose_feature import angle_triples, pose_feature
from vatl_criteria.uncertainty.pose_likelihood import log_likelihood
from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness
from vatl_criteria.uncertainty.vl4pose import VL4Pose
from vatl_estimators.hrnet import HRNet


# ------------------------------------------------------------------------------------------------------ signs
def test_margin_asks_for_the_least_sure() -> None:
    clear, close = blobs(BLOBS["one"]), blobs(BLOBS["two"])
    scores = Margin().score(showing(torch.cat([clear + 0.3 * close, clear + 0.9 * close])))
    assert scores[0] < scores[1] < 0


def test_a_map_with_a_single_peak_is_sure() -> None:
    published, ours = (Margin(lone=lone).score(showing(blobs(BLOBS["one"]))).item() for lone in ("nothing", "height"))
    assert published == 0, "the highest score that there is"
    assert ours == pytest.approx(-5)
    assert Margin().lone == "height"


def test_least_confidence_is_higher_for_lower_maxima() -> None:
    scores = LeastConfidence().score(showing(torch.cat([blobs(BLOBS["one"]), blobs(BLOBS["one"], 0.4)])))
    assert scores.tolist() == pytest.approx([-5.0, -2.0])


def test_influence_grows_with_the_distance_from_the_rest() -> None:
    features = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]])
    nothing = features[:, :0]
    shown = attrs.evolve(window(4), features=features, labelled=torch.zeros(4) > 0, keypoints=nothing)
    scores = Influence().score(shown)
    assert (int(scores.argmax()), float(scores.max())) == (3, 1.0)


# -------------------------------------------------------------------------------------------------- neighbours
@pytest.mark.parametrize("criterion", [HeatmapContinuity(), PoseContinuity()], ids=["thc", "tpc"])
@pytest.mark.parametrize(("before", "after", "terms"), [(1, 1, 2), (1, 0, 2), (0, 1, 2), (0, 0, 0)])
def test_one_neighbour_counts_twice_and_none_scores_zero(
    criterion: Criterion, before: int, after: int, terms: int
) -> None:
    maps, moved = blobs(BLOBS["one"]), blobs([(20, 24)])
    shown = showing(maps, previous=moved, next=moved, keypoints=torch.tensor([16.0, 24.0]).expand(1, 5, 2))
    both = criterion.score(shown)
    ours = criterion.score(
        attrs.evolve(shown, has_previous=torch.tensor([before > 0]), has_next=torch.tensor([after > 0]))
    )
    assert both.item() > 0
    assert ours.item() == pytest.approx(both.item() * terms / 2)


def test_tracks_that_agree_in_two_digits_stay_apart() -> None:
    """The published code reads the track from the last digits of an annotation's number."""
    frame = torch.tensor([0, 0, 0, 1, 1, 1])
    before, after = neighbours(frame, torch.tensor([7, 107, 1007, 1007, 7, 107]))
    assert before.tolist() == [-1, -1, -1, 2, 0, 1]
    assert after.tolist() == [4, 5, 3, -1, -1, -1]


def test_who_returns_after_a_gap_has_no_neighbour_across_it() -> None:
    before, after = neighbours(torch.tensor([0, 1, 2, 9, 10]), torch.zeros(5, dtype=torch.int64))
    assert before.tolist() == [-1, 0, 1, -1, 3]
    assert after.tolist() == [1, 2, -1, 4, -1]


# ---------------------------------------------------------------------------------------- constants and emptiness
def test_a_constant_score_is_zero_and_never_nan() -> None:
    constant, among = torch.full((5,), -3.7), torch.ones(5) > 0
    assert normalised(constant, among).tolist() == [0.0] * 5
    assert combined([constant, constant], among, 0.5).tolist() == [0.0] * 5
    varied = torch.tensor([0.0, 1, 2, 3, 4])
    assert combined([constant, varied], among, 0.5).tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_negative_values_of_a_heatmap_have_no_entropy() -> None:
    maps = torch.zeros(1, 1, 4, 4)
    maps[0, 0, 0, :2] = 0.5
    expected = heatmap_entropy(maps).item()
    assert expected == pytest.approx(math.log(2))
    maps[0, 0, 2:] = -0.7
    assert heatmap_entropy(maps).item() == pytest.approx(expected)


def test_a_map_without_a_positive_value_is_as_unsure_as_a_constant_one() -> None:
    nothing = HeatmapEntropy().score(showing(-torch.rand(1, 5, 8, 6)))
    assert nothing.item() == pytest.approx(5 * math.log(8 * 6))
    assert HeatmapEntropy().score(showing(torch.ones(1, 5, 8, 6))).item() == pytest.approx(nothing.item())


# ------------------------------------------------------------------------------------------------------ selection
POOL = Pool(torch.tensor([0.1, 0.9, 0.3, 0.2]), torch.eye(4), torch.zeros(4) > 0)


@pytest.mark.parametrize("selector", [DynamicUncertaintyWeighting(), FixedLambda()], ids=["duw", "fixed-lambda"])
def test_a_cold_start_takes_the_most_uncertain(selector: DynamicUncertaintyWeighting | FixedLambda) -> None:
    assert selector.select(POOL, 2, torch.Generator())[0].item() == 1


def test_a_cold_core_set_starts_at_random() -> None:
    first = {CoreSet().select(POOL, 1, torch.Generator().manual_seed(seed)).item() for seed in range(40)}
    assert first == {0, 1, 2, 3}


def test_duw_looks_at_distances_alone_as_long_as_no_query_has_gone_well() -> None:
    features = torch.tensor([[0.0], [1.0], [10.0]])
    labelled = torch.tensor([True, False, False])
    for mean in (None, 0.0):
        pool = Pool(torch.tensor([0.0, 1.0, 0.0]), features, labelled, mean)
        assert DynamicUncertaintyWeighting(1e6).select(pool, 1, torch.Generator()).tolist() == [2]


# ------------------------------------------------------------------------------------------------------------ wpu
def test_a_sigmoid_cannot_rebuild_what_lies_left_of_or_above_the_centre() -> None:
    points, boxes = torch.rand(20, 17, 2) * 100, torch.tensor([[0.0, 0.0, 100.0, 100.0]]).repeat(20, 1)
    feature = pose_feature(points, torch.ones(20, 17), boxes, angle_triples(PERSON_17))
    assert (feature < 0).float().mean() > 0.3
    with torch.no_grad():
        assert (AutoEncoder(42, output="sigmoid")(feature) > 0).all()
        assert (AutoEncoder(42, output="linear")(feature) < 0).any()
    assert PoseUnnaturalness().output == "linear"


def test_unnaturalness_is_measured_in_the_instances_box_not_in_its_crop() -> None:
    criterion, shown = fitted(), window(6)
    with torch.no_grad():
        plain = criterion.score(shown)
        torch.testing.assert_close(criterion.score(attrs.evolve(shown, crops=shown.crops * 3)), plain)
        assert not torch.allclose(criterion.score(attrs.evolve(shown, boxes=shown.boxes * 2)), plain)


# -------------------------------------------------------------------------------------------------------- vl4pose
def test_a_further_peak_changes_the_published_sum_and_not_the_likeliest_pose() -> None:
    near, far = blobs([(16, 12)])[:, :1], blobs([(16, 30)])[:, :1]
    faint = 0.02 * blobs([(26, 40)])[:, :1]
    means, logs = torch.tensor([[18.0]]), torch.tensor([[0.0]])
    change = {}
    for reduce in ("sum", "max"):
        plain, more = (
            log_likelihood(local_maxima(torch.cat([near, end], 1), 2, 5), means, logs, [(0, 1)], reduce)
            for end in (far, far + faint)
        )
        change[reduce] = float(more - plain)
    assert change["sum"] < -10, "the further peak's own improbability is added"
    assert change["max"] == pytest.approx(-math.log(1 + math.exp(-0.98)), abs=1e-2), "its share of the weight alone"
    assert VL4Pose().reduce == "max"


# ------------------------------------------------------------------------------------------------------ estimators
def test_hrnet_has_learning_rate_groups_and_a_feature() -> None:
    """The published code has neither for it, and so cannot run it."""
    estimator = HRNet(width=8)
    estimator.build(STICK)
    groups = estimator.parameter_groups(1.0)
    counted = sum(p.numel() for group in groups for p in group["params"])
    assert [group["lr"] for group in groups] == [1.0, 5.0, 10.0]
    assert counted == sum(p.numel() for p in estimator.parameters())
    with torch.no_grad():
        heatmaps, features, _ = estimator.eval()(torch.randn(2, 3, 64, 64))
    assert heatmaps.shape == (2, 5, 16, 16)
    assert features.shape[0] == 2
    assert features.ndim == 2


# -------------------------------------------------------------------------------------------- targets and decoding
def test_a_gaussian_that_only_touches_the_map_still_counts_and_one_outside_does_not() -> None:
    points = torch.tensor([[[-5.0 * 4, 40.0], [-9.0 * 4, 40.0]]])
    targets, weights = gaussian_targets(points, torch.ones(1, 2) > 0, (64, 48), 4)
    assert weights.tolist() == [[1.0, 0.0]]
    assert 0 < targets[0, 0].max() < 1
    assert targets[0, 1].max() == 0


def test_a_maximum_in_a_corner_is_not_moved() -> None:
    maps = torch.zeros(1, 1, 64, 48)
    maps[0, 0, 0, 47] = 1.0
    keypoints, scores = decode(maps, torch.tensor([[0.0, 0.0, 48.0, 64.0]]))
    assert (keypoints.tolist(), scores.item()) == ([[[47.0, 0.0]]], 1.0)


# ------------------------------------------------------------------------------------------------------- measures
def _people(numbers: list[int] | None) -> PosesInFrames:
    keypoints = torch.rand(4, 17, 2, generator=torch.Generator().manual_seed(0)) * 100
    boxes = torch.tensor([[0.0, 0.0, 100.0, 100.0]]).repeat(4, 1)
    ids = None if numbers is None else torch.tensor(numbers)
    return PosesInFrames(torch.arange(4), boxes, keypoints, torch.ones(4, 17), ids)


def test_no_annotation_is_numbered_zero() -> None:
    """pycocotools takes a match with annotation 0 for none; the published files are numbered from 0."""
    found = [average_precision(_people(n), _people(None), PERSON_17).ap for n in (None, [1, 2, 3, 4], [0, 1, 2, 3])]
    assert found[0] == found[1] == pytest.approx(1)
    assert found[2] < 0.8


def test_oks_of_an_instance_without_annotation_is_to_its_grown_box() -> None:
    boxes, nowhere = torch.tensor([[100.0, 100.0, 50.0, 50.0]]), torch.zeros(1, 17) > 0
    inside, outside = torch.full((1, 17, 2), 60.0), torch.full((1, 17, 2), -500.0)
    of = [oks(points, torch.zeros(1, 17, 2), nowhere, boxes, PERSON_17.sigmas).item() for points in (inside, outside)]
    assert of == pytest.approx([1, 0], abs=1e-6)


def test_the_actual_finish_is_no_stopping_criterion() -> None:
    assert "actual-finish" not in discover().names("stopping")
