"""The feature of a pose that its unnaturalness is judged by: where the keypoints lie, and the angles between limbs."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from vatl_core.video import Skeleton

_PUBLISHED = (
    ("right_elbow", "right_shoulder", "right_hip"),
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("left_elbow", "left_shoulder", "left_hip"),
    ("left_hip", "right_hip", "right_knee"),
    ("right_hip", "left_hip", "left_knee"),
    ("right_hip", "right_knee", "right_ankle"),
    ("left_hip", "left_knee", "left_ankle"),
)
"""The method's eight angles of a person."""
_SMALL = 1e-6


def angle_triples(skeleton: Skeleton) -> list[tuple[int, int, int]]:
    """Indices (a, joint, b) of the angles: the published ones of a person, else every two edges that meet."""
    index = {name: i for i, name in enumerate(skeleton.keypoints)}
    if all(name in index for triple in _PUBLISHED for name in triple):
        return [(index[a], index[joint], index[b]) for a, joint, b in _PUBLISHED]
    around: dict[int, list[int]] = {}
    for a, b in skeleton.edges:
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)
    return [(a, joint, b) for joint in sorted(around) for a, b in combinations(around[joint], 2)]


def pose_feature(keypoints: Tensor, weights: Tensor, boxes: Tensor, triples: list[tuple[int, int, int]]) -> Tensor:
    """(x_k − c_x)/h_box for all k, then (y_k − c_y)/h_box, then the angles (parity fixture ``wpu``).

    Args:
        keypoints: (B, K, 2) pixels; those of weight 0 are put in the centre.
        weights: (B, K) scores, or visible or not; (c_x, c_y) is the mean keypoint with these weights.
        boxes: (B, 4) x, y, w, h, pixels.
        triples: A of (a, joint, b).

    Returns:
        (B, 2K + A)
    """
    weights = weights.clamp(min=0).to(keypoints.dtype)
    offsets = (keypoints - _centre(keypoints, weights)) / boxes[:, 3, None, None]
    offsets = offsets * (weights > 0)[..., None]
    return torch.cat([offsets[..., 0], offsets[..., 1], angles(keypoints, triples)], 1)


def _centre(keypoints: Tensor, weights: Tensor) -> Tensor:
    """The mean keypoint (B, 1, 2) by weights (B, K)."""
    total = weights.sum(1, keepdim=True).clamp(min=_SMALL)
    return ((keypoints * weights[..., None]).sum(1) / total)[:, None]


def keypoints_of(features: Tensor, keypoints: Tensor, weights: Tensor, boxes: Tensor) -> Tensor:
    """The keypoints (B, K, 2), in pixels, that features (B, 2K + A) speak of.

    Args:
        features: as :func:`pose_feature` makes them; their angles are not used.
        keypoints, weights, boxes: of the pose that they are of, for its centre and size.
    """
    count = keypoints.shape[1]
    offsets = torch.stack([features[:, :count], features[:, count : 2 * count]], dim=-1)
    return _centre(keypoints, weights.clamp(min=0).to(keypoints.dtype)) + offsets * boxes[:, 3, None, None]


def angles(keypoints: Tensor, triples: list[tuple[int, int, int]]) -> Tensor:
    """arctan|(m1 − m2)/(1 + m1·m2)| of the slopes of two limbs that meet: (B, K, 2) → (B, A), radians, 0 to π/2."""
    if not triples:
        return keypoints.new_zeros(len(keypoints), 0)
    a, joint, b = (keypoints[:, list(column)] for column in zip(*triples, strict=True))
    first = (joint[..., 1] - a[..., 1]) / (joint[..., 0] - a[..., 0] + _SMALL)
    second = (b[..., 1] - joint[..., 1]) / (b[..., 0] - joint[..., 0] + _SMALL)
    tangent = (first - second) / (1 + first * second + _SMALL)
    return torch.nan_to_num(torch.atan(tangent.abs()))


def known_entries(visible: Tensor, triples: list[tuple[int, int, int]]) -> Tensor:
    """Which entries of the feature rest on visible keypoints only: (B, K) bool → (B, 2K + A) bool."""
    corners = torch.tensor(triples, device=visible.device, dtype=torch.int64).view(-1, 3)
    return torch.cat([visible, visible, visible[:, corners].all(2)], 1)
