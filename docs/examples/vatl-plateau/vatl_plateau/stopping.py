"""Stopping when queried poses no longer get better."""

from __future__ import annotations

from typing import ClassVar

import attrs
from attrs.validators import ge
from vatl_core import History, Stopping


@attrs.frozen
class Plateau(Stopping):
    """Stops when the best mean OKS of the last queries is hardly above that of the queries before them.

    Attributes:
        patience: how many queries may pass without a rise.
        rise: of the mean OKS, that counts as one.
    """

    retrains: ClassVar[bool] = True  # the last labels are there: learn from them
    patience: int = attrs.field(default=3, validator=ge(1))
    rise: float = attrs.field(default=0.01, validator=ge(0))

    def decide(self, history: History) -> str | None:
        """The two figures, where they are no further apart than ``rise``."""
        means = [mean for cycle in history.cycles if (mean := cycle.query_mean_oks) is not None]
        before, lately = means[: -self.patience], means[-self.patience :]
        if not before or max(lately) > max(before) + self.rise:
            return None
        return f"mean OKS {max(lately):.3f} in the last {self.patience} queries, {max(before):.3f} before"
