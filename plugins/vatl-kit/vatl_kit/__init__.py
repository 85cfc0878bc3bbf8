"""What a component promises, as tests: for plugins of one's own, in three lines.

::

    from vatl_kit import CriterionContract

    class TestSpread(CriterionContract):
        component = Spread(power=2)

pytest then checks each promise by itself. :func:`check` does the same in one call. The tests of vatl's own
components are these.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_kit.broken import BrokenContract
    from vatl_kit.checking import CONTRACT_TESTS, check
    from vatl_kit.criteria import CriterionContract
    from vatl_kit.data_sets import DatasetContract
    from vatl_kit.estimators import EstimatorContract
    from vatl_kit.executors import ExecutorContract
    from vatl_kit.oracles import OracleContract
    from vatl_kit.refinements import RefinementContract
    from vatl_kit.retraining import RetrainingContract
    from vatl_kit.selectors import SelectorContract
    from vatl_kit.stopping import StoppingContract

_HOME = {
    "BrokenContract": "broken",
    "CONTRACT_TESTS": "checking",
    "CriterionContract": "criteria",
    "DatasetContract": "data_sets",
    "EstimatorContract": "estimators",
    "ExecutorContract": "executors",
    "OracleContract": "oracles",
    "RefinementContract": "refinements",
    "RetrainingContract": "retraining",
    "SelectorContract": "selectors",
    "StoppingContract": "stopping",
    "check": "checking",
}

__all__ = [
    "CONTRACT_TESTS", "BrokenContract", "CriterionContract", "DatasetContract", "EstimatorContract",
    "ExecutorContract", "OracleContract", "RefinementContract", "RetrainingContract", "SelectorContract",
    "StoppingContract", "check",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vatl_kit' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vatl_kit.{_HOME[name]}"), name)
