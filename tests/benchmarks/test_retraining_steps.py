"""What a retraining costs beyond the steps it is made of."""

from __future__ import annotations

from pathlib import Path

import attrs
import torch

from tests.gpu.material import Bench, Sizes
from tests.gpu.measures import retraining
from vatl_core.compute import Compute

LIMIT = 1.1
SIZES = Sizes(learner="simplebaseline", input_size=(128, 96), labels=32, epochs=3, rounds=5)


def test_a_retraining_takes_hardly_longer_than_its_bare_steps(tmp_path: Path) -> None:
    """Augmentation, targets and all, ResNet-50 at 128 × 96; batch, precision and optimiser are the same in both."""
    compute = attrs.evolve(Compute.choose(), device=torch.device("cpu"))
    ratio, _ = retraining(Bench(compute, SIZES), tmp_path)["retraining / bare steps"]
    print(f"\nretraining over bare steps: {ratio:.3f}")
    assert ratio <= LIMIT
