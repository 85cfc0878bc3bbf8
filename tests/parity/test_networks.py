"""``models``, the published networks: the same parameters, strictly, and the same outputs for the same filling."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.parity.fixtures import FOLDER, Book, arrays, content, overall, unequal
from vatl_core.contracts import Estimator
from vatl_core.video import Skeleton
from vatl_estimators.fastpose import FastPose
from vatl_estimators.hrnet import HRNet
from vatl_estimators.simplebaseline import SimpleBaseline

NAMES = sorted(path.stem for path in (FOLDER / "models").glob("*.json") if path.stem != "seed")
EXPECTED = "models/expected_outputs.npz"
FAMILIES: dict[str, Callable[[int], Estimator]] = {
    "simplebaseline_r": lambda size: SimpleBaseline(backbone=f"resnet{size}"),
    "fastpose_r": lambda size: FastPose(depth=size),
    "hrnet_w": lambda size: HRNet(width=size),
}


def built(name: str) -> Estimator:
    """The network of this name, for as many keypoints as its configuration says."""
    family = name.rstrip("0123456789")
    estimator = FAMILIES[family](int(name.removeprefix(family)))
    keypoints = content(f"models/{name}.json")["preset"]["NUM_JOINTS"]
    estimator.build(Skeleton("any", [f"k{number}" for number in range(keypoints)]))
    return estimator


def published(name: str) -> list[tuple[str, list[int]]]:
    """Every parameter of a published network with its shape, in order."""
    return [(key, shape) for key, shape in content(f"models/{name}.json")["state_dict"]]


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


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_the_published_ones_in_their_order(name: str, request: pytest.FixtureRequest) -> None:
    ours = [(key, list(tensor.shape)) for key, tensor in built(name).state_dict().items()]
    book = Book("cpu", request.node.nodeid)
    book.note(f"models/{name}.json", "state_dict", unequal(ours, published(name)), 0)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_the_published_ones(name: str, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    seed, expected = content("models/seed.json"), arrays(EXPECTED)
    estimator = built(name)
    estimator.load_state_dict({key: filled(key, shape, seed["key_offset"]) for key, shape in published(name)})
    batch, _, height, width = expected[f"{name}_heatmaps"].shape
    shape = (batch, 3, height * estimator.stride, width * estimator.stride)
    pictures = np.random.default_rng(seed["input_seed"]).standard_normal(shape) * 0.3
    with torch.no_grad():
        outputs = estimator.eval().to(book.device)(torch.tensor(pictures, dtype=torch.float32, device=book.device))
    ours = {f"{name}_{what}": found for what, found in zip(("heatmaps", "embedding"), outputs[:2], strict=True)}
    deviations = {cell: overall(ours[cell], torch.from_numpy(expected[cell])) for cell in ours if cell in expected}
    for cell, deviation in deviations.items():
        book.note(EXPECTED, f"{cell} (norm)", deviation, 1e-4)
