"""Retraining policies (Taketsugu & Ukita, WACV 2024, §3.4; method §5)."""

from __future__ import annotations

from abc import abstractmethod

import attrs
import torch
from attrs.validators import ge, gt, in_, le, lt
from torch import Tensor

from vatl_augmentation import CropAugmentation
from vatl_core.contracts import Augmentation, Estimator, Labelled, Recipe, Retraining, Trainer, Unlabelled
from vatl_core.records import CycleRecord, History
from vatl_core.seeds import seeded


@attrs.frozen
class Policy(Retraining):
    """What the policies share: the published hyper-parameters, and a recipe for estimators that know nothing yet.

    The published recipe refines an estimator that was trained elsewhere. One that began with random weights hardly
    moves under it; such a one learns at ``scratch_lr`` in every part, rising and falling once in each retraining.

    Attributes:
        alpha: α; epochs = int(α·(1 − m)), m the mean OKS of the query just labelled, before retraining, over the labels
            in which anything is visible; only these are learnt from. Where there is none m is 0, without a query 1.
        lr: learning rate of the backbone; upsampling and head have 5 and 10 times as much.
        weight_decay: of AdamW.
        decay: factor on the learning rates after each epoch.
        batch: instances to a step at the most.
        rotation: degrees, standard deviation of the training crops' rotation, clipped at twice it.
        rotated: share of the crops that are rotated.
        scale: relative deviation of the crops' scale, clipped at once it.
        flip: share of the crops that are mirrored.
        half_body: share of the crops that are laid around half of the body; the published recipe has none.
        schedule: ``cycle`` begins each retraining with a new optimiser and the full rates; ``run`` goes on with the
            last one's moments and lets the rates fall over the whole run; those of a network that began with random
            weights rise and fall in each retraining all the same.
        scratch_lr: learning rate at its highest of an estimator that began with random weights.
        scratch_epochs: epochs of each retraining of such an estimator.
        scratch_batch: its instances to a step at the most.
        scratch_decay: its weight decay.
    """

    alpha: float = attrs.field(default=250.0, validator=ge(0))
    lr: float = attrs.field(default=2.5e-4, validator=gt(0))
    weight_decay: float = attrs.field(default=0.7, validator=ge(0))
    decay: float = attrs.field(default=0.99, validator=[gt(0), le(1)])
    batch: int = attrs.field(default=120, validator=ge(1))
    rotation: float = attrs.field(default=40.0, validator=ge(0))
    rotated: float = attrs.field(default=0.6, validator=[ge(0), le(1)])
    scale: float = attrs.field(default=0.3, validator=[ge(0), lt(1)])
    flip: float = attrs.field(default=0.5, validator=[ge(0), le(1)])
    half_body: float = attrs.field(default=0.0, validator=[ge(0), le(1)])
    schedule: str = attrs.field(default="cycle", validator=in_(("cycle", "run")))
    scratch_lr: float = attrs.field(default=2e-3, validator=gt(0))
    scratch_epochs: int = attrs.field(default=40, validator=ge(0))
    scratch_batch: int = attrs.field(default=16, validator=ge(1))
    scratch_decay: float = attrs.field(default=0.01, validator=ge(0))

    @abstractmethod
    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """The labelled instances to learn from."""

    def epochs(self, history: History) -> int:
        """int(α·(1 − m))."""
        return int(self.alpha * (1 - _mean_oks(history.present)))

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit the present weights further."""
        shown = labelled.where(labelled.visible.any(1))
        trainer.fit(estimator, self.choose(shown, history), self.recipe(history))
        return estimator

    def recipe(self, history: History) -> Recipe:
        """How to fit, given where the weights came from."""
        return self.learning() if history.random_source else self.refining(self.epochs(history))

    def refining(self, epochs: int) -> Recipe:
        """The published recipe, for an estimator that was trained elsewhere."""
        return Recipe(
            epochs,
            self.lr,
            self.weight_decay,
            self.decay,
            batch=self.batch,
            augmentation=self.augmentation,
            keeps_state=self.keeps_state,
        )

    def learning(self) -> Recipe:
        """The recipe for an estimator that began with random weights."""
        return Recipe(
            self.scratch_epochs,
            self.scratch_lr,
            self.scratch_decay,
            one_cycle=True,
            alike=True,
            batch=self.scratch_batch,
            augmentation=self.augmentation,
            keeps_state=self.keeps_state,
        )

    @property
    def keeps_state(self) -> bool:
        """Whether a retraining goes on with the last one's optimiser."""
        return self.schedule == "run"

    @property
    def augmentation(self) -> Augmentation:
        """Of the training crops."""
        return CropAugmentation(self.rotation, self.rotated, self.scale, self.flip, self.half_body)


def _mean_oks(record: CycleRecord) -> float:
    """m of a cycle."""
    mean = record.query_mean_oks
    return mean if mean is not None else float(not record.query)


@attrs.frozen
class Continual(Policy):
    """Goes on from the last cycle's weights, on the query and on those labelled whose present OKS ≤ τ + slack.

    Attributes:
        slack: how far above τ, the run's ``threshold``, a labelled instance is still learnt from.
    """

    slack: float = attrs.field(default=0.05, validator=ge(0))

    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """The query, and what is not yet safely correct."""
        return labelled.where(labelled.queried | (labelled.oks <= history.threshold + self.slack))


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
        return int(self.base * present.labelled_after / present.instances + self.alpha * (1 - _mean_oks(present)))

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit the source weights."""
        estimator.load_state_dict(source)
        return super().retrain(estimator, source, labelled, unlabelled, history, trainer)


@attrs.frozen
class Full(Policy):
    """Goes on from the last cycle's weights, on everything labelled."""

    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """Everything."""
        return labelled


@attrs.frozen
class FromScratch(Full):
    """Starts from new random weights in every retraining, on everything labelled.

    The method leaves the epochs open. The published ones only refine; so the recipe is always the one for estimators
    that know nothing, its epochs the same whatever the query's OKS: nothing is carried over that m could speak of.

    Attributes:
        scratch_epochs: epochs of each retraining; more than other policies' since none goes on from the last.
        schedule: ``cycle``: an optimiser cannot go on where the weights do not.
    """

    scratch_epochs: int = attrs.field(default=140, validator=ge(0))
    schedule: str = attrs.field(default="cycle", validator=in_(("cycle",)))

    def recipe(self, history: History) -> Recipe:
        """That for an estimator that knows nothing."""
        return self.learning()

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit random weights, which depend on the run's seed and the cycle alone."""
        seed = int(torch.randint(2**62, (1,), generator=trainer.generator))
        with seeded(seed, "weights"):
            estimator.build(labelled.skeleton)
        trainer.compute.place(estimator)
        return super().retrain(estimator, source, labelled, unlabelled, history, trainer)


@attrs.frozen
class Never(Retraining):
    """Keeps the estimator as it is."""

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """The same estimator."""
        return estimator
