"""How accurate a cycle's estimates are, and how sure that is, from what a run has on disk of it and of those before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_core.cycle import Standing
from vatl_core.records import CycleRecord
from vatl_core.store import RunFolder
from vatl_criteria.accuracy.calibration import Calibration, Pairs

NAME: Final = "eoks"
LEVEL: Final = 0.9
"""How often the truth is to lie within an interval."""


@attrs.frozen
class Seen:
    """One cycle of a run in which the expected OKS was computed.

    Attributes:
        record: of the cycle, its answers included.
        raw: (N,) what the heatmaps led to expect.
        expected: (N,) what that was calibrated to before the cycle's query was answered.
    """

    record: CycleRecord
    raw: Tensor
    expected: Tensor

    @property
    def asked(self) -> Tensor:
        """(q, 2) what was expected of the instances of its query, and what it was; NaN where nothing is visible."""
        oks = torch.tensor([torch.nan if oks is None else oks for oks in self.record.query_oks])
        return torch.stack([self.expected[list(self.record.query)], oks], 1)


@attrs.frozen
class Outlook:
    """The mean OKS of a cycle's estimates, as far as its labels and all earlier ones tell.

    Attributes:
        mean: to be expected.
        low, high: within which it lies with a probability of :data:`LEVEL`.
    """

    mean: float
    low: float
    high: float


def seen(folder: RunFolder, records: Sequence[CycleRecord]) -> list[Seen]:
    """Those of the cycles of these records in which the expected OKS was computed."""
    found = ((record, folder.estimates(record.cycle)) for record in records)
    return [
        Seen(record, then.kept[NAME].flatten(), 1 - then.criteria[NAME])
        for record, then in found
        if then and NAME in then.kept and NAME in then.criteria
    ]


def outlook(cycles: Sequence[Seen], records: Sequence[CycleRecord], folder: RunFolder) -> Outlook | None:
    """Of the last of these cycles, by its own query's labels and those of the cycles before; None without any label.

    The records are those of all cycles up to it, in whichever of them the expected OKS was computed.
    """
    record, raw = cycles[-1].record, cycles[-1].raw.double()
    known = torch.tensor([oks for oks in record.labelled_oks if oks is not None], dtype=torch.float64)
    left, pairs = _left(raw, records, folder), _pairs(cycles)
    calibration = Calibration.of(pairs, record.labelled, raw)
    return expected_mean(pairs, calibration, record.labelled, known, left, _surprise(cycles))


def expected_mean(
    pairs: Pairs, calibration: Calibration, now: int, known: Tensor, left: Tensor, surprise: float = 0.0
) -> Outlook | None:
    """The mean OKS of estimates some of which are measured; None without a pair, or without an instance.

    How far it may be off comes from how well the calibration's curve is known, and from how single instances scatter
    around it, by Student's distribution; and from what no scatter shows: a selector that prefers the hard ones among
    those that look alike, and estimates that have got better since most labels were given. By as much as the last query
    turned out otherwise than expected, the others may.

    Args:
        pairs: that the calibration is by.
        calibration: for an estimator that has learnt from ``now`` labels.
        known: (M,) float64, the OKS of those that are measured.
        left: (U,) float64, what the heatmaps say of the others.
        surprise: by how much the mean OKS of the last query was not what it had been expected to be.
    """
    from scipy.stats import t as student

    if not len(pairs) or not (count := len(known) + len(left)):
        return None
    mean = float(known.sum() + calibration(left).sum()) / count
    scatter = float((pairs.oks - calibration.curve(pairs.raw, pairs.since(now))).square().mean())
    variance = float(calibration.curve.variance_of_sum(left)) + len(left) * scatter
    half = float(student.ppf((1 + LEVEL) / 2, max(len(pairs) - 1, 1))) * variance**0.5 / count
    half += abs(surprise) * len(left) / count
    return Outlook(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def _left(raw: Tensor, records: Sequence[CycleRecord], folder: RunFolder) -> Tensor:
    """(U,) what the heatmaps say of the instances that had no label after these cycles; nobody is no instance."""
    standing, cpu = Standing.of(len(raw), records, folder.answers, records[-1].cycle + 1), torch.device("cpu")
    return raw[standing.there(cpu) & ~standing.labelled(cpu)]


def _surprise(cycles: Sequence[Seen]) -> float:
    """By how much the last query's mean OKS was not what it was expected to be; 0 where nothing of it is visible."""
    answered = [cycle.asked for cycle in cycles if not cycle.asked[:, 1].isnan().all()]
    return float((answered[-1][:, 1] - answered[-1][:, 0]).nanmean()) if answered else 0.0


def _pairs(cycles: Sequence[Seen]) -> Pairs:
    """What was expected of everything that was asked for, and what it was."""
    raw = [cycle.raw[list(cycle.record.query)] for cycle in cycles]
    oks = [cycle.asked[:, 1] for cycle in cycles]
    learnt = [torch.full((len(cycle.record.query),), cycle.record.labelled) for cycle in cycles]
    return Pairs.of(torch.cat(raw), torch.cat(oks), torch.cat(learnt))
