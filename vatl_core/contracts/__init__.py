"""What each kind of component must do: abstract classes, and the columns that they are handed.

Every component is an attrs class. Its fields, with their defaults and validators, are its options: from TOML, from
the command line, shown by ``vatl plugins show``. What a method is handed never leads to the truth of an instance
that the oracle has not labelled.
"""

from __future__ import annotations

from vatl_core.contracts.criterion import Criterion, Network, Panel, Poses, Window
from vatl_core.contracts.dataset import Dataset
from vatl_core.contracts.estimator import Estimator, Maps, Normalisation
from vatl_core.contracts.execution import Executor
from vatl_core.contracts.labelling import Answer, Enough, Labels, Oracle, Redrawn, Refusal, Request

from vatl_core.contracts.learning import (  # isort: skip
    Augmentation, Labelled, Pictures, Recipe, Retraining, Stopping, Term, Trainer, Unlabelled,
)  # fmt: skip
from vatl_core.contracts.refinement import Refined, Refinement, Tracks
from vatl_core.contracts.selector import Pool, Selector
from vatl_core.outcomes import Outcome, attempt, attempt_elsewhere

CONTRACTS: dict[str, type] = {
    kind.__name__.lower(): kind
    for kind in (Estimator, Dataset, Criterion, Selector, Retraining, Refinement, Stopping, Oracle, Executor)
}
"""The class that every component of a kind derives from."""

__all__ = [
    "CONTRACTS", "Answer", "Augmentation", "Criterion", "Dataset", "Enough", "Estimator", "Executor", "Labelled",
    "Labels", "Maps", "Network", "Normalisation", "Oracle", "Outcome", "Panel", "Pictures", "Pool", "Poses", "Recipe",
    "Redrawn", "Refined", "Refinement", "Refusal", "Request", "Retraining", "Selector", "Stopping", "Term", "Tracks",
    "Trainer", "Unlabelled", "Window", "attempt", "attempt_elsewhere",
]  # fmt: skip
