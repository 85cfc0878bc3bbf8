"""``heatmap_criteria.npz``: decoding, and the criteria that read heatmaps."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.parity.fixtures import Fixture
from vatl_core.contracts import Criterion, Window
from vatl_core.video import Skeleton, decode, neighbours
from vatl_criteria.uncertainty.ambiguity import HeatmapEntropy, Margin, MultiplePeakEntropy
from vatl_criteria.uncertainty.confidence import LeastConfidence
from vatl_criteria.uncertainty.continuity import HeatmapContinuity, PoseContinuity
from vatl_criteria.uncertainty.peaks import local_peak_mean

NAME = "heatmap_criteria.npz"


def window(data: Fixture) -> Window:
    """Everything at once, as the cycle would show it to a criterion."""
    maps, crops = data["heatmaps"], data["crop_xyxy"].float()
    before, after = neighbours(data["frame"], data["track_id"])
    keypoints, scores = decode(maps, crops)
    return Window(
        index=torch.arange(len(maps), device=maps.device),
        skeleton=Skeleton("any", [f"k{i}" for i in range(maps.shape[1])]),
        boxes=crops,
        crops=crops,
        keypoints=keypoints,
        scores=scores,
        features=maps.new_zeros(len(maps), 1),
        heatmaps=maps,
        previous=maps[before],
        next=maps[after],
        has_previous=before >= 0,
        has_next=after >= 0,
    )


@pytest.mark.parametrize("cell", ["keypoints", "scores"])
def test_decoding(load: Any, cell: str) -> None:
    data = load(NAME)
    keypoints, scores = decode(data["heatmaps"], data["crop_xyxy"].float())
    data.holds(cell, {"keypoints": keypoints, "scores": scores}[cell])


@pytest.mark.parametrize(
    ("cell", "criterion"),
    [
        ("least_confidence", LeastConfidence()),
        ("thc_l1", HeatmapContinuity()),
        ("thc_l2", HeatmapContinuity(norm="l2")),
        ("multiple_peak_entropy", MultiplePeakEntropy()),
        ("entropy", HeatmapEntropy()),
    ],
)
def test_criterion(load: Any, cell: str, criterion: Criterion) -> None:
    data = load(NAME)
    data.holds(cell, criterion.score(window(data)))


def test_margin_is_the_negative_of_the_published_sum(load: Any) -> None:
    data = load(NAME)
    data.holds("top2_margin_sum", Margin(lone="nothing").score(window(data)), -data["top2_margin_sum"])


def test_temporal_pose_continuity_counts_the_same_keypoints(load: Any) -> None:
    data = load(NAME)
    data.exactly("tpc", PoseContinuity().score(window(data)))


def test_local_peak_mean(load: Any) -> None:
    data = load(NAME)
    data.holds("local_peak_mean", local_peak_mean(data["heatmaps"]))
