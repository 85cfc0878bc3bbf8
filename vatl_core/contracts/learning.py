"""How the estimator learns from what was labelled, and when to stop asking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from vatl_core.contracts.estimator import Estimator
from vatl_core.contracts.training import Labelled, Trainer, Unlabelled
from vatl_core.records import History


class Retraining(ABC):
    """How the estimator learns from what has been labelled."""

    @abstractmethod
    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """The estimator for the next cycle.

        Args:
            estimator: with the present weights; may be changed in place.
            source: the weights the run began with.
            labelled: everything the oracle has labelled, the last query marked.
            unlabelled: everything else, as it is estimated at present.
            history: the cycles so far, the present one last.
            trainer: fits an estimator to instances; seeded, shows progress, knows device and precision.
        """


class Stopping(ABC):
    """When to stop asking."""

    watches: ClassVar[tuple[str, ...]] = ()
    """Criteria whose mean over the video :meth:`decide` reads; they are computed in every cycle."""
    retrains: ClassVar[bool] = False
    """Whether the last labels are still used for a retraining when this one fires."""

    @abstractmethod
    def decide(self, history: History) -> str | None:
        """Why to stop, in a line, or None to go on. Asked in each cycle after labelling, before retraining."""

    def allowance(self, history: History) -> int | None:
        """How many labels may still be asked for; None for any number."""
        return None
