"""What each kind of component must do: abstract classes, and the columns that they are handed.

Every component is an attrs class. Its fields, with their defaults and validators, are its options: from TOML, from
the command line, shown by ``vatl plugins show``. What a method is handed never leads to the truth of an instance
that the oracle has not labelled.
"""

from __future__ import annotations

from vatl_core.compatibility import VERSION
from vatl_core.contracts.criterion import Criterion, Panel, Poses, PreTraining, Window
from vatl_core.contracts.dataset import Dataset
from vatl_core.contracts.estimator import Download, Estimator, Normalisation, Origin, Trunk
from vatl_core.contracts.execution import Executor
from vatl_core.contracts.labelling import Answer, Enough, Labels, Oracle, Redrawn, Refusal, Request
from vatl_core.contracts.learning import Retraining, Stopping
from vatl_core.contracts.selector import Pool, Selector
from vatl_core.video import Instances

CONTRACTS: dict[str, type] = {
    "estimator": Estimator,
    "dataset": Dataset,
    "criterion": Criterion,
    "selector": Selector,
    "retraining": Retraining,
    "stopping": Stopping,
    "oracle": Oracle,
    "executor": Executor,
}
"""The class that every component of a kind derives from."""

__all__ = [
    "CONTRACTS", "VERSION", "Answer", "Criterion", "Dataset", "Download", "Enough", "Estimator", "Executor",
    "Instances", "Labels", "Normalisation", "Oracle", "Origin", "Panel", "Pool", "Poses", "PreTraining", "Redrawn",
    "Refusal", "Request", "Retraining", "Selector", "Stopping", "Trunk", "Window",
]  # fmt: skip
