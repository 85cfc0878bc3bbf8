"""BADGE picks as k-means++ over explicit gradient embeddings does, without ever making one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import Registered, configured
from tests.unit.test_herding import seeded
from tests.unit.test_more_criteria import BLOBS, blobs, showing
from vatl_core.contracts import Criterion, Pool, Window
from vatl_core.run import PastRun, execute
from vatl_core.video import gaussian_targets
from vatl_criteria.selection.gradients import Badge, Gradients
from vatl_criteria.uncertainty.residual import Residual, residuals

SIZES = {"count": st.integers(1, 40), "share": st.floats(0, 1), "seed": st.integers(0, 1000)}


def pool(count: int, share: float, seed: int, alike: bool = False, single: bool = False) -> Pool:
    """Instances with residuals of three keypoints and five features, some labelled, some not to be answered for."""
    generator, kind = seeded(seed), torch.float32 if single else torch.float64
    features, kept = (torch.rand(count, n, generator=generator, dtype=torch.float64).to(kind) for n in (5, 3))
    if alike:
        features, kept = features[:1].repeat(count, 1), kept[:1].repeat(count, 1)
    labelled, silent = (torch.rand(count, generator=generator) < part for part in (share, 0.2))
    return Pool(torch.zeros(count), features, labelled, embeddings={"residual": kept}, answerable=~silent)


# --------------------------------------------------------------------------------------------------- plain references
def explicit(of: Pool) -> Tensor:
    """(N, K·D) the embeddings themselves."""
    return (of.embeddings["residual"][:, :, None] * of.features[:, None]).flatten(1)


def k_means_plus_plus(points: Tensor, left: list[int], count: int, generator: torch.Generator) -> list[int]:
    """One instance after the other, all distances anew."""
    draws = torch.rand(count, generator=generator, dtype=torch.float64).tolist()
    picks: list[int] = []
    for draw in draws:
        mass = [min((float((points[i] - points[j]).square().sum()) for j in picks), default=1.0) for i in left]
        mass = mass if max(mass) > 1e-12 else [1.0] * len(left)
        place, passed = 0, 0.0
        while passed + mass[place] <= draw * sum(mass) and place + 1 < len(left):
            passed, place = passed + mass[place], place + 1
        picks.append(left.pop(place))
    return picks


# ----------------------------------------------------------------------------------------------------------- exactness
@settings(max_examples=60, deadline=None)
@given(**SIZES, ask=st.integers(0, 45))
def test_it_picks_what_explicit_embeddings_lead_to(count: int, share: float, seed: int, ask: int) -> None:
    of = pool(count, share, seed)
    left = of.unlabelled.tolist()
    expected = k_means_plus_plus(explicit(of), left, min(ask, len(left)), seeded(seed))
    assert Badge().select(of, ask, seeded(seed)).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_distances_are_those_of_the_embeddings(count: int, share: float, seed: int) -> None:
    of = pool(count, share, seed)
    points, one = explicit(of), torch.tensor([seed % count])
    found = Gradients.of(of.embeddings["residual"], of.features).squared_to(one)
    torch.testing.assert_close(found, (points - points[one]).square().sum(1), rtol=1e-9, atol=1e-12)


def test_picks_are_drawn_by_squared_distance() -> None:
    features = torch.tensor([[0.0], [1.0], [3.0]])
    of = Pool(torch.zeros(3), features, torch.zeros(3) > 0, embeddings={"residual": torch.ones(3, 1)})
    drawn = Counter(tuple(Badge().select(of, 2, seeded(seed)).tolist()) for seed in range(6000))
    share = {pair: number / 6000 for pair, number in drawn.items()}
    expected = {(0, 1): 1 / 10, (0, 2): 9 / 10, (1, 0): 1 / 5, (1, 2): 4 / 5, (2, 0): 9 / 13, (2, 1): 4 / 13}
    assert share == pytest.approx({pair: chance / 3 for pair, chance in expected.items()}, abs=0.02)


# ------------------------------------------------------------------------------------------------------------ promises
@settings(max_examples=60, deadline=None)
@given(**SIZES, ask=st.integers(0, 45), alike=st.booleans(), single=st.booleans())
def test_picks_are_askable_different_and_as_many_as_there_are(
    count: int, share: float, seed: int, ask: int, alike: bool, single: bool
) -> None:
    of = pool(count, share, seed, alike, single)
    picks = Badge().select(of, ask, seeded(seed))
    assert picks.dtype == torch.int64
    assert len(set(picks.tolist())) == len(picks) == min(ask, len(of.unlabelled))
    assert of.askable[picks].all()


@pytest.mark.parametrize("seed", range(5))
def test_rounding_makes_no_difference_between_equals(seed: int) -> None:
    alike = torch.rand(1, 1280, generator=seeded(seed)).repeat(200, 1)
    features = torch.cat([alike, alike[:1] * 1.01])
    of = Pool(torch.zeros(201), features, torch.zeros(201) > 0, embeddings={"residual": torch.full((201, 17), 0.3)})
    first, second = Badge().select(of, 2, seeded(seed)).tolist()
    assert 200 in (first, second)
    assert not Gradients.of(of.embeddings["residual"], features).squared_to(torch.tensor([7]))[:200].any()


def test_equals_are_drawn_not_taken_in_order() -> None:
    of = Pool(torch.zeros(60), torch.full((60, 300), 7.1), torch.zeros(60) > 0)
    picks = Badge().select(of, 20, seeded()).tolist()
    assert len(set(picks)) == 20
    assert max(picks) > 40
    assert picks != sorted(picks)


# ------------------------------------------------------------------------------------------------------------- meaning
def test_of_all_that_is_sure_hardly_more_than_one_is_picked_however_different() -> None:
    kept = torch.where(torch.arange(40) < 20, 0.01, 1.0)[:, None].repeat(1, 3)
    of = Pool(torch.zeros(40), torch.eye(40), torch.zeros(40) > 0, embeddings={"residual": kept})
    sure = [int((Badge().select(of, 10, seeded(seed)) < 20).sum()) for seed in range(50)]
    assert sum(sure) <= 55, "one stands for all whose gradients are next to nothing"


@pytest.mark.parametrize("by", ["features", "keypoints"])
def test_what_is_alike_is_picked_once(by: str) -> None:
    same, kind = torch.ones(32, 4), torch.eye(4)[torch.tensor([0] * 30 + [1, 2])]
    features, kept = (kind, same) if by == "features" else (same, kind)
    of = Pool(torch.zeros(32), features, torch.zeros(32) > 0, embeddings={"residual": kept})
    for seed in range(20):
        assert {30, 31} < set(Badge().select(of, 3, seeded(seed)).tolist())


def test_what_is_labelled_is_no_centre() -> None:
    of = pool(30, 0, 3)
    other = attrs.evolve(of, labelled=torch.arange(30) == int((~of.askable).nonzero()[0]))
    assert Badge().select(of, 8, seeded()).tolist() == Badge().select(other, 8, seeded()).tolist()


# ------------------------------------------------------------------------------------------------------------ residual
def kept_of(maps: Tensor) -> Window:
    shown = showing(maps)
    return attrs.evolve(shown, condensed=Residual().condense(shown), heatmaps=torch.empty(0))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), height=st.integers(1, 24), width=st.integers(1, 20))
def test_the_residual_is_that_of_the_target_at_the_maximum(seed: int, height: int, width: int) -> None:
    maps = torch.rand(4, 2, height, width, generator=seeded(seed))
    for row, maps_of in enumerate(maps):
        for keypoint, one in enumerate(maps_of):
            y, x = divmod(int(one.argmax()), width)
            target, _ = gaussian_targets(
                torch.tensor([[[float(x), y]]]), torch.ones(1, 1) > 0, (height, width), stride=1
            )
            expected = (one - target[0, 0]).square().sum().sqrt()
            torch.testing.assert_close(residuals(maps)[row, keypoint], expected)


@pytest.mark.parametrize(
    ("sure", "unsure"),
    [
        (blobs(BLOBS["one"]), blobs(BLOBS["one"], 0.4)),
        (blobs(BLOBS["one"]), blobs(BLOBS["two"])),
        (blobs(BLOBS["two"]), blobs(BLOBS["three"])),
        (blobs(BLOBS["one"], 0.6), torch.zeros(1, 5, 48, 32)),
        (blobs(BLOBS["one"]), blobs(BLOBS["two"], 0.5)),
    ],
)
def test_the_surer_of_two_instances_has_the_smaller_residual(sure: Tensor, unsure: Tensor) -> None:
    scores = Residual().score(kept_of(torch.cat([sure, unsure])))
    assert scores[0] < scores[1] - 0.1


def test_a_target_of_training_has_no_residual() -> None:
    assert Residual().score(kept_of(blobs(BLOBS["one"]))).tolist() == [0.0]


def test_a_run_hands_badge_the_residuals_of_its_own_pass(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Pool] = []
    whole = Badge.select

    def watched(self: Badge, of: Pool, count: int, generator: torch.Generator) -> Tensor:
        seen.append(of)
        return whole(self, of, count, generator)

    monkeypatch.setattr(Badge, "select", watched)
    registry = registered()
    execute(configured(registry, tmp_path, select="badge"), registry)
    cycles = PastRun.open(tmp_path / "run", registry).cycles
    assert len(seen) >= 2
    for of, cycle in zip(seen, cycles, strict=False):
        kept = of.embeddings["residual"]
        assert kept.shape == of.keypoints.shape[:2]
        torch.testing.assert_close(kept.norm(dim=1), of.watched["residual"])
        assert cycle.mean_scores["residual"] == pytest.approx(float(kept.norm(dim=1).mean()), rel=1e-5)


def test_badge_needs_no_query() -> None:
    assert not Badge.uses_scores
    assert issubclass(Residual, Criterion)
    assert Residual.needs >= {"heatmaps", "pool"}
