"""Joint decoding in time: each keypoint's way through its candidates, then as much smoothing as the video warrants."""

from __future__ import annotations

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Labels, Refined, Refinement, Tracks
from vatl_refinement.choosing import chosen
from vatl_refinement.scene import Scene
from vatl_refinement.smoothing import smoothed


@attrs.frozen
class AlongTracks(Refinement):
    """Chooses among the maxima of each heatmap so that keypoints move little, then smooths away what is jitter.

    Every scale is taken from the video itself: how far a keypoint usually moves, how much of that is jitter, and how
    that depends on the score. Labelled keypoints are where their labels are.

    Attributes:
        candidates: maxima of each heatmap to choose from; with 1, poses are only smoothed.
    """

    candidates: int = attrs.field(default=5, validator=ge(1))

    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Refined:
        """Keypoints in pixels, and the posterior deviation along each axis: 0 of labels and where nothing jitters."""
        if not len(tracks.frame):
            return Refined(tracks.keypoints, torch.zeros_like(tracks.scores))
        scene = Scene.of(tracks, labels)
        found = chosen(scene, scene.scaled(candidates))
        place, deviation = smoothed(scene, found[..., :2], found[..., 2])
        size, kind = scene.size[:, None], tracks.keypoints.dtype
        moved = tracks.keypoints + ((place - scene.estimated) * size[..., None]).to(kind)
        exact = (scene.label * size[..., None]).to(kind)
        return Refined(torch.where(scene.pinned[..., None], exact, moved), (deviation * size).to(tracks.scores.dtype))
