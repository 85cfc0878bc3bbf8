"""Retraining policies that do not go on from the last cycle's weights (Taketsugu & Ukita, WACV 2024; method §5)."""

from __future__ import annotations

import attrs
import torch
from attrs.validators import ge, in_
from torch import Tensor

from vatl_core.contracts import Estimator, Labelled, Recipe, Trainer
from vatl_core.records import History
from vatl_core.seeds import seeded
from vatl_retraining.policies import Continual, mean_oks


@attrs.frozen
class FromSource(Continual):
    """Starts again from the run's source weights in every retraining, on the same instances as ``continual``.

    Attributes:
        base: epochs = int(base·labelled fraction + α·(1 − m)); the fraction counts the query just labelled.
        schedule: ``cycle``: an optimiser cannot go on where the weights do not.
    """

    base: float = attrs.field(default=25.0, validator=ge(0))
    schedule: str = attrs.field(default="cycle", validator=in_(("cycle",)))

    def epochs(self, history: History) -> int:
        """int(base·labelled fraction + α·(1 − m))."""
        present = history.present
        return int(self.base * present.labelled_after / present.instances + self.alpha * (1 - mean_oks(present)))

    def begin(self, estimator: Estimator, source: dict[str, Tensor], labelled: Labelled, trainer: Trainer) -> None:
        """Give it the source weights."""
        estimator.load_state_dict(source)


@attrs.frozen
class FromScratch(FromSource):
    """Starts from new random weights in every retraining.

    The text leaves the epochs open, and the published ones only refine; so the recipe is the one for estimators that
    know nothing, on everything labelled, its epochs the same whatever the query's OKS: nothing is carried over that m
    could speak of. The published code learns as ``from-source`` does, from the same instances.

    Attributes:
        scratch_recipe: ``own``, or as the ``published`` code does it.
        scratch_epochs: epochs of each retraining; more than other policies' since none goes on from the last.
    """

    scratch_epochs: int = attrs.field(default=140, validator=ge(0))

    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """Everything, or what ``from-source`` takes."""
        return labelled if self.scratch_recipe == "own" else super().choose(labelled, history)

    def recipe(self, history: History) -> Recipe:
        """Of an estimator that knows nothing, whatever the run began with."""
        return super().recipe(attrs.evolve(history, random_source=True))

    def begin(self, estimator: Estimator, source: dict[str, Tensor], labelled: Labelled, trainer: Trainer) -> None:
        """Give it random weights, which depend on the run's seed and the cycle alone."""
        seed = int(torch.randint(2**62, (1,), generator=trainer.generator))
        with seeded(seed, "weights"):
            estimator.build(labelled.skeleton)
        trainer.compute.place(estimator)
