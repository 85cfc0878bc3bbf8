"""What the criteria promise beyond the published numbers."""

from __future__ import annotations

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK
from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.video import PERSON_17, Skeleton
from vatl_criteria.uncertainty.confidence import LeastConfidence
from vatl_criteria.uncertainty.continuity import HeatmapContinuity
from vatl_criteria.uncertainty.pose_feature import angle_triples, angles, known_entries, pose_feature
from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness

CPU = torch.device("cpu")


def window(count: int, seed: int = 0) -> Window:
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(3, count, 5, 16, 12, generator=generator)
    return Window(
        index=torch.arange(count),
        skeleton=STICK,
        boxes=torch.tensor([[10.0, 10.0, 40.0, 60.0]]).repeat(count, 1),
        crops=torch.tensor([[5.0, 5.0, 55.0, 75.0]]).repeat(count, 1),
        keypoints=torch.rand(count, 5, 2, generator=generator) * 50,
        scores=maps[0].amax((2, 3)),
        features=torch.rand(count, 8, generator=generator),
        heatmaps=maps[0],
        previous=maps[1],
        next=maps[2],
        has_previous=torch.rand(count, generator=generator) < 0.7,
        has_next=torch.rand(count, generator=generator) < 0.7,
        labelled=torch.rand(count, generator=generator) < 0.3,
        condensed=torch.zeros(count, 0),
    )


def part(whole: Window, rows: torch.Tensor) -> Window:
    found = {field.name: getattr(whole, field.name) for field in attrs.fields(Window)}
    columns = {name: column[rows] for name, column in found.items() if isinstance(column, Tensor) and len(column)}
    return attrs.evolve(whole, **columns)


def fitted() -> PoseUnnaturalness:
    criterion = PoseUnnaturalness()
    poses = Poses(
        torch.rand(40, 5, 2) * 50, torch.ones(40, 5) > 0, torch.tensor([[0.0, 0.0, 50.0, 50.0]]).repeat(40, 1)
    )
    criterion.prepare(STICK, poses, torch.Generator().manual_seed(0), CPU)
    return criterion


@pytest.mark.parametrize(
    "criterion", [LeastConfidence(), HeatmapContinuity(), HeatmapContinuity("l2"), fitted()], ids=repr
)
def test_a_score_depends_neither_on_the_batch_nor_on_its_order(criterion: Criterion) -> None:
    whole = window(11)
    order = torch.randperm(11)
    with torch.no_grad():
        together = criterion.score(whole)
        assert together.shape == (11,)
        assert torch.isfinite(together).all()
        torch.testing.assert_close(criterion.score(part(whole, order)), together[order])
        for row in range(11):
            torch.testing.assert_close(criterion.score(part(whole, torch.tensor([row])))[0], together[row])


class TestContinuity:
    def test_it_is_symmetric_in_time(self) -> None:
        forward = window(7)
        backward = Window(
            forward.index, STICK, forward.boxes, forward.crops, forward.keypoints, forward.scores, forward.features,
            forward.heatmaps, forward.next, forward.previous, forward.has_next, forward.has_previous,
        )  # fmt: skip
        torch.testing.assert_close(HeatmapContinuity().score(forward), HeatmapContinuity().score(backward))

    def test_a_lone_instance_scores_zero_and_a_lone_neighbour_counts_twice(self) -> None:
        maps = torch.zeros(3, 5, 4, 4)
        maps[:, :, 0, 0] = 1.0
        still = torch.zeros_like(maps)
        scores = HeatmapContinuity().score(
            Window(
                torch.arange(3), STICK, torch.zeros(3, 4), torch.zeros(3, 4), torch.zeros(3, 5, 2), torch.zeros(3, 5),
                torch.zeros(3, 1), maps, still, still, torch.tensor([False, True, True]),
                torch.tensor([False, False, True]),
            )
        )  # fmt: skip
        assert scores.tolist() == [0.0, 2.0, 2.0]


ANY_SKELETON = [
    PERSON_17,
    STICK,
    Skeleton("insect", tuple(map(str, range(13))), tuple((0, k) for k in range(1, 13))),
    Skeleton("no two edges meet", ("a", "b", "c", "d"), ((0, 1), (2, 3))),
    Skeleton("point", ("only",)),
]


class TestUnnaturalness:
    @settings(deadline=None, max_examples=25)
    @given(st.sampled_from(ANY_SKELETON), st.floats(0.2, 5), st.floats(-200, 200), st.floats(-200, 200))
    def test_its_feature_moves_and_grows_with_the_box_on_any_skeleton(
        self, skeleton: Skeleton, scale: float, x: float, y: float
    ) -> None:
        random = torch.Generator().manual_seed(2)
        points = torch.rand(4, len(skeleton), 2, generator=random, dtype=torch.float64) * 100
        weights = torch.rand(4, len(skeleton), generator=random, dtype=torch.float64)
        boxes = torch.tensor([[0.0, 0.0, 80.0, 100.0]], dtype=torch.float64).repeat(4, 1)
        moved, triples = points * scale + torch.tensor([x, y]), angle_triples(skeleton)
        ours, theirs = (
            pose_feature(points, weights, boxes, triples),
            pose_feature(moved, weights, boxes * scale, triples),
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)

    @pytest.mark.parametrize("skeleton", ANY_SKELETON, ids=lambda s: s.name)
    def test_any_skeleton_can_be_learnt_and_scored(self, skeleton: Skeleton) -> None:
        count = len(skeleton)
        seen = torch.ones(30, count) > 0
        seen[:, 1:2] = False
        boxes = torch.tensor([[0.0, 0.0, 50.0, 50.0]]).repeat(30, 1)
        poses = Poses(torch.rand(30, count, 2) * 50, seen, boxes)
        criterion, empty = PoseUnnaturalness(pretrain_epochs=20), torch.zeros(30, 1)
        learnt = criterion.pretrain(skeleton, poses, poses, torch.Generator(), lambda *_: None)
        criterion = PoseUnnaturalness()
        criterion.begin_with(skeleton, learnt)
        assert criterion.prepare(skeleton, None, torch.Generator(), CPU) is None
        far = poses.keypoints.clone()
        far[:, 1:2] = 1e4
        with torch.no_grad():
            near, moved = (
                criterion.score(Window(empty, skeleton, boxes, boxes, points, torch.ones(30, count), empty))
                for points in (poses.keypoints, far)
            )
        assert torch.isfinite(near).all()
        torch.testing.assert_close(near, moved)  # what nobody annotated neither counts nor disturbs the rest

    @settings(deadline=None)
    @given(st.floats(0.2, 5), st.floats(-200, 200), st.floats(-200, 200))
    def test_the_feature_ignores_where_and_how_large_a_person_is(self, scale: float, x: float, y: float) -> None:
        generator = torch.Generator().manual_seed(1)
        points = torch.rand(3, 17, 2, generator=generator, dtype=torch.float64) * 100
        boxes = torch.tensor([[0.0, 0.0, 80.0, 100.0]], dtype=torch.float64).repeat(3, 1)
        moved, triples = points * scale + torch.tensor([x, y]), angle_triples(PERSON_17)
        ours = pose_feature(points, torch.ones(3, 17), boxes, triples)
        theirs = pose_feature(moved, torch.ones(3, 17), boxes * scale, triples)
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)

    def test_a_right_angle_is_a_right_angle(self) -> None:
        corner = torch.tensor([[[1.0, 1.0], [0.0, 0.0], [1.0, -1.0]]])
        assert angles(corner, [(0, 1, 2)]).item() == pytest.approx(torch.pi / 2, abs=1e-3)

    def test_any_skeleton_has_the_angles_of_its_joints(self) -> None:
        assert len(angle_triples(STICK)) == 6, "four limbs meet in the head"
        assert len(angle_triples(PERSON_17)) == 8

    def test_entries_of_unseen_keypoints_do_not_count(self) -> None:
        visible = torch.tensor([[True, True, False, True, True]])
        known = known_entries(visible, angle_triples(STICK))
        assert known[0, :10].tolist() == [True, True, False, True, True] * 2
        assert known[0, 10:].sum() == 3

    def test_a_keypoint_nobody_annotates_is_left_out(self) -> None:
        visible = torch.ones(40, 5) > 0
        visible[:, 2] = False
        poses = Poses(torch.rand(40, 5, 2) * 50, visible, torch.tensor([[0.0, 0.0, 50.0, 50.0]]).repeat(40, 1))
        criterion = PoseUnnaturalness(pretrain_epochs=1)
        criterion.prepare(STICK, poses, torch.Generator().manual_seed(0), CPU)
        assert criterion._counted is not None
        assert not criterion._counted[[2, 7]].any()

    def test_without_source_poses_it_says_so_and_scores_zero_until_there_are_labels(self) -> None:
        criterion = PoseUnnaturalness()
        said = criterion.prepare(STICK, None, torch.Generator().manual_seed(0), CPU)
        assert said is not None
        assert "labels alone" in said
        assert criterion.score(window(4)).tolist() == [0.0] * 4
        labelled = Poses(
            torch.rand(6, 5, 2) * 50, torch.ones(6, 5) > 0, torch.tensor([[0.0, 0.0, 50.0, 50.0]]).repeat(6, 1)
        )
        criterion.fit(labelled, torch.Generator().manual_seed(0))
        with torch.no_grad():
            assert (criterion.score(window(4)) > 0).all()

    def test_it_learns_what_is_usual(self) -> None:
        generator = torch.Generator().manual_seed(0)
        base = torch.rand(1, 5, 2, generator=generator) * 50
        usual = base + torch.randn(200, 5, 2, generator=generator)
        boxes = torch.tensor([[0.0, 0.0, 50.0, 50.0]]).repeat(200, 1)
        criterion = PoseUnnaturalness()
        criterion.prepare(STICK, Poses(usual, torch.ones(200, 5) > 0, boxes), generator, CPU)
        shown = window(2)
        odd = base.repeat(2, 1, 1)
        odd[1] = odd[1].flip(0) * 1.7
        with torch.no_grad():
            scores = criterion.score(
                Window(shown.index, STICK, boxes[:2], shown.crops, odd, torch.ones(2, 5), shown.features)
            )
        assert scores[1] > 5 * scores[0]
