"""What makes an estimate suspicious: measures of the estimates alone, and how a queue is spread."""

from __future__ import annotations

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK, stick_video
from vatl_annotate.review.evidence import Evidence, Reasons
from vatl_annotate.review.ordering import by_track, spread
from vatl_annotate.review.suspicion import beyond_usual, crossed_by_labels, crossed_in_time, doubts, jumps
from vatl_core.contracts import Labels
from vatl_core.estimation import Estimates
from vatl_core.video import Video

VIDEO = stick_video(frames=9, seed=3)
assert VIDEO.instances.keypoints is not None
POSES = VIDEO.instances.keypoints[:2].repeat(9, 1, 1) + torch.randn(
    18, 5, 2, generator=torch.Generator().manual_seed(1)
)
"""Estimates of figures that stand nearly still."""
PAIRS = STICK.flip_pairs
SEEDS = st.integers(0, 10_000)


def estimates(poses: Tensor, scores: Tensor | None = None) -> Estimates:
    found = torch.full(poses.shape[:2], 0.8) if scores is None else scores
    return Estimates(poses, found, found[:, :0])


def labels(index: list[int]) -> Labels:
    rows = torch.tensor(index, dtype=torch.int64)
    return Labels(rows, POSES[rows], torch.ones(len(index), 5) > 0, "ada", torch.zeros(len(index)))


def evidence(poses: Tensor, video: Video = VIDEO, scores: Tensor | None = None, like: tuple[int, ...] = ()) -> Evidence:
    return Evidence.of(video, estimates(poses, scores), labels([*like]))


def crossed(poses: Tensor, instance: int, *pairs: tuple[int, int]) -> Tensor:
    """The poses with these pairs of one instance exchanged."""
    other = poses.clone()
    for left, right in pairs:
        other[instance, [left, right]] = poses[instance, [right, left]]
    return other


@given(st.integers(0, 17), st.sampled_from([PAIRS, PAIRS[:1], PAIRS[1:]]))
def test_exchanged_sides_stand_out_in_time(instance: int, pairs: tuple[tuple[int, int], ...]) -> None:
    found = evidence(crossed(POSES, instance, *pairs))
    assert int(found.suspicion.argmax()) in _and_neighbours(instance)
    assert found.in_time[instance].gt(0).tolist() == [pair in pairs for pair in PAIRS]


def _and_neighbours(instance: int) -> tuple[int, ...]:
    """At the end of a track an exchange is as much its neighbour's."""
    return (instance, *(i for i in (instance - 2, instance + 2) if not 2 <= instance < 16))


@given(st.integers(2, 17), st.sampled_from([PAIRS, PAIRS[:1]]))
def test_exchanged_sides_stand_out_by_the_labels_alone(instance: int, pairs: tuple[tuple[int, int], ...]) -> None:
    alone = attrs.evolve(VIDEO, instances=_without_neighbours(VIDEO))
    found = evidence(crossed(POSES, instance, *pairs), alone, like=(0, 1))
    assert not found.in_time.any()
    assert int(found.by_labels.amax(1).argmax()) == instance


def test_unlike_every_label_nothing_is_said_of_sides() -> None:
    far = crossed(POSES, 4, *PAIRS)
    far[4] += 200 * torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert not evidence(far, like=(0, 1)).by_labels[4].any()


def test_without_labels_pairs_or_neighbours_nothing_speaks_against_a_pose() -> None:
    alone = _without_neighbours(VIDEO)
    columns = (POSES, alone.boxes, alone.previous, alone.next)
    assert not jumps(*columns).any()
    assert not crossed_in_time(*columns, PAIRS).any()
    assert crossed_in_time(*columns, ()).shape == (18, 0)
    none = labels([])
    assert not crossed_by_labels(POSES, alone.boxes, PAIRS, none.keypoints, none.visible, alone.boxes[:0]).any()


@given(st.floats(0.5, 20), st.floats(-500, 500), SEEDS)
@settings(max_examples=25)
def test_a_video_moved_and_scaled_is_as_suspicious(scale: float, away: float, seed: int) -> None:
    poses = POSES + 6 * torch.randn(POSES.shape, generator=torch.Generator().manual_seed(seed))
    boxes = VIDEO.instances.boxes
    moved = torch.cat([boxes[:, :2] * scale + away, boxes[:, 2:] * scale], 1)
    video = attrs.evolve(VIDEO, instances=attrs.evolve(VIDEO.instances, boxes=moved))
    here, there = evidence(poses), evidence(poses * scale + away, video)
    assert torch.allclose(here.jumps, there.jumps, atol=1e-3)
    assert torch.allclose(here.in_time, there.in_time, atol=1e-3)


@given(SEEDS)
@settings(max_examples=25)
def test_the_order_of_instances_is_no_matter(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    poses = POSES + 6 * torch.randn(POSES.shape, generator=generator)
    order = torch.randperm(18, generator=generator)
    place = torch.empty(19, dtype=torch.int64)
    place[order], place[18] = torch.arange(18), -1  # −1 stays −1
    now = VIDEO.instances
    other = attrs.evolve(
        now, frame=now.frame[order], track=now.track[order], boxes=now.boxes[order],
        previous=place[now.previous[order]], next=place[now.next[order]],
    )  # fmt: skip
    here, there = evidence(poses), evidence(poses[order], attrs.evolve(VIDEO, instances=other))
    assert torch.allclose(here.suspicion[order], there.suspicion, atol=1e-4)


def test_steady_motion_is_no_jump_and_a_thrown_hand_is() -> None:
    frame = torch.arange(9).repeat_interleave(2)[:, None, None]
    steady = POSES[:2].repeat(9, 1, 1) + 7.0 * frame
    inner = slice(2, 16)
    assert evidence(steady).jumps[inner].abs().max() < 1e-5
    thrown = steady.clone()
    thrown[8, 1] += 30
    found = evidence(thrown)
    assert divmod(int(found.jumps.argmax()), 5) == (8, 1)
    words = Reasons(VIDEO, found, found.columns).of(8)
    assert words[0].startswith("handL jumps: ")


def test_low_scores_are_named_with_what_is_usual() -> None:
    scores = torch.full((18, 5), 0.8)
    scores[6] = 0.2
    still = POSES[:2].repeat(9, 1, 1)
    found = evidence(still, scores=scores)
    assert int(found.suspicion.argmax()) == 6
    reasons = Reasons(VIDEO, found, found.columns)
    assert reasons.of(6) == ("Low scores: 0.20 on average, 0.80 is usual",)
    assert reasons.of(7) == ("Nothing stands out: the mean score is 0.80",)


@given(SEEDS, st.integers(1, 6))
@settings(max_examples=25)
def test_nothing_is_ever_undefined(seed: int, keypoints: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 3, (4, keypoints), generator=generator).float()
    assert doubts(values).isfinite().all()
    assert beyond_usual(values[:, 0], 0.05).isfinite().all()
    assert not beyond_usual(torch.full((7,), 0.3), 0.05).any()
    assert beyond_usual(torch.zeros(0), 0.05).shape == (0,)


def test_the_truth_changes_nothing() -> None:
    blind = evidence(POSES, attrs.evolve(VIDEO, instances=VIDEO.instances.without_truth()))
    assert torch.equal(blind.suspicion, evidence(POSES).suspicion)


@st.composite
def queues(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor, int]:
    generator = torch.Generator().manual_seed(draw(SEEDS))
    count = draw(st.integers(0, 60))
    columns = (torch.randint(0, high, (count,), generator=generator) for high in (40, 3))
    among = torch.rand(count, generator=generator) < 0.7
    return (torch.rand(count, generator=generator) * 9, *columns, among, draw(st.integers(1, 50)))  # type: ignore[return-value]


@given(queues())
def test_a_queue_holds_only_what_may_be_asked_each_once(queue: tuple[Tensor, Tensor, Tensor, Tensor, int]) -> None:
    *_, among, count = queue
    picks = spread(*queue)
    assert len(picks) == len(set(picks)) == min(count, int(among.sum()))
    assert all(among[i] for i in picks)
    if picks:
        suspicion = queue[0]
        assert suspicion[picks[0]] == suspicion[among].max(), "the first is the most suspicious"


def test_one_bad_stretch_does_not_fill_the_queue() -> None:
    frame, track = torch.arange(60).repeat(2), torch.arange(2).repeat_interleave(60)
    suspicion = torch.ones(120)
    suspicion[20:30] = 9.0
    suspicion[85] = 4.0
    picks = spread(suspicion, frame, track, torch.ones(120) > 0, 4)
    assert sum(20 <= pick < 30 for pick in picks) == 1
    assert picks[1] == 85
    assert spread(suspicion, frame, track, frame < 0, 4) == []
    assert spread(suspicion, frame, track, torch.arange(120) != 25, 1, seen=[25]) == [85], "nor does it come next"


def test_a_bad_track_leaves_room_for_others() -> None:
    frame, track = torch.arange(200).repeat(2), torch.arange(2).repeat_interleave(200)
    suspicion = torch.where(track == 0, 8.0, 4.0)
    picks = spread(suspicion, frame, track, torch.ones(400) > 0, 9)
    assert sum(int(track[i]) == 0 for i in picks) == 6, "by how bad they are"


def test_a_queue_may_go_track_by_track() -> None:
    frame, track = torch.tensor([5, 1, 3, 2]), torch.tensor([1, 0, 0, 1])
    assert by_track([0, 1, 2, 3], frame, track) == [1, 2, 3, 0]


def _without_neighbours(video: Video) -> object:
    nobody = torch.full_like(video.instances.frame, -1)
    return attrs.evolve(video.instances, previous=nobody, next=nobody)


@pytest.mark.parametrize("like", [(), (0, 5)])
def test_evidence_has_a_column_for_each_pair_and_keypoint(like: tuple[int, ...]) -> None:
    found = evidence(POSES, like=like)
    assert (found.in_time.shape, found.by_labels.shape, found.jumps.shape) == ((18, 2), (18, 2), (18, 5))
    assert found.columns.shape == (4, 18)
