"""How much faster the batched criteria are than the same formulas written instance by instance and map by map.

On 2,000 instances of 17 heatmaps, ours in batches that fit into a processor's cache. The two are measured in turn, a
quarter of the instances at a time, and the best quarter of each counts: what else the machine does then matters less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import maximum_filter
from scipy.stats import entropy
from sklearn.metrics import pairwise_distances
from torch import Tensor

from vatl_core.contracts import Pool
from vatl_core.video import decode, gaussian_targets
from vatl_criteria.selection.kcentre import greedy
from vatl_criteria.uncertainty.ambiguity import heatmap_entropy, multiple_peak_entropy, peak_margin
from vatl_criteria.uncertainty.peaks import local_maxima, local_peak_mean

INSTANCES, BATCH, FASTER, ROUNDS = 2000, 16, 10, 4
Array = np.ndarray


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@pytest.fixture(scope="module")
def heatmaps() -> Tensor:
    """Two Gaussians a map, the second lower, over noise as networks make it."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(INSTANCES, 17, 64, 48, generator=generator) * 0.05
    for height in (0.8, 0.3):
        points = torch.rand(INSTANCES, 17, 2, generator=generator) * torch.tensor([47, 63])
        maps += gaussian_targets(points, torch.ones(INSTANCES, 17) > 0, (64, 48), 1)[0] * height
    return maps


@pytest.fixture(scope="module")
def crops() -> Tensor:
    corners = torch.rand(INSTANCES, 2, generator=torch.Generator().manual_seed(1)) * 500
    return torch.cat([corners, corners + torch.tensor([75.0, 100.0])], 1)


# ------------------------------------------------------------------------------------------------- instance by instance
def peaks_of(single: Array, count: int) -> Array:
    from skimage.feature import peak_local_max

    return single[tuple(peak_local_max(single, min_distance=5, num_peaks=count).T)]


def slow_peak_entropy(maps: Array) -> float:
    total = 0.0
    for single in maps:
        values = np.exp(peaks_of(single, 5))
        if len(values):
            total += entropy(values / values.sum())
    return total


def slow_margin(maps: Array) -> float:
    total = 0.0
    for single in maps:
        values = peaks_of(single, 2)
        if len(values) == 2:
            total += values[0] - values[1]
    return total


def slow_entropy(maps: Array) -> float:
    return sum(entropy(single.ravel()) for single in maps)


def slow_local_peak_mean(maps: Array) -> float:
    values = []
    for single in maps:
        peak = single == maximum_filter(single, size=3)
        values.append(single[peak & (single >= single.max() / 2)])
    return float(np.concatenate(values).mean())


def slow_decode(maps: Array, crop: Array) -> Array:
    height, width = maps.shape[1:]
    matrix = np.array([[(crop[2] - crop[0]) / width, 0, crop[0]], [0, (crop[3] - crop[1]) / height, crop[1]]])
    keypoints = np.empty((len(maps), 3))
    for number, single in enumerate(maps):
        y, x = np.unravel_index(single.argmax(), single.shape)
        place = np.array([x, y, 1], dtype=float)
        if 0 < x < width - 1:
            place[0] += 0.25 * np.sign(single[y, x + 1] - single[y, x - 1])
        if 0 < y < height - 1:
            place[1] += 0.25 * np.sign(single[y + 1, x] - single[y - 1, x])
        keypoints[number, :2] = matrix @ place
        keypoints[number, 2] = single[y, x]
    return keypoints


PAIRS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Array], float]]] = {
    "mpe": (lambda maps: multiple_peak_entropy(local_maxima(maps, 5, 5)), slow_peak_entropy),
    "margin": (lambda maps: peak_margin(local_maxima(maps, 5, 2), "nothing"), slow_margin),
    "entropy": (heatmap_entropy, slow_entropy),
    "local peak mean": (local_peak_mean, slow_local_peak_mean),
}


@pytest.mark.parametrize("name", PAIRS)
def test_criteria_are_ten_times_as_fast(heatmaps: Tensor, name: str) -> None:
    fast, slow = PAIRS[name]
    compare(
        name,
        heatmaps.chunk(ROUNDS),
        lambda maps: torch.cat([fast(part) for part in maps.split(BATCH)]),
        lambda maps: torch.tensor([slow(single) for single in maps.numpy()]),
    )


def test_decoding_is_ten_times_as_fast(heatmaps: Tensor, crops: Tensor) -> None:
    def fast(part: tuple[Tensor, Tensor]) -> Tensor:
        keypoints, scores = decode(*part)
        return torch.cat([keypoints, scores[..., None]], -1)

    def slow(part: tuple[Tensor, Tensor]) -> Tensor:
        pairs = zip(part[0].numpy(), part[1].numpy(), strict=True)
        return torch.tensor(np.stack([slow_decode(maps, box) for maps, box in pairs]))

    compare("decoding", list(zip(heatmaps.chunk(ROUNDS), crops.chunk(ROUNDS), strict=True)), fast, slow)


def test_greedy_core_set_takes_a_tenth_of_the_time_of_pairwise_distances() -> None:
    """500 of 10,000 × 2048."""
    features = torch.randn(10_000, 2048, generator=torch.Generator().manual_seed(0))
    pool = Pool(torch.zeros(len(features)), features, torch.zeros(len(features)) > 0)
    ours, picks = seconds(lambda: greedy(pool, 500, 1.0, 0.0, 0))
    plain, expected = seconds(lambda: slow_core_set(features.numpy(), 500))
    assert len(set(picks.tolist()) & set(expected)) > 450, "rounding may decide between equals"
    report("core-set", ours, plain)


def slow_core_set(features: Array, count: int) -> list[int]:
    picks, nearest = [0], np.full(len(features), np.inf)
    while len(picks) < count:
        nearest = np.minimum(nearest, pairwise_distances(features, features[picks[-1:]]).ravel())
        picks.append(int(nearest.argmax()))
    return picks


def compare(name: str, parts: Sequence[Any], fast: Callable[[Any], Tensor], slow: Callable[[Any], Tensor]) -> None:
    """Both on each part in turn, with the same results; the best time of each."""
    fast(parts[0])
    ours, plain = [], []
    for part in parts:
        for _ in range(5):  # it is over so soon that a single interruption would count for all of it
            time_of_ours, result = seconds(lambda part=part: fast(part))
            ours.append(time_of_ours)
        time_of_plain, expected = seconds(lambda part=part: slow(part))
        plain.append(time_of_plain)
        torch.testing.assert_close(result.double(), expected.double(), rtol=1e-3, atol=1e-3)
    report(name, min(ours) * len(parts), min(plain) * len(parts))


def report(name: str, ours: float, plain: float) -> None:
    print(f"\n{name}: {ours:.2f} s against {plain:.2f} s, {plain / ours:.1f} times as fast")
    assert plain / ours >= FASTER
