"""By what a trial is judged: a measure of its runs, cycle after cycle."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.metrics import alc, true_poses
from vatl_core.records import CycleRecord, Evaluation

MEASURES: Final = ("ap", "ar", "ap-medium", "ap-large", "mean-oks", "mean-oks-unlabelled")
"""Those of the core; besides, ``ap@T`` and what plugins measure."""
THRESHOLDS: Final = ("0.5", "0.6", "0.7", "0.75", "0.8", "0.95")
LOWER: Final = ("ospa",)
"""Measures of which less is better."""


@attrs.frozen
class Objective:
    """What is made as large, or of labels and distances as small, as can be.

    Attributes:
        measure: its name, in lower case.
        with_labels: whether labelled instances count with their labels.
        by: ``alc``, ``final`` or ``labels``.
        target: of ``labels``: the accuracy to be reached.
    """

    measure: str
    with_labels: bool
    by: str
    target: float | None = None

    @classmethod
    def of(cls, text: str, measure: str, with_labels: bool) -> Objective:
        """An objective from ``alc``, ``final`` or ``labels@0.9`` and the name of a measure.

        Raises:
            InputError: it is none of them.
        """
        by, at, target = text.strip().lower().partition("@")
        if by not in ("alc", "final", "labels") or (by == "labels") != bool(at):
            raise unknown("objective", text, ("alc", "final", "labels@ACCURACY"))
        if at and not re.fullmatch(r"0*\.\d*[1-9]\d*|0*1(\.0*)?", target):
            raise InputError(f"objective {text}: '{target}' is no accuracy above 0 and up to 1, as of labels@0.9")
        name, at, threshold = measure.strip().lower().partition("@")
        if at and re.fullmatch(r"\d*\.?\d+", threshold):
            threshold = f"{float(threshold):g}"
        return cls(name + at + threshold, with_labels, by, float(target) if target else None)

    @property
    def direction(self) -> str:
        """``maximize`` or ``minimize``."""
        return "minimize" if self.by == "labels" or self.measure in LOWER else "maximize"

    def __str__(self) -> str:
        labels = ", labels counted in" if self.with_labels else ""
        words = {"alc": "ALC of ", "final": "final ", "labels": "share of labels needed for "}
        return f"{words[self.by]}{self.measure}{f' {self.target:g}' if self.target else ''}{labels}"

    def values(self, records: Sequence[CycleRecord]) -> list[float]:
        """Of a run, after each of its cycles; NaN as long as nothing could be measured."""
        measured = [(r.fraction, figures(r.evaluation, self.with_labels) if r.evaluation else {}) for r in records]
        points = [(x, found.get(self.measure)) for x, found in measured]
        return [self._value([(x, y) for x, y in points[: n + 1] if y is not None]) for n in range(len(points))]

    def _value(self, points: Sequence[tuple[float, float]]) -> float:
        if not points:
            return math.nan
        if self.by == "alc":
            return alc(*zip(*points, strict=True))
        return points[-1][1] if self.by == "final" else self._needed(points)

    def _needed(self, points: Sequence[tuple[float, float]]) -> float:
        """The labelled fraction at which the target is first reached, between two points by a straight line; else 1."""
        sign, target = (-1 if self.measure in LOWER else 1), self.target or 0.0
        above = [(x, sign * (y - target)) for x, y in points]
        if above[0][1] >= 0:
            return above[0][0]
        crossed = ((x, y, nx, ny) for (x, y), (nx, ny) in pairwise(above) if ny >= 0)
        x, y, next_x, next_y = next(crossed, (1.0, -1.0, 1.0, 0.0))
        return x + (next_x - x) * y / (y - next_y)


def figures(evaluation: Evaluation, with_labels: bool) -> dict[str, float]:
    """Everything that was measured of a pass and is known, by the names of measures."""
    end = "_with_labels" if with_labels else ""
    found: dict[str, Any] = {name: getattr(evaluation, name.replace("-", "_") + end, None) for name in MEASURES}
    found |= {f"ap@{threshold}": value for threshold, value in getattr(evaluation, f"ap_at{end}", {}).items()}
    found |= {name.lower(): value for name, value in getattr(evaluation, f"further{end}").items()}
    return {name: float(value) for name, value in found.items() if value is not None and value >= 0}


def check_measured(objective: Objective, dataset: Dataset, videos: Sequence[str], hook: Any) -> None:
    """Make sure, before anything is run, that the videos have truth, and that there is such a measure.

    Raises:
        InputError: one has none, or nothing measures by that name.
    """
    for name in videos:
        video = dataset.load(name)
        truth = true_poses(video, video.instances.known)
        if truth is None:
            raise InputError(f"video '{name}' has no truth by which trials could be judged: tune on another")
        seen = truth[truth.weight.sum(1) > 0]
        further = hook.vatl_measure(truth=seen, predicted=seen, skeleton=video.skeleton)
        known = _core(objective.with_labels) | {str(n).lower() for figures in further for n in figures}
        if objective.measure not in known:
            raise unknown("measure", objective.measure, known)


def _core(with_labels: bool) -> set[str]:
    """What the core measures so."""
    end, kept = "_with_labels" if with_labels else "", {field.name for field in attrs.fields(Evaluation)}
    names = {name for name in MEASURES if name.replace("-", "_") + end in kept}
    return names | ({f"ap@{threshold}" for threshold in THRESHOLDS} if f"ap_at{end}" in kept else set())
