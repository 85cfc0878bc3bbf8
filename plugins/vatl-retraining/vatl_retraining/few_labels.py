"""Retraining while labels are few: many steps, light changes, everything labelled."""

from __future__ import annotations

import math
from typing import Final

import attrs
from attrs.validators import ge, gt, in_
from torch import Tensor

from vatl_augmentation import LEVELS, fitting_level
from vatl_core.contracts import Augmentation, Estimator, Labelled, Recipe, Retraining, Trainer, Unlabelled
from vatl_core.records import History

AUTO: Final = "auto"


@attrs.frozen
class FewLabels(Retraining):
    """Goes on from the last cycle's weights, on everything labelled, for as many steps as little data needs.

    Epochs of few labels are few steps: 20 labels in batches of 16 make 80 steps of 40 epochs, and a network that comes
    from elsewhere has hardly begun then. Here steps are counted. In each retraining the learning rate of every part
    rises and falls once (Smith & Topin, 2018), so that it ends at rest, whatever it began with.

    Attributes:
        steps: of each retraining, at least.
        last_factor: how many times as many steps the run's last has: no query waits for it, and its weights are kept.
        epochs: of each retraining, at least: with many labels they take more than ``steps``.
        lr: learning rate at its highest, of every part.
        weight_decay: of AdamW.
        batch: instances to a step at the most.
        augmentation: ``none``, ``mild``, ``strong`` (as published), ``any``, every rotation, or ``auto``: ``any`` where
            the labelled poses are turned every way, as seen from above, otherwise ``mild``.
        start: ``last`` cycle's weights, or the ``source`` weights of the run.
    """

    steps: int = attrs.field(default=320, validator=ge(1))
    last_factor: float = attrs.field(default=2.5, validator=ge(1))
    epochs: int = attrs.field(default=20, validator=ge(0))
    lr: float = attrs.field(default=2e-3, validator=gt(0))
    weight_decay: float = attrs.field(default=0.01, validator=ge(0))
    batch: int = attrs.field(default=16, validator=ge(1))
    augmentation: str = attrs.field(default=AUTO, validator=in_((*LEVELS, AUTO)))
    start: str = attrs.field(default="last", validator=in_(("last", "source")))

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit the last weights, or those of the source."""
        if self.start == "source":
            estimator.load_state_dict(source)
        shown = labelled.where(labelled.visible.any(1))
        trainer.fit(estimator, shown, self.recipe(shown, self.last_factor if history.ends else 1.0))
        return estimator

    def recipe(self, shown: Labelled, factor: float = 1.0) -> Recipe:
        """How to fit to these in ``factor`` times as many steps as usual, or in as many as the epochs take."""
        count = len(shown)
        epochs = max(self.epochs, math.ceil(self.steps * factor / max(1, math.ceil(count / self.batch))))
        return Recipe(
            epochs,
            self.lr,
            self.weight_decay,
            one_cycle=True,
            alike=True,
            batch=self.batch,
            augmentation=level(self.augmentation, shown),
            subpixel=True,
        )


def level(name: str, shown: Labelled) -> Augmentation | None:
    """The changes of that name, or those that fit what is labelled."""
    return LEVELS[fitting_level(shown.keypoints, shown.visible) if name == AUTO else name]
