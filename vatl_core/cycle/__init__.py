"""The cycle of active transfer learning, a verb a module."""

from __future__ import annotations

from vatl_core.cycle.asking import Asked
from vatl_core.cycle.combining import normalised, query_score
from vatl_core.cycle.cycle import Run
from vatl_core.cycle.querying import amounts
from vatl_core.cycle.standing import Standing
from vatl_core.cycle.step import Cycle

__all__ = ["Asked", "Cycle", "Run", "Standing", "amounts", "normalised", "query_score"]
