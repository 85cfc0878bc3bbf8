"""As much smoothing as the video's own jitter warrants."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vatl_refinement.noise import bends, falling, noise
from vatl_refinement.scene import Scene
from vatl_refinement.two_filters import Measured, from_the_others, together

_LEAST_PROCESS = 1e-8
"""Variance of the acceleration (squared box sizes) that even what stands still is allowed."""
_MISLED = 4.0
"""Squared deviations over their variance from which it is the expectation that is wrong, and not the measurement."""


class Smoothed(NamedTuple):
    """Places (N, K, 2) and their deviation along each axis (N, K), box sizes."""

    place: Tensor
    deviation: Tensor


def smoothed(scene: Scene, places: Tensor, scores: Tensor) -> Smoothed:
    """Places (N, K, 2) found with these scores (N, K), the labelled at their labels, drawn to what the others expect.

    What the others expect of a keypoint, m with variance P, and what was found of it, z with r, make
    (r·m + P·z) / (P + r). Where they are farther apart than the two variances let happen, the keypoint does not move
    as its neighbours tell, and P is taken to be larger by as much: what is well seen is not drawn far.
    """
    seen = measured(scene, places, scores)
    expected, variance = together(*from_the_others(seen, scene.chains))
    apart = (seen.place - expected).square().sum(-1) / (_MISLED * 2 * (variance + seen.noise))
    variance = variance * apart.clamp(min=1)
    share = seen.noise / (variance + seen.noise)
    return Smoothed(torch.lerp(seen.place, expected, share[..., None]), (share * variance).sqrt())


def measured(scene: Scene, places: Tensor, scores: Tensor) -> Measured:
    """The same with their noise, by the score and by how much the places jitter; labels have none."""
    bend = bends(places, scene.around)
    usual, process = noise(places, scene.around)
    middle = scores.median(0).values
    ratio = torch.where(middle > 0, scores / middle, 1.0).clamp(0.01, 100)
    variance = usual * ratio ** falling(bend, ratio)
    return Measured(
        torch.where(scene.pinned[..., None], scene.label, places),
        torch.where(scene.pinned, 0.0, variance),
        process.clamp(min=_LEAST_PROCESS),
        scene.around.before,
        scene.around.after,
    )
