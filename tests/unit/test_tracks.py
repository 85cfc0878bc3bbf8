"""The refinement ``tracks``: it takes jitter and wrong maxima away, and leaves alone what really moves."""

from __future__ import annotations

import itertools
import math
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vatl_core.contracts import Labels, Tracks
from vatl_core.video import Skeleton
from vatl_refinement.chains import chains
from vatl_refinement.noise import bends, falling, noise
from vatl_refinement.scene import Neighbours, Scene
from vatl_refinement.smoothing import measured
from vatl_refinement.tracks import AlongTracks
from vatl_refinement.two_filters import Measured, from_the_others, together
from vatl_refinement.viterbi import cheapest

SIZE = 100.0
"""Pixels of a box's side."""
COLUMNS = ("frame", "track", "time", "previous", "next", "boxes", "keypoints", "scores")
VIDEOS = {"lengths": st.lists(st.integers(1, 12), min_size=1, max_size=6), "seed": st.integers(0, 1000)}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tracks_of(*courses: Tensor, scores: float = 0.9) -> Tracks:
    """Individuals at (T, K, 2) pixels each, from the first frame on, one after the other."""
    lengths, first = [len(course) for course in courses], 0
    previous, following = [], []
    for length in lengths:
        index = torch.arange(first, first + length)
        previous.append(torch.where(index > first, index - 1, -1))
        following.append(torch.where(index < first + length - 1, index + 1, -1))
        first += length
    frame, points = torch.cat([torch.arange(length) for length in lengths]), torch.cat(courses).float()
    return Tracks(
        skeleton=Skeleton("points", tuple(map(str, range(points.shape[1])))),
        frame=frame,
        track=torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths)),
        time=frame.double() / 25,
        previous=torch.cat(previous),
        next=torch.cat(following),
        boxes=torch.tensor([0.0, 0, SIZE, SIZE]).repeat(first, 1),
        keypoints=points,
        scores=torch.full(points.shape[:2], scores),
    )


def alone(tracks: Tracks, count: int = 1) -> Tensor:
    """Candidates of heatmaps with one maximum."""
    one = torch.cat([tracks.keypoints, tracks.scores[..., None]], -1)
    return one[:, :, None].repeat(1, 1, count, 1)


def labels_of(index: list[int], keypoints: Tensor, visible: Tensor | None = None) -> Labels:
    shown = torch.ones(keypoints.shape[:2], dtype=torch.bool) if visible is None else visible
    return Labels(torch.tensor(index, dtype=torch.int64), keypoints, shown, "test", torch.zeros(len(index)))


def no_labels(tracks: Tracks) -> Labels:
    return labels_of([], tracks.keypoints[:0])


def random_video(lengths: list[int], seed: int, keypoints: int = 3) -> tuple[Tracks, Tensor, Labels]:
    """Walks, with three candidates each and a label for every fourth instance, its last keypoint not visible."""
    draw = seeded(seed)
    steps = [torch.randn(length, keypoints, 2, generator=draw) * 4 for length in lengths]
    tracks = tracks_of(*(50 + step.cumsum(0) for step in steps))
    scores = 0.1 + 0.9 * torch.rand(tracks.scores.shape, generator=draw)
    boxes = tracks.boxes * (0.5 + torch.rand(len(scores), 1, generator=draw))
    tracks = attrs.evolve(tracks, scores=scores, boxes=boxes)
    others = torch.rand(*scores.shape, 2, 3, generator=draw) * torch.tensor([SIZE, SIZE, 1])
    others[..., 2] *= scores[..., None]
    index = torch.arange(0, len(scores), 4)
    labels = labels_of(
        index.tolist(), tracks.keypoints[index] + 3, (torch.arange(keypoints) < keypoints - 1).repeat(len(index), 1)
    )
    return tracks, torch.cat([alone(tracks), others], 2), labels


def off(found: Tensor, truth: Tensor) -> float:
    """Root mean squared distance."""
    return float(torch.linalg.vector_norm(found - truth, dim=-1).square().mean().sqrt())


def along_x(x: Tensor) -> Tensor:
    """(T, 1, 2) a keypoint that goes sideways."""
    return torch.stack([x.double(), torch.full_like(x, 30.0, dtype=torch.float64)], -1)[:, None]


def noisy(course: Tensor, deviation: float, seed: int = 0) -> Tracks:
    return tracks_of(course + deviation * torch.randn(course.shape, generator=seeded(seed), dtype=torch.float64))


TIME = torch.arange(200)
TURNS = 4.0 * torch.minimum(TIME % 40, 40 - TIME % 40)
PUNCHES = torch.where(TIME % 40 < 4, 30 * torch.sin(TIME % 40 * math.pi / 4), 0.0)
COURSES = {
    "at rest": torch.zeros(200),
    "constant velocity": 2.0 * TIME,
    "constant acceleration": 0.025 * TIME**2,
    "a fast limb, constant acceleration": 2.0 * (TIME % 20 - 10).double() ** 2,
    "to and fro": 20 * torch.sin(TIME * 2 * math.pi / 25),
    "fast to and fro": 20 * torch.sin(TIME * 2 * math.pi / 10),
    "abrupt turns": TURNS,
    "faster abrupt turns": 2 * TURNS,
    "punches": PUNCHES,
    "at rest, then fast": torch.where(TIME < 120, 0.0, 20 * torch.sin(TIME * 2 * math.pi / 10)),
    "leaps": TIME // 50 * 30,
}


# --------------------------------------------------------------------------------------------------------- whole videos
@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("deviation", [0.0, 0.3, 1.0, 3.0])
def test_no_motion_is_made_worse(name: str, deviation: float) -> None:
    course = along_x(COURSES[name])
    worse = []
    for seed in range(3):
        tracks = noisy(course, deviation, seed)
        refined = AlongTracks().refine(tracks, alone(tracks), no_labels(tracks)).keypoints
        worse.append((off(refined, course), off(tracks.keypoints, course)))
    after, before = np.mean(worse, 0)
    assert after <= 1.05 * before + 0.01


def test_a_keypoint_with_nothing_beside_it_in_time_is_at_its_highest_candidate() -> None:
    tracks = tracks_of(*torch.full((3, 1, 2, 2), 40.0))
    candidates = alone(tracks, 2)
    candidates[:, :, 0, :2] += torch.tensor([0.4, -0.3])
    found = AlongTracks().refine(tracks, candidates, no_labels(tracks)).keypoints
    torch.testing.assert_close(found, candidates[:, :, 0, :2])


@pytest.mark.parametrize("name", ["at rest", "constant velocity", "constant acceleration"])
@pytest.mark.parametrize("deviation", [0.3, 1.0, 3.0])
def test_jitter_is_taken_away_and_what_is_left_is_told(name: str, deviation: float) -> None:
    course = along_x(COURSES[name])
    tracks = noisy(course, deviation)
    refined = AlongTracks().refine(tracks, alone(tracks), no_labels(tracks))
    left = off(refined.keypoints, course)
    assert left < 0.65 * off(tracks.keypoints, course)
    assert left / math.sqrt(2) == pytest.approx(float(refined.spread.square().mean().sqrt()), rel=0.3)


@pytest.mark.parametrize("name", COURSES)
def test_what_does_not_jitter_stays(name: str) -> None:
    tracks = tracks_of(along_x(COURSES[name]))
    refined = AlongTracks().refine(tracks, alone(tracks), no_labels(tracks))
    assert off(refined.keypoints, tracks.keypoints) < 0.02


@pytest.mark.parametrize(("hidden", "share"), [(1, 0.05), (1, 0.9), (3, 0.3), (6, 0.5), (20, 0.9)])
def test_a_higher_maximum_elsewhere_is_passed_over_while_a_limb_is_hidden(hidden: int, share: float) -> None:
    course = along_x(2.0 * torch.arange(60))
    wrong = course.clone()
    wrong[30 : 30 + hidden] += 60
    tracks = tracks_of(wrong, scores=0.5)
    right = torch.cat([course.float(), tracks.scores[..., None] * share], -1)[:, :, None]
    candidates = torch.cat([alone(tracks), right, alone(tracks)], 2)
    refined = AlongTracks().refine(tracks, candidates, no_labels(tracks)).keypoints
    assert off(refined, course) < 1
    without = AlongTracks(candidates=1).refine(tracks, candidates[:, :, :1], no_labels(tracks)).keypoints
    assert off(without[30 : 30 + hidden], course[30 : 30 + hidden]) > 20


def test_a_limb_may_leap_where_the_heatmaps_are_sure() -> None:
    course = along_x(2.0 * torch.arange(60) + 50 * (torch.arange(60) >= 30))
    tracks = tracks_of(course)
    stays = torch.cat([(course - 50).float(), torch.full((60, 1, 1), 0.02)], -1)[:, :, None]
    refined = AlongTracks().refine(tracks, torch.cat([alone(tracks), stays], 2), no_labels(tracks)).keypoints
    assert off(refined, course) < 0.1


def test_a_blow_of_some_frames_stays_where_the_heatmaps_are_sure() -> None:
    course = along_x(2.0 * torch.arange(60) + 50 * (torch.arange(60) // 5 == 6))
    tracks = tracks_of(course)
    stays = torch.cat([along_x(2.0 * torch.arange(60)).float(), torch.full((60, 1, 1), 0.02)], -1)[:, :, None]
    refined = AlongTracks().refine(tracks, torch.cat([alone(tracks), stays], 2), no_labels(tracks)).keypoints
    assert off(refined, course) < 0.1


def test_in_a_still_video_a_small_move_is_no_mistake() -> None:
    course = along_x(torch.zeros(60))
    course[30, 0, 0] = 1
    tracks = tracks_of(course)
    stays = torch.cat([torch.zeros_like(tracks.keypoints), tracks.scores[..., None] / 2], -1)[:, :, None]
    stays[..., 1] = 30
    refined = AlongTracks().refine(tracks, torch.cat([alone(tracks), stays], 2), no_labels(tracks)).keypoints
    assert torch.equal(refined, tracks.keypoints)


def test_what_is_far_off_moves_none_of_its_neighbours() -> None:
    course = along_x(torch.zeros(200))
    tracks = noisy(course, 0.5)
    astray = tracks.keypoints.clone()
    astray[10::20, 0, 0] += 60
    wrong = attrs.evolve(tracks, keypoints=astray)
    refined = AlongTracks(candidates=1).refine(wrong, alone(wrong), no_labels(wrong)).keypoints
    others = torch.arange(200) % 20 != 10
    assert off(refined[others], course[others]) < 0.7 * off(tracks.keypoints, course)


def test_ten_frames_tell_nothing_of_the_jitter() -> None:
    tracks = noisy(along_x(torch.zeros(10)), 1.0)
    refined = AlongTracks().refine(tracks, alone(tracks), no_labels(tracks))
    assert torch.equal(refined.keypoints, tracks.keypoints)
    assert (refined.spread == 0).all()


def test_keypoints_of_low_scores_are_smoothed_more() -> None:
    scores = torch.where(torch.arange(400) % 4 < 2, 0.9, 0.3)[:, None]
    jitter = torch.randn(400, 1, 2, generator=seeded(0), dtype=torch.float64) / scores[..., None] / 3
    tracks = attrs.evolve(tracks_of(along_x(torch.zeros(400)) + jitter), scores=scores)
    spread = AlongTracks().refine(tracks, alone(tracks), no_labels(tracks)).spread
    scene = Scene.of(tracks, no_labels(tracks))
    noise_of = measured(scene, scene.estimated, scene.scores).noise[:, 0]
    assert noise_of[scores[:, 0] < 0.5].min() > 2 * noise_of[scores[:, 0] > 0.5].max()
    assert (spread > 0).all()


def test_labels_lead_their_neighbours_to_the_right_maximum() -> None:
    course = along_x(2.0 * torch.arange(20))
    tracks = tracks_of(course + 40, scores=0.5)
    right = torch.cat([course.float(), torch.full((20, 1, 1), 0.45)], -1)[:, :, None]
    candidates = torch.cat([alone(tracks), right], 2)
    unled = AlongTracks().refine(tracks, candidates, no_labels(tracks)).keypoints
    assert off(unled, tracks.keypoints) < 1
    led = AlongTracks().refine(tracks, candidates, labels_of([10], course[10:11].float())).keypoints
    assert off(led, course) < 1


@given(**VIDEOS, scale=st.sampled_from([1e-3, 1, 1e3]))
@settings(max_examples=30, deadline=None)
def test_labelled_keypoints_are_their_labels_and_others_not(lengths: list[int], seed: int, scale: float) -> None:
    tracks, candidates, labels = random_video([30, *lengths], seed)
    labels = attrs.evolve(labels, keypoints=labels.keypoints * scale)
    labels = attrs.evolve(labels, keypoints=torch.where(labels.visible[..., None], labels.keypoints, torch.nan))
    refined = AlongTracks().refine(tracks, candidates, labels)
    assert torch.equal(refined.keypoints[labels.index][labels.visible], labels.keypoints[labels.visible])
    assert (refined.spread[labels.index][labels.visible] == 0).all()
    assert refined.keypoints.isfinite().all()
    assert (refined.spread[labels.index][~labels.visible] > 0).all()


def test_nothing_goes_across_a_gap() -> None:
    left, right = along_x(2.0 * torch.arange(40)), along_x(300 - 2.0 * torch.arange(40))
    tracks = noisy(torch.cat([left, right]), 1.0)
    tracks.next[39] = tracks.previous[40] = -1
    moved = attrs.evolve(tracks, keypoints=torch.cat([tracks.keypoints[:40], tracks.keypoints[40:] + 7]))
    first, second = (AlongTracks().refine(t, alone(t), no_labels(t)).keypoints for t in (tracks, moved))
    assert torch.allclose(first[:40], second[:40], atol=1e-4)
    assert torch.allclose(first[40:] + 7, second[40:], atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_instances_without_neighbours_stay(count: int) -> None:
    tracks = tracks_of(*(torch.rand(1, 2, 2, generator=seeded(i)) * 50 for i in range(count or 1)))
    if not count:
        tracks = Tracks(tracks.skeleton, **{name: getattr(tracks, name)[:0] for name in COLUMNS})
    refined = AlongTracks().refine(tracks, alone(tracks, 5), no_labels(tracks))
    assert torch.equal(refined.keypoints, tracks.keypoints)
    assert torch.equal(refined.spread, torch.zeros(count, 2))


def test_without_candidates_poses_are_only_smoothed() -> None:
    tracks = noisy(along_x(COURSES["at rest"]), 1.0)
    none, one = (AlongTracks().refine(tracks, found, no_labels(tracks)) for found in (alone(tracks, 0), alone(tracks)))
    assert torch.equal(none.keypoints, one.keypoints)
    assert off(none.keypoints, along_x(COURSES["at rest"])) < off(tracks.keypoints, along_x(COURSES["at rest"]))


@pytest.mark.parametrize("scores", [0.0, -1.0, 1e-30, 1e6])
def test_scores_of_any_size_do_no_harm(scores: float) -> None:
    tracks, candidates, labels = random_video([20], 0)
    tracks = attrs.evolve(tracks, scores=torch.full_like(tracks.scores, scores))
    candidates[..., 2] = scores
    refined = AlongTracks().refine(tracks, candidates, labels)
    assert refined.keypoints.isfinite().all()
    assert refined.spread.isfinite().all()


def test_times_that_stand_still_do_no_harm() -> None:
    tracks, candidates, labels = random_video([20], 0)
    refined = AlongTracks().refine(attrs.evolve(tracks, time=torch.zeros(20).double()), candidates, labels)
    assert refined.keypoints.isfinite().all()


def test_no_candidate_at_all_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="candidates"):
        AlongTracks(candidates=0)


# ----------------------------------------------------------------------------------------------------------- properties
@given(**VIDEOS, shift=st.floats(-500, 500), scale=st.floats(0.1, 20))
@settings(max_examples=30, deadline=None)
def test_poses_follow_when_the_picture_is_moved_and_scaled(
    lengths: list[int], seed: int, shift: float, scale: float
) -> None:
    tracks, candidates, labels = random_video(lengths, seed)

    def changed(points: Tensor) -> Tensor:
        return points * scale + shift

    others = torch.cat([changed(candidates[..., :2]), candidates[..., 2:]], -1)
    boxes = torch.cat([changed(tracks.boxes[:, :2]), tracks.boxes[:, 2:] * scale], 1)
    elsewhere = attrs.evolve(tracks, keypoints=changed(tracks.keypoints), boxes=boxes)
    told = attrs.evolve(labels, keypoints=changed(labels.keypoints))
    here, there = AlongTracks().refine(tracks, candidates, labels), AlongTracks().refine(elsewhere, others, told)
    assert torch.allclose(changed(here.keypoints), there.keypoints, atol=0.02 * scale + 1e-3)
    assert torch.allclose(here.spread * scale, there.spread, atol=0.02 * scale + 1e-3)


@given(**VIDEOS)
@example(lengths=[9, 10, 12, 12, 10], seed=475)
@settings(max_examples=30, deadline=None)
def test_the_order_of_instances_does_not_matter(lengths: list[int], seed: int) -> None:
    tracks, candidates, labels = random_video(lengths, seed)
    order = torch.randperm(len(tracks.frame), generator=seeded(seed))
    place = order.argsort()
    columns = {name: getattr(tracks, name)[order] for name in COLUMNS}
    columns |= {n: torch.where(columns[n] >= 0, place[columns[n]], -1) for n in ("previous", "next")}
    mixed = attrs.evolve(labels, index=place[labels.index])
    first = AlongTracks().refine(tracks, candidates, labels)
    second = AlongTracks().refine(Tracks(tracks.skeleton, **columns), candidates[order], mixed)
    assert torch.allclose(first.keypoints[order], second.keypoints, atol=1e-4)
    assert torch.allclose(first.spread[order], second.spread, atol=1e-4)


@given(**VIDEOS)
@settings(max_examples=30, deadline=None)
def test_with_the_same_noise_tracks_do_not_know_of_each_other(lengths: list[int], seed: int) -> None:
    tracks, _, labels = random_video(lengths, seed)
    scene = Scene.of(tracks, labels)
    seen = measured(scene, scene.estimated, scene.scores)
    for together_from, length in zip(itertools.accumulate([0, *lengths]), lengths, strict=False):
        rows = slice(together_from, together_from + length)
        one = Measured(seen.place[rows], seen.noise[rows], seen.process, seen.before[rows], seen.after[rows])
        neighbours = [torch.where(n[rows] >= 0, n[rows] - together_from, -1) for n in (tracks.previous, tracks.next)]
        apart = together(*from_the_others(one, chains(*neighbours)))
        whole = together(*from_the_others(seen, scene.chains))
        assert all(torch.allclose(w[rows], a) for w, a in zip(whole, apart, strict=True))


@given(**VIDEOS)
@settings(max_examples=30, deadline=None)
def test_the_same_individuals_twice_are_refined_as_once(lengths: list[int], seed: int) -> None:
    tracks, candidates, labels = random_video([*lengths, 30], seed)
    count = len(tracks.frame)
    columns = {name: torch.cat([getattr(tracks, name)] * 2) for name in COLUMNS}
    for name in ("previous", "next"):
        columns[name][count:] += torch.where(columns[name][count:] >= 0, count, 0)
    both = attrs.evolve(
        labels,
        index=torch.cat([labels.index, labels.index + count]),
        **{
            n: torch.cat([getattr(labels, n)] * 2)
            for n in ("keypoints", "visible", "seconds", "occluded", "moved", "proposals")
        },
    )
    twice = AlongTracks().refine(Tracks(tracks.skeleton, **columns), torch.cat([candidates] * 2), both)
    assert torch.equal(twice.keypoints[:count], twice.keypoints[count:])
    assert torch.equal(twice.spread[:count], twice.spread[count:])


# ---------------------------------------------------------------------------------------------------------- mathematics
@given(**VIDEOS)
@settings(max_examples=30, deadline=None)
def test_chains_go_from_neighbour_to_neighbour(lengths: list[int], seed: int) -> None:
    tracks, _, _ = random_video(lengths, seed)
    found = chains(tracks.previous, tracks.next)
    assert len(found.steps) == max(lengths)
    assert found.forward[found.place].tolist() == list(range(sum(lengths)))
    assert [len(found.chain[found.chain == c]) for c in range(len(lengths))] == lengths
    for rows, neighbour in ((found.forward, tracks.previous), (found.backward, tracks.next)):
        assert (neighbour[rows[found.steps[0]]] == -1).all()
        for before, now in itertools.pairwise(found.steps):
            assert torch.equal(neighbour[rows[now]], rows[before][: now.stop - now.start])


def test_a_neighbour_that_does_not_know_of_it_is_none() -> None:
    tracks = tracks_of(torch.zeros(4, 1, 2))
    tracks.previous[2] = 0
    around = Neighbours.of(tracks)
    assert around.previous.tolist() == [-1, 0, -1, 2]
    assert around.next.tolist() == [1, -1, 3, -1]


@given(length=st.integers(1, 5), candidates=st.integers(1, 3), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_path_is_the_cheapest_of_all(length: int, candidates: int, seed: int) -> None:
    draw = seeded(seed)
    count = 2 * length - 1
    unary = torch.rand(count, 1, candidates, generator=draw)
    moves = torch.rand(count, 1, candidates, candidates, generator=draw)
    tracks = tracks_of(*(torch.zeros(n, 1, 2) for n in (length, length - 1) if n))
    ordered = chains(tracks.previous, tracks.next)
    found = cheapest(unary[ordered.forward], moves[ordered.forward], ordered)[ordered.place][:length, 0]

    def cost(path: tuple[int, ...]) -> float:
        here = sum(float(unary[t, 0, c]) for t, c in enumerate(path))
        return here + sum(float(moves[t + 1, 0, a, b]) for t, (a, b) in enumerate(itertools.pairwise(path)))

    assert tuple(found.tolist()) == min(itertools.product(range(candidates), repeat=length), key=cost)


def dense(place: np.ndarray, noise: np.ndarray, process: float, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of all places by one linear system in places and velocities, written out in full."""
    count = len(place)
    weights, values = np.zeros((2 * count, 2 * count)), np.zeros(2 * count)
    for t in range(count):
        weights[2 * t, 2 * t] += 1 / noise[t]
        values[2 * t] += place[t] / noise[t]
    for t in range(1, count):
        h = gaps[t]
        growth = process * np.array([[h**3 / 3, h**2 / 2], [h**2 / 2, h]])
        rows = np.zeros((2, 2 * count))
        rows[:, 2 * t : 2 * t + 2] = np.eye(2)
        rows[:, 2 * t - 2 : 2 * t] = -np.array([[1, h], [0, 1]])
        weights += rows.T @ np.linalg.inv(growth) @ rows
    covariance = np.linalg.inv(weights)
    return (covariance @ values)[::2], np.diag(covariance)[::2]


@given(length=st.integers(3, 15), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_two_filters_together_are_the_smoother(length: int, seed: int) -> None:
    draw = seeded(seed)
    wide = 0.01 + 0.01 * torch.rand(length, 1, generator=draw, dtype=torch.float64)
    gaps = 0.5 + torch.rand(length, generator=draw, dtype=torch.float64)
    place = torch.randn(length, 1, 2, generator=draw, dtype=torch.float64) * 0.03  # nothing lies far off
    tracks = tracks_of(place)
    seen = Measured(place, wide, torch.tensor([0.001]).double(), gaps, torch.cat([gaps[1:], torch.ones(1).double()]))
    expected, variance = together(*from_the_others(seen, chains(tracks.previous, tracks.next)))
    share = wide / (variance + wide)
    found = torch.lerp(place, expected, share[..., None])
    means, variances = dense(place[:, 0, 0].numpy(), wide[:, 0].numpy(), 0.001, gaps.numpy())
    assert np.allclose(found[:, 0, 0], means, atol=1e-4)
    assert np.allclose((share * variance)[:, 0], variances, rtol=0.01)


@pytest.mark.parametrize(("jitter", "acceleration"), [(0.02, 0.0), (0.02, 0.01), (0.0, 0.02), (0.01, 0.03)])
def test_the_noise_is_found(jitter: float, acceleration: float) -> None:
    count, draw = 4000, seeded(1)
    steps = torch.randn(2, count, 1, 2, generator=draw, dtype=torch.float64)
    velocity = (acceleration * steps[0]).cumsum(0)
    within = acceleration * torch.randn(count, 1, 2, generator=draw, dtype=torch.float64) / math.sqrt(12)
    course = (velocity - acceleration * steps[0] / 2 + within).cumsum(0)
    around = Neighbours.of(tracks_of(torch.zeros(count, 1, 2)))
    measured, process = noise(course + jitter * steps[1], around)
    assert float(measured.sqrt()) == pytest.approx(jitter, abs=0.004)
    assert acceleration - 0.004 <= float(process.sqrt()) <= acceleration + 0.008


def test_low_scores_are_seen_to_jitter_more() -> None:
    draw = seeded(2)
    scores = 0.1 + 0.9 * torch.rand(3000, 2, generator=draw, dtype=torch.float64)
    places = 0.01 / scores[..., None] * torch.randn(3000, 2, 2, generator=draw, dtype=torch.float64)
    around = Neighbours.of(tracks_of(places))
    assert -3 < float(falling(bends(places, around), scores)) < -1
    even = 0.01 * torch.randn(3000, 2, 2, generator=draw, dtype=torch.float64)
    assert float(falling(bends(even, around), scores)) == pytest.approx(0, abs=0.2)
    assert float(falling(bends(places, around), torch.ones_like(scores))) == 0


class Counting(TorchDispatchMode):
    """Counts what is asked of the device, views of what is there apart."""

    count: int = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not function.is_view
        return function(*args, **(kwargs or {}))


def operations(lengths: list[int]) -> int:
    video = random_video(lengths, seed=0)
    with Counting() as counting:  # type: ignore[no-untyped-call]  # torch leaves it untyped
        AlongTracks().refine(*video)
    return int(counting.count)


def test_operations_grow_with_the_longest_track_and_not_with_how_many_instances_there_are() -> None:
    few, many, longer = operations([20] * 10), operations([20] * 100), operations([40] * 5)
    assert many <= few + 24, "two walks double their pointers as often as N has digits; nothing else knows of N"
    assert longer - few <= 20 * 16, "a further step of the longest track takes the loops of both filters and the path"
