"""Which changes of crops fit the poses that are labelled."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vatl_augmentation import fitting_level
from vatl_augmentation.fitting import alignment


def poses(count: int, spread: float, seed: int = 0, keypoints: int = 9) -> Tensor:
    """(M, K, 2) of one bent shape, turned by angles spread evenly over a share of the circle, here and there."""
    generator = torch.Generator().manual_seed(seed)
    shape = torch.randn(keypoints, 2, generator=generator) * torch.tensor([5.0, 20.0])
    bent = shape + torch.randn(count, keypoints, 2, generator=generator)
    angle = 2 * math.pi * spread * torch.arange(count) / count
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(count, 2, 2)
    return bent @ turn.transpose(1, 2) + 300 * torch.rand(count, 1, 2, generator=generator)


def seen(keypoints: Tensor, share: float = 1.0, seed: int = 0) -> Tensor:
    return torch.rand(keypoints.shape[:2], generator=torch.Generator().manual_seed(seed)) < share


@pytest.mark.parametrize(("spread", "level"), [(0.0, "mild"), (0.2, "mild"), (1.0, "any")])
@pytest.mark.parametrize("count", [6, 12, 50])
def test_poses_turned_every_way_ask_for_every_rotation(spread: float, level: str, count: int) -> None:
    keypoints = poses(count, spread)
    assert fitting_level(keypoints, seen(keypoints)) == level


def test_a_pose_and_its_opposite_are_turned_every_way_though_their_axis_is_one() -> None:
    keypoints = poses(12, 1.0)[[0, 6] * 6]
    assert fitting_level(keypoints, seen(keypoints)) == "any"


def test_what_is_not_visible_may_be_anything() -> None:
    keypoints = poses(24, 0.1)
    visible = seen(keypoints, 0.7)
    hidden = keypoints.masked_fill(~visible[..., None], torch.nan)
    assert alignment(hidden, visible) == pytest.approx(alignment(keypoints.where(visible[..., None], -7e4), visible))
    assert alignment(hidden, visible) > 0.8


@given(st.integers(0, 100), st.floats(-math.pi, math.pi), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_it_is_the_same_whatever_all_are_turned_by_and_however_large_they_are(
    seed: int, angle: float, size: float
) -> None:
    keypoints = poses(10, 0.4, seed)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    assert alignment(size * keypoints @ turn.T, seen(keypoints)) == pytest.approx(
        alignment(keypoints, seen(keypoints)), abs=1e-3
    )


@pytest.mark.parametrize("keypoints", [poses(0, 0.0), poses(1, 0.0), torch.zeros(5, 9, 2), poses(8, 1.0)[:, :1]])
def test_where_nothing_can_be_told_all_count_as_upright(keypoints: Tensor) -> None:
    assert alignment(keypoints, seen(keypoints)) == 1.0
