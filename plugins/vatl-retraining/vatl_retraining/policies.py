"""Retraining policies (Taketsugu & Ukita, WACV 2024, §3.4; method §5)."""

from __future__ import annotations

from abc import abstractmethod

import attrs
from attrs.validators import ge, gt, in_, le, lt
from torch import Tensor

from vatl_augmentation import CropAugmentation
from vatl_core.contracts import Augmentation, Estimator, Labelled, Recipe, Retraining, Trainer, Unlabelled
from vatl_core.records import CycleRecord, History


@attrs.frozen
class Policy(Retraining):
    """What the policies share: the published hyper-parameters, and a recipe for estimators that know nothing yet.

    The published recipe refines an estimator that was trained elsewhere. One that began with random weights hardly
    moves under it; such a one learns at ``scratch_lr`` in every part, rising and falling once in each retraining,
    unless ``scratch_recipe`` says otherwise.

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
        scratch_recipe: what an estimator that began with random weights learns by: a recipe of its ``own``, which is
            what the options below are of, or the ``published`` one, like any other.
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
    scratch_recipe: str = attrs.field(default="own", validator=in_(("own", "published")))
    scratch_lr: float = attrs.field(default=2e-3, validator=gt(0))
    scratch_epochs: int = attrs.field(default=40, validator=ge(0))
    scratch_batch: int = attrs.field(default=16, validator=ge(1))
    scratch_decay: float = attrs.field(default=0.01, validator=ge(0))

    @abstractmethod
    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """The labelled instances to learn from."""

    def epochs(self, history: History) -> int:
        """int(α·(1 − m))."""
        return int(self.alpha * (1 - mean_oks(history.present)))

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit the weights that it begins with."""
        self.begin(estimator, source, labelled, trainer)
        shown = labelled.where(labelled.visible.any(1))
        trainer.fit(estimator, self.choose(shown, history), self.recipe(history))
        return estimator

    def begin(self, estimator: Estimator, source: dict[str, Tensor], labelled: Labelled, trainer: Trainer) -> None:
        """Give the estimator the weights to begin with: the present ones, as long as a policy says nothing else."""

    def recipe(self, history: History) -> Recipe:
        """How to fit, given where the weights came from."""
        own = history.random_source and self.scratch_recipe == "own"
        return self.learning() if own else self.refining(self.epochs(history))

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


def mean_oks(record: CycleRecord) -> float:
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
class Full(Policy):
    """Goes on from the last cycle's weights, on everything labelled."""

    def choose(self, labelled: Labelled, history: History) -> Labelled:
        """Everything."""
        return labelled


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
