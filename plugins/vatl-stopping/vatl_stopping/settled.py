"""Stopping without any label: when the video's mean temporal heatmap continuity has settled."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import attrs
from attrs.validators import ge

from vatl_core.contracts import Stopping
from vatl_core.records import History


@attrs.frozen
class Settled(Stopping):
    """Stops when the mean THC fell by less than ``tolerance`` of its first value in each of the last cycles.

    Attributes:
        patience: how many cycles in a row it must have settled.
        tolerance: what still counts as a fall, as a fraction of the first cycle's mean.
    """

    watches: ClassVar[tuple[str, ...]] = ("thc",)

    patience: int = attrs.field(default=2, validator=ge(1))
    tolerance: float = attrs.field(default=0.02, validator=ge(0))

    def decide(self, history: History) -> str | None:
        """The falls of the mean from cycle to cycle."""
        means = [record.mean_scores["thc"] for record in history.cycles]
        falls = [before - after for before, after in pairwise(means)][-self.patience :]
        if len(falls) < self.patience or not all(fall < self.tolerance * means[0] for fall in falls):
            return None
        return f"mean THC fell by less than {self.tolerance:.0%} of {means[0]:.3g} in each of {self.patience} cycles"
