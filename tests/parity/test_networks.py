"""The published networks: the same parameters, strictly, and the same outputs for the same filling."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from vatl_core.contracts import Estimator
from vatl_core.skeleton import PERSON_17
from vatl_estimators.fastpose import FastPose
from vatl_estimators.hrnet import HRNet
from vatl_estimators.simplebaseline import SimpleBaseline

FIXTURES = Path(__file__).parents[1] / "data" / "parity" / "models"
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]
NETWORKS: dict[str, Callable[[], Estimator]] = {
    "simplebaseline_r50": partial(SimpleBaseline, backbone="resnet50"),
    "fastpose_r50": partial(FastPose, depth=50),
    "hrnet_w32": partial(HRNet, width=32),
}


def built(name: str) -> Estimator:
    estimator = NETWORKS[name]()
    estimator.build(PERSON_17)
    return estimator


def published(name: str) -> list[tuple[str, list[int]]]:
    """Every parameter of a published network with its shape, in order."""
    return [(key, shape) for key, shape in json.loads((FIXTURES / f"{name}.json").read_text())["state_dict"]]


def filled(key: str, shape: list[int], offset: int) -> torch.Tensor:
    """The deterministic parameters that the expected outputs were computed with."""
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    n = np.random.default_rng(zlib.crc32(key.encode()) + offset).standard_normal(shape)
    if key.endswith("running_var"):
        n = 1 + 0.1 * np.abs(n)
    elif len(shape) == 4:
        n = n * np.sqrt(1 / (shape[1] * shape[2] * shape[3]))
    elif len(shape) == 2:
        n = n * np.sqrt(1 / shape[1])
    elif key.endswith("weight"):
        n = 1 + 0.1 * n
    else:
        n = 0.1 * n
    return torch.tensor(n, dtype=torch.float32)


def deviation(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float(torch.linalg.norm(ours - theirs) / torch.linalg.norm(theirs))


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_are_the_published_ones_in_their_order(name: str) -> None:
    assert [(key, list(tensor.shape)) for key, tensor in built(name).state_dict().items()] == published(name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_the_published_ones(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    seed = json.loads((FIXTURES / "seed.json").read_text())
    estimator = built(name)
    estimator.load_state_dict({key: filled(key, shape, seed["key_offset"]) for key, shape in published(name)})
    picture = np.random.default_rng(seed["input_seed"]).standard_normal((2, 3, 256, 192)) * 0.3
    with torch.no_grad():
        outputs = estimator.eval().to(device)(torch.tensor(picture, dtype=torch.float32, device=device))
    with np.load(FIXTURES / "expected_outputs.npz", allow_pickle=False) as expected:
        for ours, what in zip(outputs, ("heatmaps", "embedding"), strict=True):
            if f"{name}_{what}" in expected:
                assert deviation(ours.cpu(), torch.from_numpy(expected[f"{name}_{what}"])) < 1e-4
