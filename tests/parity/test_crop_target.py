"""``crop_target.npz``: cutting an instance out of its picture, and the heatmaps to learn from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.parity.fixtures import Fixture, absolute
from vatl_core.video import crop_boxes, crop_matrices, gaussian_targets, invert, transform, warp

NAME = "crop_target.npz"
TWO_GREY_LEVELS = 0.008
"""The authors' warp rounds positions to 1/32 pixel."""


def size(data: Fixture) -> tuple[int, int]:
    """Height and width of the crop."""
    height, width = data["crop_chw"].shape[2:]
    return height, width


def crops(data: Fixture) -> Tensor:
    corners = data["bbox_xyxy"].float()
    return crop_boxes(torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1), size(data))


def test_crop_box(load: Any) -> None:
    data = load(NAME)
    data.holds("crop_box_xyxy", crops(data))


def test_crop(load: Any) -> None:
    data = load(NAME)
    picture = data["image_rgb_uint8"].permute(2, 0, 1)[None]
    cut = warp(picture, crop_matrices(crops(data), size(data)), size(data)).float() / 255
    ours = cut - cut.new_tensor([0.406, 0.457, 0.480]).view(1, 3, 1, 1)
    data.book.note(NAME, "crop_chw (absolute)", absolute(ours, data["crop_chw"]), TWO_GREY_LEVELS)


def targets(data: Fixture) -> tuple[Tensor, Tensor]:
    points = transform(data["keypoints_xyv"][..., :2], invert(crop_matrices(crops(data), size(data))))
    height, width = data["target_heatmaps"].shape[2:]
    return gaussian_targets(points, data["keypoints_xyv"][..., 2] > 0, (height, width), size(data)[0] // height)


def test_target_heatmaps(load: Any) -> None:
    data = load(NAME)
    data.holds("target_heatmaps", targets(data)[0])


def test_target_weight(load: Any) -> None:
    data = load(NAME)
    data.exactly("target_weight", targets(data)[1])
