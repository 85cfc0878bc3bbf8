"""Retraining that goes on, after the labels, with what the network itself makes of the rest of the video."""

from __future__ import annotations

import copy
import math
from typing import Final

import attrs
import torch
from attrs.validators import ge, gt, in_, le, lt
from torch import Tensor

from vatl_augmentation import LEVELS
from vatl_core.contracts import Estimator, Labelled, Recipe, Trainer, Unlabelled
from vatl_core.metrics import measured_oks
from vatl_core.records import History
from vatl_core.video import boxes_around
from vatl_retraining.few_labels import FewLabels
from vatl_retraining.looking import poses
from vatl_retraining.teaching import MeanTeacher
from vatl_retraining.trust import trusted

CHANGES: Final = {level: changes for level, changes in LEVELS.items() if changes}
"""Of the crops of what the teacher teaches: without any the student would learn what it knows."""
FEWEST: Final = 3
"""Labels that must be held back for a rehearsal to tell anything."""
POOL: Final = 8
"""How often the teacher comes back to what it was picked to teach, about: so much is looked at once, before."""


@attrs.frozen
class Semi(FewLabels):
    """First everything that ``few-labels`` does; then a while longer, on labels and on a mean teacher's poses.

    The teacher is the average of the network's own weights over the steps (Tarvainen & Valpola, NeurIPS 2017). It looks
    at plain crops of unlabelled instances, the network at changed ones. Its poses weigh by how high its maxima are
    against those at labels, and by how well they agreed with their neighbours in time after the labels were learnt.

    Self-training can confirm mistakes. So it is rehearsed: a copy of the network of before learns from some of the
    labels, then goes on with the teacher; where labels that were held back do not get better by that, what
    ``few-labels`` gave stays, to the bit.

    Attributes:
        further: steps with the teacher, a share of those on labels alone.
        share: what the teacher's part of the loss is multiplied by.
        decay: α of the teacher's average, to each step.
        changes: of the crops that the network sees of what the teacher teaches: ``mild``, ``strong`` or ``any``.
        sure: a maximum lower than this share of the usual one at labels teaches nothing.
        steadiness: how far a keypoint may be from the middle between its neighbours in time to be believed, a share of
            the diagonal of the box; 0 asks for no agreement.
        rehearsal: steps of the rehearsal, a share of those that follow; 0 goes on with the teacher without one.
        held_back: share of the labels that a rehearsal is judged by, of the last query where it has as many.
    """

    further: float = attrs.field(default=0.5, validator=ge(0))
    share: float = attrs.field(default=1.0, validator=ge(0))
    decay: float = attrs.field(default=0.97, validator=[ge(0), lt(1)])
    changes: str = attrs.field(default="mild", validator=in_(tuple(CHANGES)))
    sure: float = attrs.field(default=0.8, validator=[ge(0), le(1)])
    steadiness: float = attrs.field(default=0.05, validator=ge(0))
    rehearsal: float = attrs.field(default=0.25, validator=[ge(0), le(1)])
    held_back: float = attrs.field(default=0.25, validator=[gt(0), lt(1)])

    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """Fit to the labels, and go on where a rehearsal promises something of it."""
        if self.start == "source":
            estimator.load_state_dict(source)
        before = copy.deepcopy(estimator)
        super().retrain(estimator, source, labelled, unlabelled, history, trainer)
        shown = labelled.where(labelled.visible.any(1))
        if self.further and len(shown) and len(unlabelled) and self._pays(before, shown, unlabelled, trainer):
            self._go_on(estimator, shown, unlabelled, trainer, 1.0)
        return estimator

    def _pays(self, network: Estimator, shown: Labelled, unlabelled: Unlabelled, trainer: Trainer) -> bool:
        """Whether held-back labels get better by the teacher; ``network`` is used up."""
        if not self.rehearsal:
            return True
        exam = self._exam(shown.queried, trainer.generator)
        if exam.sum() < FEWEST:
            return False
        lesson, asked = shown.where(~exam), shown.where(exam)
        trainer.fit(network, lesson, self._part(lesson, self.rehearsal))
        before = _mean_oks(network, asked, trainer)
        self._go_on(network, lesson, unlabelled, trainer, self.rehearsal)
        return _mean_oks(network, asked, trainer) > before

    def _exam(self, queried: Tensor, generator: torch.Generator) -> Tensor:
        """(M,) bool, which are held back; of the last query first, since the network has not learnt those yet."""
        chance = torch.rand(len(queried), generator=generator).to(queried.device) + queried
        chosen = chance.topk(min(len(queried) - 1, math.ceil(self.held_back * len(queried)))).indices
        return torch.zeros_like(queried).index_fill(0, chosen, True)

    def _go_on(
        self, network: Estimator, labels: Labelled, unlabelled: Unlabelled, trainer: Trainer, part: float
    ) -> None:
        """Fit to labels and teacher, for a part of the further steps."""
        recipe, batch = self._part(labels, part * self.further), min(self.batch, len(labels))
        pool = self._pool(unlabelled, recipe.epochs * len(labels), trainer.generator)
        teacher = MeanTeacher(
            network,
            trusted(network, labels, pool, trainer.compute, self.steadiness, self.sure),
            pool.pictures,
            CHANGES[self.changes],
            trainer.compute,
            trainer.generator,
            batch,
            self.decay,
            self.share,
        )
        trainer.fit(network, labels, recipe, [teacher])

    def _pool(self, unlabelled: Unlabelled, crops: int, generator: torch.Generator) -> Unlabelled:
        """Enough to fill as many ``crops``, with their neighbours in time: passes over a long video would take long."""
        count = math.ceil(crops / POOL)
        few = torch.randperm(len(unlabelled), generator=generator)[:count].to(unlabelled.index.device)
        links = torch.stack([unlabelled.index, unlabelled.previous, unlabelled.next])[:, few]
        return unlabelled.where(torch.isin(unlabelled.index, links))

    def _part(self, labels: Labelled, part: float) -> Recipe:
        """The recipe for these labels, but only a part of its epochs."""
        recipe = self.recipe(labels)
        return attrs.evolve(recipe, epochs=max(1, round(part * recipe.epochs)))


def _mean_oks(network: Estimator, labels: Labelled, trainer: Trainer) -> float:
    """How right the network is about labels."""
    found, _ = poses(network, labels.pictures, labels.index, trainer.compute)
    boxes = boxes_around(labels.keypoints, labels.visible)
    sigmas = labels.skeleton.sigmas
    return float(measured_oks(found, labels.keypoints, labels.visible, boxes, sigmas).nanmean())
