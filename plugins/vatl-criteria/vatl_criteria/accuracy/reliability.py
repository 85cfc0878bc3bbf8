"""Pictures of the accuracy to be expected: over the labels, and held against what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import torch
from torch import Tensor

from vatl_criteria.accuracy.outlook import LEVEL, Outlook, Seen
from vatl_drawing import COLOURS, DASHES, INK, Plot, plotted

FEW: Final = 8
"""How many instances a bin has at the least, where there are so many."""
MOST: Final = 10
"""How many bins there are at the most."""
NORMAL: Final = 1.645
"""Standard errors to each side that hold :data:`LEVEL` of a normal distribution."""


@attrs.frozen
class Bin:
    """Instances of like expectation that were asked for.

    Attributes:
        expected: the mean of what was expected of them.
        measured: their mean OKS when they were asked for.
        error: standard error of that mean; None of a single one.
        count: how many.
    """

    expected: float
    measured: float
    error: float | None
    count: int


def bins_of(asked: Sequence[Tensor]) -> list[Bin]:
    """Of rows (q, 2) of what was expected and what it was: as many instances in each, sorted by what was expected."""
    rows = torch.cat([torch.zeros(0, 2), *asked]).double()
    rows = rows[rows.isfinite().all(1)]
    if not len(rows):
        return []
    rows = rows[rows[:, 0].argsort(stable=True)]
    return [_bin(part) for part in rows.tensor_split(max(1, min(MOST, len(rows) // FEW)))]


def _bin(rows: Tensor) -> Bin:
    expected, measured = rows.mean(0).tolist()
    error = float(rows[:, 1].std()) / len(rows) ** 0.5 if len(rows) > 1 else None
    return Bin(expected, measured, error, len(rows))


def plot(told: Sequence[tuple[Seen, Outlook]], bins: Sequence[Bin]) -> Plot:
    """The expected mean OKS with its interval over the labels, and how reliable what is expected was."""

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _over_labels(left, told)
        _reliability(right, bins)

    return plotted(draw, 9, 4.2)


def _over_labels(axes: Any, told: Sequence[tuple[Seen, Outlook]]) -> None:
    at = [100 * cycle.record.fraction for cycle, _ in told]
    low, high = [out.low for _, out in told], [out.high for _, out in told]
    axes.fill_between(at, low, high, color=COLOURS[0], alpha=0.2, linewidth=0, label=f"{LEVEL:.0%} interval")
    axes.plot(at, [out.mean for _, out in told], color=COLOURS[0], linestyle=DASHES[0], marker="o", label="expected")
    truth = [(x, e.mean_oks) for x, (cycle, _) in zip(at, told, strict=True) if (e := cycle.record.evaluation)]
    if truth:
        axes.plot(*zip(*truth, strict=True), color=COLOURS[1], linestyle=DASHES[1], marker="s", label="measured")
    axes.set(xlabel="labelled instances (% of the video's)", ylabel="mean OKS of the estimates (0–1)", ylim=(0, 1))
    axes.set_xlim(left=0)
    axes.legend(loc="lower right")


def _reliability(axes: Any, bins: Sequence[Bin]) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linestyle=DASHES[3], linewidth=1)
    places = [found.expected for found in bins], [found.measured for found in bins]
    bars = [NORMAL * (found.error or 0) for found in bins]
    axes.errorbar(*places, bars, color=COLOURS[0], linestyle="none", marker="o", capsize=3)
    axes.set(xlabel="expected OKS of queried instances", ylabel=f"their mean OKS (bars: {LEVEL:.0%} interval)")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
