"""What the default's criterion and refinement cost beside the pass of the smallest estimator, in float32 on one thread.

Seconds of the processor's, since other work shares it; each in turn within one process, the median of the ratios.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import attrs
import pytest
import torch

from tests.gpu.material import Bench, Sizes
from tests.gpu.measures import a_window
from vatl_core.compute import Compute
from vatl_core.contracts import Labels
from vatl_core.discovery import discover
from vatl_core.estimation import estimate, refined
from vatl_core.plugins import build
from vatl_core.video import PERSON_17, peaks

INSTANCES, BATCH, ROUNDS = 640, 64, 7
LIMIT = 0.05
"""Part of the pass that scoring and refinement may take together."""
SEARCH = 0.08
"""Part that the search for a refinement's candidates may take besides."""


def seconds(work: Callable[[], object], times: int = 1) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - started


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_scoring_and_refinement_are_little_beside_the_smallest_network() -> None:
    compute = Compute(torch.device("cpu"), channels_last=True)
    bench = Bench(compute, Sizes(estimator="tiny", input_size=(128, 96)))
    network, criterion = bench.network("tiny"), bench.criteria("eoks")["eoks"]
    refinement = build(discover(), "refinement", "tracks", {})
    crops = bench.crops(bench.video(INSTANCES), network)
    found = estimate(network, crops, {}, compute, BATCH, candidates=refinement.candidates)
    with torch.inference_mode():
        maps = compute.forward(network, crops.get(torch.arange(BATCH))).heatmaps.contiguous()
    window = a_window(bench, [maps] * 3, BATCH)
    pool = attrs.evolve(window, condensed=torch.rand(BATCH, dtype=torch.float32))
    index, batches = torch.arange(0, INSTANCES, 10), INSTANCES // BATCH
    known = torch.ones(len(index), len(PERSON_17), dtype=torch.bool)
    labels = Labels(index, found.keypoints[index], known, "nobody", torch.zeros(len(index)))

    def shares() -> tuple[float, float, float]:
        whole = seconds(lambda: estimate(network, crops, {}, compute, BATCH))
        scoring = seconds(lambda: criterion.condense(window), batches) + seconds(lambda: criterion.score(pool))
        refining = seconds(lambda: refined("tracks", refinement, crops, found, labels))
        return scoring / whole, refining / whole, seconds(lambda: peaks(maps, window.crops, 5), batches) / whole

    shares()
    with torch.no_grad():
        columns = zip(*(shares() for _ in range(ROUNDS)), strict=True)
    scoring, refining, search = (statistics.median(column) for column in columns)
    print(
        f"\nof the pass of tiny: eoks {scoring:.3f}, tracks {refining:.3f}, and its search for candidates {search:.3f}"
    )
    assert scoring + refining <= LIMIT
    assert search <= SEARCH
