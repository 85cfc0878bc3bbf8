"""The criteria's numbers as the method's authors' own code produced them, and ours for the same inputs.

``VATL_PARITY_FIXTURES`` names another folder of the same layout, with other values and counts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vatl_core.contracts import Window
from vatl_core.geometry import decode
from vatl_core.skeleton import Skeleton
from vatl_core.video import neighbours
from vatl_criteria.representativeness.influence import Influence
from vatl_criteria.uncertainty.ambiguity import (
    HeatmapEntropy,
    Margin,
    MultiplePeakEntropy,
    heatmap_entropy,
    multiple_peak_entropy,
    peak_margin,
)
from vatl_criteria.uncertainty.continuity import PoseContinuity
from vatl_criteria.uncertainty.peaks import local_maxima, local_peak_mean
from vatl_criteria.uncertainty.pose_likelihood import log_likelihood

FIXTURES = Path(os.environ.get("VATL_PARITY_FIXTURES") or Path(__file__).parents[1] / "data" / "parity")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


@pytest.fixture(params=DEVICES)
def load(request: pytest.FixtureRequest) -> Any:
    """Reads a fixture's arrays on each device there is; names stay as they are."""

    def arrays(name: str) -> dict[str, Any]:
        with np.load(FIXTURES / name, allow_pickle=False) as data:
            columns = {key: data[key] for key in data.files}
        return {
            k: v.tolist() if v.dtype.kind == "U" else torch.from_numpy(v).to(request.param) for k, v in columns.items()
        }

    return arrays


def close(ours: Tensor, theirs: Tensor, relative: float = 1e-4) -> None:
    torch.testing.assert_close(ours.double(), theirs.double(), rtol=relative, atol=1e-6)


class TestHeatmaps:
    def test_multiple_peak_entropy(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        close(multiple_peak_entropy(local_maxima(data["heatmaps"], 5, 5)), data["multiple_peak_entropy"])
        close(MultiplePeakEntropy().score(self._window(data)), data["multiple_peak_entropy"])

    def test_margin_is_the_negative_of_the_published_sum(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        close(peak_margin(local_maxima(data["heatmaps"], 5, 2), lone="nothing"), data["top2_margin_sum"])
        close(Margin(lone="nothing").score(self._window(data)), -data["top2_margin_sum"])

    def test_entropy(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        close(heatmap_entropy(data["heatmaps"]), data["entropy"])
        close(HeatmapEntropy().score(self._window(data)), data["entropy"])

    def test_local_peak_mean(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        close(local_peak_mean(data["heatmaps"]), data["local_peak_mean"])

    def test_temporal_pose_continuity(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        assert PoseContinuity().score(self._window(data)).tolist() == data["tpc"].tolist()

    @staticmethod
    def _window(data: dict[str, Tensor]) -> Window:
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


def test_influence(load: Any) -> None:
    data = load("selection.npz")
    features = data["embeddings"]
    labelled = torch.ones(len(features), dtype=torch.bool, device=features.device)
    labelled[data["unlabeled"]] = False
    nothing = features.new_zeros(len(features), 0)
    window = Window(
        torch.arange(len(features), device=features.device), Skeleton("any", ["k"]), nothing, nothing, nothing, nothing,
        features, labelled=labelled,
    )  # fmt: skip
    close(Influence().score(window)[data["unlabeled"]], data["cosine_distance_sum_normalised"])


class TestLinkLengths:
    def test_likelihood_of_the_tree_as_it_is_given(self, load: Any) -> None:
        data = load("vl4pose.npz")
        means, log_variances = data["link_mean_logvar"].unbind(-1)
        links = [(parent, child) for parent, child in data["links"].tolist()]
        ours = log_likelihood(local_maxima(data["heatmaps"], 2, 5), means, log_variances, links, "sum")
        close(ours, data["log_likelihood"])

    def test_likelihood_of_the_tree_that_the_skeleton_spans_from_its_root(self, load: Any) -> None:
        data = load("vl4pose.npz")
        given = [(parent, child) for parent, child in data["links"].tolist()]
        names = data["joint_names"]
        links = Skeleton("any", names, given).tree(names.index("head"))
        order = [given.index(link) for link in links]
        means, log_variances = data["link_mean_logvar"][:, order].unbind(-1)
        ours = log_likelihood(local_maxima(data["heatmaps"], 2, 5), means, log_variances, links, "sum")
        close(ours, data["log_likelihood"])
