"""Numbers that the method's authors' own code produced, and ours for the same inputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vatl_core.contracts import Pool
from vatl_core.geometry import crop_boxes, crop_matrices, decode, gaussian_targets, invert, transform, warp
from vatl_core.metrics import Poses, alc, average_precision, oks
from vatl_core.skeleton import PERSON_17
from vatl_core.video import neighbours
from vatl_criteria.selection.kcentre import greedy
from vatl_criteria.uncertainty.autoencoder import AutoEncoder, reconstruction_error
from vatl_criteria.uncertainty.confidence import least_confidence
from vatl_criteria.uncertainty.continuity import heatmap_change, over_neighbours
from vatl_criteria.uncertainty.pose_feature import angle_triples, pose_feature

FIXTURES = Path(__file__).parents[1] / "data" / "parity"
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


@pytest.fixture(params=DEVICES)
def load(request: pytest.FixtureRequest) -> Any:
    """Reads a fixture's arrays as tensors on each device there is."""

    def arrays(name: str) -> dict[str, torch.Tensor]:
        with np.load(FIXTURES / name, allow_pickle=False) as data:
            return {key: torch.from_numpy(data[key]).to(request.param) for key in data.files}

    return arrays


def close(ours: torch.Tensor, theirs: torch.Tensor, relative: float = 1e-4) -> None:
    torch.testing.assert_close(ours.double(), theirs.double(), rtol=relative, atol=1e-6)


class TestCropAndTarget:
    def test_crop_box(self, load: Any) -> None:
        data = load("crop_target.npz")
        close(self._crops(data), data["crop_box_xyxy"])

    def test_warp_is_within_two_grey_levels(self, load: Any) -> None:
        data = load("crop_target.npz")
        picture = data["image_rgb_uint8"].permute(2, 0, 1)[None]
        crops = warp(picture, crop_matrices(self._crops(data), (256, 192)), (256, 192)).float() / 255
        mean = crops.new_tensor([0.406, 0.457, 0.480]).view(1, 3, 1, 1)
        assert (crops - mean - data["crop_chw"].float()).abs().max() < 0.008

    def test_target_heatmaps_and_weights(self, load: Any) -> None:
        data = load("crop_target.npz")
        to_crop = invert(crop_matrices(self._crops(data), (256, 192)))
        points = transform(data["keypoints_xyv"][..., :2], to_crop)
        targets, weights = gaussian_targets(points, data["keypoints_xyv"][..., 2] > 0, (64, 48), 4)
        torch.testing.assert_close(targets, data["target_heatmaps"].float(), rtol=1e-3, atol=5e-4)
        assert torch.equal(weights, data["target_weight"])

    @staticmethod
    def _crops(data: dict[str, torch.Tensor]) -> torch.Tensor:
        corners = data["bbox_xyxy"].float()
        return crop_boxes(torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1), (256, 192))


class TestHeatmaps:
    def test_decoding(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        keypoints, scores = decode(data["heatmaps"], data["crop_xyxy"].float())
        close(keypoints, data["keypoints"])
        close(scores, data["scores"])

    def test_least_confidence(self, load: Any) -> None:
        data = load("heatmap_criteria.npz")
        close(least_confidence(data["heatmaps"].amax((2, 3))), data["least_confidence"])

    @pytest.mark.parametrize("norm", ["l1", "l2"])
    def test_temporal_heatmap_continuity(self, load: Any, norm: str) -> None:
        data = load("heatmap_criteria.npz")
        maps = data["heatmaps"]
        before, after = neighbours(data["frame"], data["track_id"])
        ours = over_neighbours(
            heatmap_change(maps, maps[before], norm), heatmap_change(maps, maps[after], norm), before >= 0, after >= 0
        )
        close(ours, data[f"thc_{norm}"])


class TestUnnaturalness:
    def test_feature(self, load: Any) -> None:
        close(self._feature(load("wpu.npz")), load("wpu.npz")["hybrid_feature"])

    def test_reconstruction(self, load: Any) -> None:
        data = load("wpu.npz")
        close(self._rebuilt(data), data["reconstruction"])

    def test_error_with_and_without_ears(self, load: Any) -> None:
        data = load("wpu.npz")
        feature, rebuilt = self._feature(data), self._rebuilt(data)
        known = torch.ones_like(feature, dtype=torch.bool)
        close(reconstruction_error(feature, rebuilt, known), data["wpu"])
        known[:, [3, 4, 20, 21]] = False
        close(reconstruction_error(feature, rebuilt, known), data["wpu_without_ears"])

    @staticmethod
    def _feature(data: dict[str, torch.Tensor]) -> torch.Tensor:
        points, scores = data["keypoints"][..., :2], data["keypoints"][..., 2]
        return pose_feature(points, scores, data["bbox_xywh"], angle_triples(PERSON_17))

    def _rebuilt(self, data: dict[str, torch.Tensor]) -> torch.Tensor:
        network = AutoEncoder(data["w0"].shape[1], data["w3"].shape[0], "sigmoid").to(data["w0"].device)
        pairs = [(f"layers.{i}.{kind}", data[f"{kind[0]}{i}"]) for i in range(8) for kind in ("weight", "bias")]
        network.load_state_dict(dict(pairs))
        with torch.no_grad():
            return network(self._feature(data).float())


def _selections() -> list[str]:
    with np.load(FIXTURES / "selection.npz", allow_pickle=False) as data:
        return [name for name in data.files if re.match("warm_|cold_", name)]


@pytest.mark.parametrize("name", _selections())
def test_greedy_selection(load: Any, name: str) -> None:
    data = load("selection.npz")
    start, method, mean, weight = re.fullmatch(r"(warm|cold)_(\w+?)_moks([\d.]+)_lambda([\d.]+)", name).groups()
    m, λ = float(mean), float(weight)
    far, uncertain = {"coreset": (1.0, 0.0), "duw": (1 - m, λ * m), "fixed_lambda": (1.0, λ)}[method]
    labelled = torch.zeros(len(data["embeddings"]), dtype=torch.bool, device=data["embeddings"].device)
    if start == "warm":
        labelled[data["labeled"]] = True
    pool = Pool(data["uncertainty"], data["embeddings"], labelled)
    assert greedy(pool, len(data[name]), far, uncertain, None).tolist() == data[name].tolist()


class TestMeasures:
    def test_oks(self, load: Any) -> None:
        data = load("oks_alc.npz")
        visible = data["gt"][..., 2] > 0
        ours = oks(data["pred"][..., :2], data["gt"][..., :2], visible, data["bbox_xywh"], PERSON_17.sigmas)
        close(ours, data["oks"])

    def test_area_under_the_learning_curve(self, load: Any) -> None:
        data = load("oks_alc.npz")
        ours = alc((data["label_percent"] / 100).tolist(), (data["ap_percent"] / 100).tolist())
        assert ours == pytest.approx(float(data["alc"]), rel=1e-4)

    @pytest.mark.parametrize("case", ["predicted", "with_annotations"])
    def test_average_precision(self, case: str) -> None:
        truth = self._poses(json.loads((FIXTURES / "coco_gt.json").read_text())["annotations"])
        predicted = self._poses(json.loads((FIXTURES / "coco_predictions.json").read_text()))
        expected = json.loads((FIXTURES / "coco_expected.json").read_text())[case]
        swap = torch.isin(truth.ids, torch.tensor(expected.get("labelled_annotation_ids", []), dtype=torch.int64))
        keypoints = torch.where(swap[:, None, None], truth.keypoints, predicted.keypoints)
        ours = average_precision(truth, Poses(predicted.frame, predicted.boxes, keypoints, predicted.weight), PERSON_17)
        figures = {"AP": ours.ap, "AP (M)": ours.medium, "AP (L)": ours.large, "AR": ours.ar}
        figures |= {f"AP {t.removeprefix('0')}": value for t, value in ours.at.items()}
        assert figures == pytest.approx(expected["ap"], rel=1e-4)

    @staticmethod
    def _poses(annotations: list[dict[str, Any]]) -> Poses:
        triples = torch.tensor([a["keypoints"] for a in annotations], dtype=torch.float64).view(len(annotations), -1, 3)
        return Poses(
            torch.tensor([a["image_id"] for a in annotations]),
            torch.tensor([a["bbox"] for a in annotations], dtype=torch.float64),
            triples[..., :2],
            triples[..., 2],
            torch.tensor([a["id"] for a in annotations]),
        )
