"""``wpu.npz``: the feature of a pose, and how well an auto-encoder rebuilds it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.parity.fixtures import Fixture
from vatl_core.video import PERSON_17
from vatl_criteria.uncertainty.autoencoder import AutoEncoder, reconstruction_error
from vatl_criteria.uncertainty.pose_feature import angle_triples, known_entries, pose_feature

NAME = "wpu.npz"


def feature(data: Fixture) -> Tensor:
    points, scores = data["keypoints"][..., :2], data["keypoints"][..., 2]
    return pose_feature(points, scores, data["bbox_xywh"], angle_triples(PERSON_17))


def rebuilt(data: Fixture) -> Tensor:
    layers = sum(name.startswith("w") and name[1:].isdigit() for name in data.columns)
    network = AutoEncoder(data["w0"].shape[1], data[f"w{layers // 2 - 1}"].shape[0], "sigmoid").to(data.book.device)
    pairs = [(f"layers.{i}.{kind}", data[f"{kind[0]}{i}"]) for i in range(layers) for kind in ("weight", "bias")]
    network.load_state_dict(dict(pairs))
    with torch.no_grad():
        return network(feature(data).float())


def test_feature(load: Any) -> None:
    data = load(NAME)
    data.holds("hybrid_feature", feature(data))


def test_reconstruction(load: Any) -> None:
    data = load(NAME)
    data.holds("reconstruction", rebuilt(data))


def test_error(load: Any) -> None:
    data = load(NAME)
    data.holds("wpu", reconstruction_error(feature(data), rebuilt(data)))


def test_error_without_ears(load: Any) -> None:
    data = load(NAME)
    visible = torch.tensor(["ear" not in name for name in PERSON_17.keypoints], device=data.book.device)
    known = known_entries(visible.expand(len(data["wpu"]), -1), angle_triples(PERSON_17))
    assert torch.nonzero(~known[0]).flatten().tolist() == [3, 4, 20, 21]
    data.holds("wpu_without_ears", reconstruction_error(feature(data), rebuilt(data), known))
