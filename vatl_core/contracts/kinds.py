"""The class that every component of a kind derives from."""

from __future__ import annotations

from vatl_core.contracts.criterion import Criterion
from vatl_core.contracts.dataset import Dataset
from vatl_core.contracts.estimator import Estimator
from vatl_core.contracts.execution import Executor
from vatl_core.contracts.labelling import Oracle
from vatl_core.contracts.learning import Retraining, Stopping
from vatl_core.contracts.refinement import Refinement
from vatl_core.contracts.selector import Selector

CONTRACTS: dict[str, type] = {
    "estimator": Estimator,
    "dataset": Dataset,
    "criterion": Criterion,
    "selector": Selector,
    "retraining": Retraining,
    "refinement": Refinement,
    "stopping": Stopping,
    "oracle": Oracle,
    "executor": Executor,
}
"""The class that every component of a kind derives from."""
