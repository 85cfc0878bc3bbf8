"""How much memory a pass takes for each further instance, crops that are kept apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = """
import re, sys
import torch
from torch import Tensor
from vatl_core.compute import Compute
from vatl_core.estimation import Crops, estimate
from vatl_core.video import PERSON_17, Frames, Video
from vatl_criteria.uncertainty.continuity import HeatmapContinuity
from vatl_estimators.tiny import Tiny

class Noise(Frames):
    def __init__(self, count): self.count, self.picture = count, torch.randint(0, 255, (3, 64, 64), dtype=torch.uint8)
    def __len__(self): return self.count
    def read(self, index): return self.picture

torch.set_num_threads(1)
count = int(sys.argv[1])
video = Video.of(Noise(count // 4), torch.tensor([[8.0, 8, 40, 40]]).repeat(count, 1), PERSON_17,
                 frame=torch.arange(count // 4).repeat_interleave(4), track=torch.arange(4).repeat(count // 4))
network = Tiny(width=8, input_size=(32, 32))
network.build(PERSON_17)
crops = Crops(video.without_truth(), network.input_size, torch.device("cpu"), 0)
estimate(network, crops, {"thc": HeatmapContinuity()}, Compute(torch.device("cpu")), 64)
print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])  # getrusage has what was before exec in it
"""


def peak(instances: int) -> int:
    """kB at the most, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PEAK, str(instances)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process had at the most is told by /proc alone")
def test_memory_is_flat_but_for_what_is_kept_of_an_instance() -> None:
    few, many = peak(1_000), peak(20_000)
    each = (many - few) / 19_000
    print(f"\n{few / 1024:.0f} MB for 1,000 instances, {many / 1024:.0f} MB for 20,000: {each:.1f} kB each")
    assert each <= 25
