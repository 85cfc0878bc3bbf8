"""OSPA, PCK and rank correlations, and what an evaluation says of a pass."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from tests.conftest import STICK, stick_video
from vatl_core.contracts import Labels
from vatl_core.discovery import discover
from vatl_core.estimation import Estimates
from vatl_core.hookspecs import hookimpl
from vatl_core.metrics import Accuracy, PosesInFrames, evaluate, oks, true_poses
from vatl_core.metrics.evaluation import rank_correlation
from vatl_core.records import CycleRecord, converter, to_json
from vatl_core.video import Instances, Skeleton
from vatl_report.ospa import ospa
from vatl_report.pck import correct_keypoints

SIGMAS = STICK.sigmas


def some(frames: list[int], seed: int = 0) -> PosesInFrames:
    """Poses of five keypoints in boxes of 100 × 80, one for each entry of ``frames``; some keypoints are hidden."""
    generator = torch.Generator().manual_seed(seed)
    n = len(frames)
    boxes = torch.cat([torch.rand(n, 2, generator=generator) * 30, torch.tensor([[100.0, 80.0]]).expand(n, 2)], 1)
    keypoints = boxes[:, None, :2] + torch.rand(n, 5, 2, generator=generator) * 80
    weight = (torch.rand(n, 5, generator=generator) < 0.8).float()
    return PosesInFrames(torch.tensor(frames, dtype=torch.int64), boxes.double(), keypoints.double(), weight)


def moved(poses: PosesInFrames, pixels: float, seed: int = 1) -> PosesInFrames:
    noise = torch.randn(poses.keypoints.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return attrs.evolve(poses, keypoints=poses.keypoints + pixels * noise, weight=torch.ones_like(poses.weight))


def only(poses: PosesInFrames, rows: Tensor) -> PosesInFrames:
    return PosesInFrames(poses.frame[rows], poses.boxes[rows], poses.keypoints[rows], poses.weight[rows])


def brute_force(truth: PosesInFrames, predicted: PosesInFrames, order: float = 1, cutoff: float = 1) -> float:
    """The definition, every assignment tried."""
    distances = []
    for frame in sorted({*truth.frame.tolist(), *predicted.frame.tolist()}):
        a, b = (torch.nonzero(p.frame == frame).flatten().tolist() for p in (truth, predicted))
        price = {(i, j): _distance(truth, predicted, i, j, cutoff) ** order for i in a for j in b}
        few, many = sorted([a, b], key=len)
        best = min(
            sum(price[pair if few is a else pair[::-1]] for pair in zip(few, chosen, strict=True))
            for chosen in permutations(many, len(few))
        )
        distances.append(((best + cutoff**order * (len(many) - len(few))) / len(many)) ** (1 / order))
    return sum(distances) / len(distances)


def _distance(truth: PosesInFrames, predicted: PosesInFrames, i: int, j: int, cutoff: float) -> float:
    seen = truth.weight[[i]] > 0
    return min(cutoff, 1 - float(oks(predicted.keypoints[[j]], truth.keypoints[[i]], seen, truth.boxes[[i]], SIGMAS)))


class TestOspa:
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.integers(0, 3), min_size=1, max_size=9),
        st.data(),
        st.sampled_from([(1.0, 1.0), (2.0, 1.0), (1.0, 0.3), (1.5, 0.7)]),
    )
    def test_it_is_the_best_of_all_assignments(
        self, frames: list[int], data: st.DataObject, how: tuple[float, float]
    ) -> None:
        order, cutoff = how
        truth = some(frames)
        kept = data.draw(st.lists(st.sampled_from(range(len(frames))), unique=True))
        predicted = only(moved(truth, 15), torch.tensor(kept, dtype=torch.int64))
        ours = ospa(truth, predicted, SIGMAS, cutoff, order)
        assert ours == pytest.approx(brute_force(truth, predicted, order, cutoff), abs=1e-9)
        assert 0 <= ours <= cutoff

    def test_the_right_poses_in_any_order_are_no_distance_away(self) -> None:
        truth = some([0, 0, 0, 4, 4, 9])
        assert ospa(truth, only(truth, torch.tensor([5, 2, 4, 0, 3, 1])), SIGMAS) == pytest.approx(0, abs=1e-12)

    def test_a_needless_and_a_missing_pose_cost_the_same(self) -> None:
        three, two = some([0, 0, 0]), only(some([0, 0, 0]), torch.tensor([0, 2]))
        assert ospa(three, two, SIGMAS) == pytest.approx(1 / 3)
        assert ospa(two, three, SIGMAS) == pytest.approx(1 / 3)

    def test_a_frame_without_a_pose_on_one_side_is_as_bad_as_can_be(self) -> None:
        nothing = some([])
        assert ospa(some([3, 3, 8]), nothing, SIGMAS) == 1
        assert ospa(nothing, some([3, 3, 8]), SIGMAS) == 1
        assert ospa(nothing, nothing, SIGMAS) == 0

    def test_a_pose_that_is_no_number_is_as_bad_as_can_be(self) -> None:
        truth = some([0, 1])
        lost = attrs.evolve(truth, keypoints=truth.keypoints.clone())
        lost.keypoints[1] = torch.nan
        assert ospa(truth, lost, SIGMAS) == pytest.approx(0.5)


class TestCorrectKeypoints:
    def test_the_longer_side_of_the_box_is_the_measure(self) -> None:
        boxes = torch.tensor([[0.0, 0, 100, 40]])
        truth = PosesInFrames(torch.zeros(1), boxes, torch.zeros(1, 3, 2), torch.ones(1, 3))
        predicted = attrs.evolve(truth, keypoints=torch.tensor([[[20.0, 0], [20.1, 0], [0, 12]]]))
        pck, by_keypoint = correct_keypoints(truth, predicted, ["a", "b", "c"])
        assert pck == pytest.approx(2 / 3)
        assert by_keypoint == {"a": 1.0, "b": 0.0, "c": 1.0}
        assert correct_keypoints(truth, predicted, ["a", "b", "c"], 0.1)[0] == 0

    def test_what_nobody_annotated_is_left_out(self) -> None:
        boxes = torch.tensor([[0.0, 0, 10, 10]] * 2)
        seen = torch.tensor([[1.0, 0, 0], [1, 1, 0]])
        truth = PosesInFrames(torch.zeros(2), boxes, torch.zeros(2, 3, 2), seen)
        predicted = attrs.evolve(truth, keypoints=torch.tensor([[[0.0, 0], [99, 99], [0, 0]]] * 2))
        found = correct_keypoints(truth, predicted, ["a", "b", "c"])
        assert found == (pytest.approx(2 / 3), {"a": 1.0, "b": 0.0})
        nobody = attrs.evolve(truth, weight=torch.zeros(2, 3))
        assert correct_keypoints(nobody, predicted, ["a", "b", "c"])[0] is None


class TestRankCorrelation:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=30))
    def test_it_is_the_correlation_of_mean_ranks(self, pairs: list[tuple[int, int]]) -> None:
        a, b = torch.tensor(pairs).float().unbind(1)
        ours = rank_correlation({"a": a, "constant": torch.ones_like(a)}, b)
        if len(a.unique()) < 2 or len(b.unique()) < 2:
            assert ours == {}
        else:
            expected = np.corrcoef([stats.rankdata(a), stats.rankdata(b)])[0, 1]
            assert ours == {"a": pytest.approx(expected, abs=1e-12)}

    def test_too_few_to_rank(self) -> None:
        assert rank_correlation({"a": torch.ones(1)}, torch.ones(1)) == {}
        assert rank_correlation({"a": torch.ones(0)}, torch.ones(0)) == {}


class TestEvaluation:
    N = 24

    def pass_(self) -> Estimates:
        """The sticks, estimated the worse the later, box for box."""
        instances = stick_video().instances
        assert instances.keypoints is not None
        error = (torch.arange(self.N) * instances.boxes[:, 2:].prod(1).sqrt() * 0.008)[:, None, None]
        scores = torch.rand(self.N, 5, generator=torch.Generator().manual_seed(2))
        criteria = {
            "knows": torch.arange(self.N).float(), "misled": -torch.arange(self.N).float(), "mute": torch.ones(self.N),
        }  # fmt: skip
        return Estimates(instances.keypoints + error, scores, torch.zeros(self.N, 1), criteria)

    @staticmethod
    def labels(index: list[int]) -> Labels:
        instances = stick_video().instances
        assert instances.keypoints is not None
        at = torch.tensor(index, dtype=torch.int64)
        return Labels(at, instances.keypoints[at], torch.ones(len(at), 5) > 0, "truth", torch.zeros(len(at)))

    def test_criteria_are_ranked_against_the_error_of_what_is_unlabelled(self) -> None:
        found = evaluate(stick_video(), self.pass_(), self.labels([0, 5]), 0.5)
        assert found is not None
        assert found.rank_correlation == {"knows": pytest.approx(1), "misled": pytest.approx(-1)}
        everything = evaluate(stick_video(), self.pass_(), self.labels(list(range(self.N))), 0.5)
        assert everything is not None
        assert everything.rank_correlation == {}
        assert everything.mean_oks_unlabelled is None

    def test_labels_count_in_every_measure_that_has_two(self) -> None:
        hook = discover().manager.hook
        found = evaluate(stick_video(), self.pass_(), self.labels([20, 21, 22, 23]), 0.9, hook=hook)
        assert found is not None
        assert found.further_with_labels["OSPA"] < found.further["OSPA"]
        assert found.further_with_labels["PCK"] >= found.further["PCK"]
        assert found.ap_with_labels > found.ap
        assert found.ap_at.keys() == found.ap_at_with_labels.keys() == {f"{t / 100:g}" for t in range(50, 100, 5)}
        for at, ap in ((found.ap_at, found.ap), (found.ap_at_with_labels, found.ap_with_labels)):
            assert sum(at.values()) / 10 == pytest.approx(ap)
        assert sum(found.counts.values()) == self.N
        assert found.counts["labelled wrong"] == 4, "the estimator's own poses of what is labelled"
        everything = evaluate(stick_video(), self.pass_(), self.labels(list(range(self.N))), 0.9, hook=hook)
        assert everything is not None
        assert everything.further_with_labels["OSPA"] == pytest.approx(0, abs=1e-6)
        assert everything.further_with_labels["PCK"] == 1

    def test_where_every_box_has_one_pose_ospa_is_at_most_the_mean_error(self) -> None:
        video, estimates = stick_video(), self.pass_()
        truth = true_poses(video, video.instances.known)
        assert truth is not None
        predicted = PosesInFrames(truth.frame, truth.boxes, estimates.keypoints, estimates.scores)
        found = Accuracy.of(truth, predicted, video.skeleton)
        assert ospa(truth, predicted, video.skeleton.sigmas) <= float(1 - found.oks.mean()) + 1e-6

    def test_plugins_measure_what_has_an_annotated_keypoint(self) -> None:
        class Sized:
            """A plugin that measures nothing but how much it was given."""

            @hookimpl
            def vatl_measure(self, truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> Any:
                assert len(truth.frame) == len(predicted.frame)
                return {"poses": len(truth.frame)}

        manager = discover().manager
        manager.register(Sized())
        video = stick_video()
        instances = video.instances
        assert instances.visible is not None
        instances.visible[3] = False
        found = evaluate(video, self.pass_(), self.labels([0]), 0.5, hook=manager.hook)
        assert found is not None
        assert found.further["poses"] == found.further_with_labels["poses"] == self.N - 1
        of_each = {f"PCK.{name}" for name in STICK.keypoints}
        assert set(found.further) == {"OSPA", "PCK", "PCK@10", "PCK@5", "poses", *of_each}

    def test_no_truth_no_figures(self) -> None:
        assert evaluate(stick_video().without_truth(), self.pass_(), self.labels([]), 0.5) is None
        video = stick_video()
        blank = attrs.evolve(video.instances, visible=torch.zeros(self.N, 5) > 0)
        assert evaluate(attrs.evolve(video, instances=blank), self.pass_(), self.labels([]), 0.5) is None

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.integers(0, 23), min_size=1, max_size=30), st.integers(0, 2**31), st.sampled_from([1, 9e9, "nan"])
    )
    def test_what_nobody_knows_changes_no_measure(self, copied: list[int], seed: int, far: float | str) -> None:
        video, estimates, generator = stick_video(), self.pass_(), torch.Generator().manual_seed(seed)
        all_of_them = torch.tensor([*range(self.N), *copied])
        known = torch.arange(len(all_of_them)) < self.N
        truth = video.instances
        assert truth.keypoints is not None
        said = truth.keypoints[all_of_them] + float(far) * torch.randn(len(known), 5, 2, generator=generator)
        said[: self.N] = truth.keypoints
        guessed = estimates.keypoints[all_of_them] + 50 * torch.randn(len(known), 1, 2, generator=generator)
        guessed[: self.N] = estimates.keypoints
        columns = (column[all_of_them] for column in (truth.frame, truth.track, truth.boxes))
        more = Instances.of(*columns, None, said, torch.ones(len(known), 5) > 0, known)
        criteria = {name: torch.cat([c, torch.rand(len(copied))]) for name, c in estimates.criteria.items()}
        also = Estimates(guessed, estimates.scores[all_of_them], estimates.features[all_of_them], criteria)
        for labels in ([], [0, 5]):
            before = evaluate(video, estimates, self.labels(labels), 0.5)
            # one of those that nobody knows may have been labelled by somebody
            person = attrs.evolve(self.labels([*labels, 0]), index=torch.tensor([*labels, self.N]))
            after = evaluate(attrs.evolve(video, instances=more), also, person, 0.5)
            assert before is not None
            assert after == before
            assert before.measured == self.N

    def test_where_nothing_is_visible_only_coco_says_what_counts(self) -> None:
        video, estimates = stick_video(), self.pass_()
        truth = video.instances
        assert truth.visible is not None
        seen = truth.visible.clone()
        seen[20:] = False
        found = evaluate(
            attrs.evolve(video, instances=attrs.evolve(truth, visible=seen)), estimates, self.labels([]), 0.1
        )
        rest = evaluate(video, estimates, self.labels([]), 0.1, torch.arange(self.N) < 20)
        assert found is not None
        assert rest is not None
        assert attrs.asdict(found) | {"ap": 0} == attrs.asdict(rest) | {"ap": 0}
        assert found.measured == 20
        assert found.rank_correlation == {"knows": pytest.approx(1), "misled": pytest.approx(-1)}

    def test_a_record_of_it_comes_back(self) -> None:
        record = CycleRecord(0, self.N, 1, evaluation=evaluate(stick_video(), self.pass_(), self.labels([1]), 0.5))
        assert converter.structure(json.loads(json.dumps(to_json(record))), CycleRecord) == record
