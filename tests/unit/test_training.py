"""Fitting: augmentation, the loss, and batches shared by several processes."""

from __future__ import annotations

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.conftest import STICK, stick_video
from vatl_augmentation import CropAugmentation
from vatl_augmentation.halves import HALF_KEYPOINTS, NEAREST, around_halves, half_of
from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Maps, Recipe
from vatl_core.estimation import Crops
from vatl_core.learning import MARGIN, GradientDescent
from vatl_core.learning.optimisation import optimiser_of
from vatl_core.video import Skeleton, invert, transform
from vatl_core.video.geometry import CROP_PADDING
from vatl_train.instances import everything
from vatl_train.shared_training import SharedTraining
from vatl_train.team import Team

SIZE = (128, 96)
SAME = torch.eye(2, 3)


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Plain(Estimator):
    """Two convolutions without normalisation, so that a batch's parts add up to it; and a layer that nothing uses."""

    head = "last"

    def build(self, skeleton: Skeleton) -> None:
        self.first = nn.Conv2d(3, 8, 7, 4, 3)
        self.last = nn.Conv2d(8, len(skeleton), 3, 1, 1)
        self.spare = nn.Linear(8, 8)

    def forward(self, crops: Tensor) -> Maps:
        maps = self.first(crops).relu()
        return Maps(self.last(maps), self.spare(maps.mean((2, 3))))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        return [{"params": list(self.parameters()), "lr": lr}]


def poses(seed: int, count: int, keypoints: int) -> tuple[Tensor, Tensor]:
    """Random poses within a crop, some keypoints unseen."""
    generator = torch.Generator().manual_seed(seed)
    spots = torch.rand(count, keypoints, 2, generator=generator) * torch.tensor([SIZE[1] - 1.0, SIZE[0] - 1.0])
    return spots, torch.rand(count, keypoints, generator=generator) < 0.8


class TestHalfBodies:
    @given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([1, 2]))
    @settings(max_examples=60, deadline=None)
    def test_all_kept_keypoints_lie_inside_the_new_crop(self, seed: int, keypoints: int, half: int) -> None:
        spots, visible = poses(seed, 32, keypoints)
        which = torch.full((32,), half)
        change = around_halves(SAME.expand(32, 2, 3), spots, visible, which, SIZE)
        kept = half_of(spots, visible, which)
        seen = transform(spots, invert(change))
        inside = (seen >= -1e-3).all(-1) & (seen[..., 0] <= SIZE[1]) & (seen[..., 1] <= SIZE[0])
        enough = kept.sum(1) >= HALF_KEYPOINTS
        assert inside[enough[:, None] & kept].all()
        assert (change[~enough] == SAME).all(), "too few keypoints: the plain crop"
        assert not (change[enough] == SAME).flatten(1).all(1).any()
        zoom = change[:, 0, 0]
        assert torch.allclose(zoom, change[:, 1, 1]), "the aspect is kept"
        assert zoom.min() >= CROP_PADDING / NEAREST - 1e-5

    @given(st.integers(0, 10_000), st.integers(1, 20))
    @settings(max_examples=60, deadline=None)
    def test_the_halves_share_out_the_visible_keypoints(self, seed: int, keypoints: int) -> None:
        spots, visible = poses(seed, 32, keypoints)
        one, other = (half_of(spots, visible, torch.full((32,), half)) for half in (1, 2))
        assert not (one & other).any()
        assert torch.equal(one | other, visible)
        assert ((one.sum(1) - other.sum(1)) >= 0).all()
        assert ((one.sum(1) - other.sum(1)) <= 1).all()

    @pytest.mark.parametrize("degrees", [0, 35, 90, 200])
    def test_a_body_is_cut_across_its_length_however_it_lies(self, degrees: float) -> None:
        standing = torch.tensor([[[48, 10], [40, 30], [56, 30], [42, 90], [54, 90], [48, 110.0]]])
        angle = torch.deg2rad(torch.tensor(float(degrees)))
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        lying = (standing - 60) @ turn.T + 60
        halves = {
            tuple(half_of(lying, torch.ones(1, 6) > 0, torch.tensor([half]))[0].nonzero().flatten().tolist())
            for half in (1, 2)
        }
        assert halves == {(0, 1, 2), (3, 4, 5)}

    def test_who_is_not_chosen_stays_as_drawn(self) -> None:
        spots, visible = poses(0, 4, 17)
        how = CropAugmentation()
        drawn = how.place(how.draw(4, torch.Generator().manual_seed(0)), spots, visible, STICK, SIZE)
        change = around_halves(drawn, spots, visible, torch.tensor([0, 1, 0, 2]), SIZE)
        assert [torch.equal(a, b) for a, b in zip(change, drawn, strict=True)] == [True, False, True, False]

    def test_the_share_is_what_was_asked_for(self) -> None:
        how = CropAugmentation(0, 0, 0, 0, half_body=0.3)
        drawn = how.draw(4000, torch.Generator().manual_seed(0))
        changes = how.place(drawn, *(each.expand(4000, *each.shape[1:]) for each in poses(0, 1, 40)), STICK, SIZE)
        _, kind = changes.flatten(1).unique(dim=0, return_inverse=True)
        whole, one, other = sorted(torch.bincount(kind).tolist(), reverse=True)
        assert whole == pytest.approx(2800, abs=120)
        assert one == pytest.approx(other, rel=0.15)
        assert not CropAugmentation().draw(100, torch.Generator())[:, 4:].any(), "nothing else is drawn than ever"

    @pytest.mark.parametrize(
        "how", [CropAugmentation(10, 1, 0.1, 0, half_body=1.0), CropAugmentation(180, 1, 0.1, 0, 0, 0.1, 0.1)]
    )
    def test_the_target_is_where_the_picture_shows_the_keypoint(self, how: CropAugmentation) -> None:
        """The stick's keypoints are squares of known colours; wherever a crop goes, its targets must go too."""
        training = begun(Plain(input_size=SIZE), Recipe(1, augmentation=how))
        every = torch.arange(24)
        crops, targets, weights = training.batch(every, every)
        plain = begun(Plain(input_size=SIZE), Recipe(1, augmentation=None)).batch(every, every)[1]
        place = targets.flatten(2).argmax(-1)
        x, y = place % targets.shape[-1] * 4, place // targets.shape[-1] * 4
        colours = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]])
        right = torch.stack(
            [(crops[b, :, y[b, k], x[b, k]] - colours[k]).abs().max() < 90 for b, k in weights.nonzero()]
        )
        assert len(right) > 60
        assert right.float().mean() > 0.9
        assert not torch.equal(targets, plain)


class TestShares:
    @pytest.mark.parametrize("count", [4, 5, 7])
    def test_the_processes_gradients_average_to_the_batchs(self, count: int) -> None:
        whole = gradients(Team(), count)
        parts = [gradients(Team(rank, 3), count) for rank in range(3)]
        for name, gradient in whole.items():
            mean = torch.stack([part[name] for part in parts]).mean(0)
            torch.testing.assert_close(mean, gradient, rtol=1e-4, atol=1e-7)

    def test_shares_are_disjoint_and_cover_everything(self) -> None:
        rows = torch.arange(11)
        assert torch.cat([Team(rank, 4).share(rows) for rank in range(4)]).tolist() == rows.tolist()
        assert {len(Team(rank, 4).share(rows)) for rank in range(4)} == {2, 3}


@pytest.mark.parametrize(("name", "decoupled"), [("adamw", True), ("adam", False)])
def test_the_optimiser_is_the_one_asked_for(name: str, decoupled: bool) -> None:
    estimator = Plain(input_size=SIZE)
    estimator.build(STICK)
    optimiser = optimiser_of(Recipe(1, optimiser=name), estimator)
    assert isinstance(optimiser, torch.optim.AdamW) is decoupled
    with pytest.raises(ValueError, match="optimiser"):
        Recipe(1, optimiser="sgd")


def begun(estimator: Plain, recipe: Recipe, team: Team | None = None) -> SharedTraining:
    """A fitting to the sticks that is about to begin."""
    video = stick_video()
    torch.manual_seed(0)
    estimator.build(STICK)
    labelled = everything([video], [Crops(video.without_truth(), SIZE, torch.device("cpu"), 10**8, MARGIN)])
    trainer = GradientDescent(Compute(torch.device("cpu")), torch.Generator().manual_seed(1))
    training = SharedTraining(trainer, estimator, labelled, recipe)
    training.team = team or Team()
    return training


def gradients(team: Team, count: int) -> dict[str, Tensor]:
    """Of one batch, as this process of a team sees it."""
    estimator = Plain(input_size=SIZE)
    training = begun(estimator, Recipe(1, augmentation=CropAugmentation(half_body=0.5)), team)
    training.loss(torch.arange(count), torch.arange(count)).backward()
    return {name: p.grad for name, p in estimator.named_parameters() if p.grad is not None}
