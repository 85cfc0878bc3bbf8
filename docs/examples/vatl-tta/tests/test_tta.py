"""Clear peaks are steady, doubtful ones are not; and the criterion keeps its contract."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from vatl_core import PERSON_17, PastRun, Window
from vatl_kit import CriterionContract

from vatl_tta.criterion import TestTime


class TestContract(CriterionContract):
    component = TestTime()


def window(heatmaps: Tensor) -> Window:
    """What the criterion reads of one: heatmaps (B, K, h, w)."""
    nothing = torch.zeros(len(heatmaps), 4)
    return Window(torch.arange(len(heatmaps)), PERSON_17, nothing, nothing, nothing, nothing, nothing, heatmaps)


def bump(x: float, height: float = 1.0) -> Tensor:
    """(1, 1, 16, 12) a Gaussian of σ = 2 about (x, 8)."""
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(12.0), indexing="ij")
    return height * torch.exp(-((columns - x) ** 2 + (rows - 8) ** 2) / 8)[None, None]


def test_one_clear_peak_scores_low_and_two_of_like_height_high() -> None:
    clear, doubtful = bump(5.2), torch.maximum(bump(1.5), bump(9, 0.99))
    scores = TestTime().score(window(torch.cat([clear, doubtful])))
    assert scores[0] < 0.1
    assert scores[1] > 1


def test_a_run_is_made_of_it(vatl_run: Callable[..., PastRun]) -> None:
    run = vatl_run(query="tta")
    assert run.closing is not None
    assert run.cycles[0].mean_scores["tta"] > 0
