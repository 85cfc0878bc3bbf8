"""What the estimation pass costs beyond the network it is made for."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import attrs
import torch

from tests.conftest import stick_video
from vatl_core.compute import Compute
from vatl_core.estimation import Crops, estimate
from vatl_core.seeds import generator
from vatl_core.video import Skeleton
from vatl_criteria.uncertainty.confidence import LeastConfidence
from vatl_criteria.uncertainty.continuity import HeatmapContinuity
from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness
from vatl_estimators.simplebaseline import SimpleBaseline

BATCH, LIMIT, ROUNDS = 32, 1.05, 7


def seconds(work: Callable[[], object]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


SEVENTEEN = Skeleton("seventeen", tuple(f"k{i}" for i in range(17)), tuple((i, i + 1) for i in range(16)))


def test_the_pass_takes_hardly_longer_than_the_bare_network() -> None:
    """From the second cycle on, scoring included, ResNet-50 at 256×192; both measured in turn in this process."""
    compute = Compute.choose()
    video = attrs.evolve(stick_video(frames=64, tracks=2).without_truth(), skeleton=SEVENTEEN)
    estimator = SimpleBaseline(backbone="resnet50")
    estimator.build(video.skeleton)
    compute.place(estimator)
    estimator.eval()
    criteria = {"lc": LeastConfidence(), "thc": HeatmapContinuity(), "wpu": PoseUnnaturalness()}
    for name, criterion in criteria.items():
        criterion.prepare(video.skeleton, None, generator(0, name), compute.device)
    crops = Crops(video, estimator.input_size, compute.device, 2**31)
    ready = torch.randn(BATCH, 3, *estimator.input_size, device=compute.device)
    batches = len(video.instances) // BATCH

    def bare() -> None:
        with torch.inference_mode(), compute.autocast():
            for _ in range(batches):
                estimator(compute.layout(ready))

    def whole() -> None:
        estimate(estimator, crops, criteria, compute, BATCH)

    whole()
    bare()
    ratios = [seconds(whole) / seconds(bare) for _ in range(ROUNDS)]
    ratio = statistics.median(ratios)
    print(f"\nestimation pass over bare network on {compute.device}: {ratio:.3f}, median of {sorted(ratios)}")
    assert ratio <= LIMIT
