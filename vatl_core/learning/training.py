"""Fitting an estimator to labelled instances, with augmentation on the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator
from vatl_core.estimation import Crops, JoinedCrops
from vatl_core.learning.augmentation import Augmentation, around_halves, mirror
from vatl_core.learning.team import Team
from vatl_core.progress import Progress, silent
from vatl_core.seeds import seed_of
from vatl_core.video import Skeleton, compose, gaussian_targets, invert, transform, warp

MARGIN = 1.5
"""How much more than the crop is kept for augmentation: rotation and scaling then rarely meet its edge."""


@attrs.frozen
class Labelled:
    """M labelled instances, to learn from.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels of the frame.
        visible: (M, K) bool.
        oks: (M,) of the present estimates against the labels; NaN where nothing of a label is visible.
        queried: (M,) bool, whether the label is from the query just answered.
        pictures: the video's crops, with a margin.
    """

    index: Tensor
    keypoints: Tensor
    visible: Tensor
    oks: Tensor
    queried: Tensor
    pictures: Crops | JoinedCrops

    def __len__(self) -> int:
        return len(self.index)

    def where(self, mask: Tensor) -> Labelled:
        """Those for which the mask (M,) is true."""
        return attrs.evolve(
            self,
            index=self.index[mask],
            keypoints=self.keypoints[mask],
            visible=self.visible[mask],
            oks=self.oks[mask],
            queried=self.queried[mask],
        )

    @property
    def skeleton(self) -> Skeleton:
        """What the poses are made of."""
        return self.pictures.skeleton


@attrs.frozen
class Recipe:
    """How to fit: the optimiser's settings and the augmentation.

    Attributes:
        epochs: passes over the instances.
        lr: learning rate of the backbone; an estimator gives its other parts multiples of it.
        weight_decay: of AdamW, or the share of the weights that Adam adds to their gradients.
        decay: factor on the learning rates after each epoch.
        milestones: epochs after which the learning rates fall to a tenth.
        one_cycle: rather than that, let the rates rise from 1/25 over the first 30 % of the steps and fall to nothing
            (Smith & Topin, 2018).
        alike: every part learns at ``lr``, as when training from scratch.
        batch: instances to a step at the most.
        augmentation: None to train on plain crops.
        optimiser: ``adamw`` or ``adam``.
    """

    epochs: int
    lr: float = 2.5e-4
    weight_decay: float = 0.7
    decay: float = 0.99
    milestones: tuple[int, ...] = ()
    one_cycle: bool = False
    alike: bool = False
    batch: int = 120
    augmentation: Augmentation | None = attrs.field(factory=Augmentation)
    optimiser: str = attrs.field(default="adamw", validator=attrs.validators.in_(("adamw", "adam")))

    def make_optimiser(self, estimator: Estimator) -> torch.optim.Optimizer:
        """Of the estimator's parameter groups."""
        groups = [{"params": list(estimator.parameters())}] if self.alike else estimator.parameter_groups(self.lr)
        kind = torch.optim.AdamW if self.optimiser == "adamw" else torch.optim.Adam
        return kind(groups, lr=self.lr, weight_decay=self.weight_decay)

    def steps(self, count: int) -> int:
        """Batches to an epoch of ``count`` instances."""
        return math.ceil(count / self.batch)

    def factor(self, step: int, steps: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0, of ``steps`` an epoch."""
        if self.one_cycle:
            return _one_cycle(step / max(1, self.epochs * steps))
        epoch = step // steps
        return self.decay**epoch * 0.1 ** sum(epoch >= milestone for milestone in self.milestones)


def _one_cycle(done: float, rise: float = 0.3, start: float = 0.04) -> float:
    """Cosine up from ``start`` to 1 over the share ``rise``, then cosine down to 0."""
    if done < rise:
        return start + (1 - start) * (1 - math.cos(math.pi * done / rise)) / 2
    return (1 + math.cos(math.pi * min(1.0, (done - rise) / (1 - rise)))) / 2


@attrs.define
class Trainer:
    """Fits estimators on one device.

    Attributes:
        compute: device and precision.
        generator: on the CPU; every random choice of the fitting comes from it.
        progress: told after each epoch.
        team: the processes that fit together, all with the same generator.
    """

    compute: Compute
    generator: torch.Generator
    progress: Progress = silent
    team: Team = attrs.field(factory=Team)

    def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe) -> float:
        """Fit ``estimator`` in place; return the last epoch's mean loss (NaN if there was nothing to do).

        The loss is half the mean squared error between heatmaps and targets of weighted keypoints.
        """
        fitting = self.begin(estimator, labelled, recipe)
        loss = math.nan
        for epoch in range(recipe.epochs if len(labelled) else 0):
            loss = fitting.epoch()
            self.progress("retrain", epoch + 1, recipe.epochs)
        estimator.eval()
        return loss

    def begin(self, estimator: Estimator, labelled: Labelled, recipe: Recipe) -> Fitting:
        """What :meth:`fit` does, to be done epoch by epoch."""
        optimiser = recipe.make_optimiser(estimator)
        seed = int(torch.randint(2**62, (1,), generator=self.generator))
        labelled.pictures.fill(labelled.index)
        return Fitting(
            self, estimator, labelled, recipe, optimiser, seed, self.team.wrap(estimator, self.compute.device)
        )


@attrs.define(eq=False)
class Fitting:
    """An estimator being fitted: what :meth:`state` keeps, :meth:`restore` goes on from to the same result.

    Attributes:
        trainer, estimator, labelled, recipe: what :meth:`Trainer.begin` was given.
        optimiser: of the estimator's parameters.
        seed: of what is random within the network, such as dropout.
        network: what is called for the heatmaps.
        done: epochs so far.
        rates: the learning rates before their factor, one a group of parameters.
    """

    trainer: Trainer
    estimator: Estimator
    labelled: Labelled
    recipe: Recipe
    optimiser: torch.optim.Optimizer
    seed: int
    network: nn.Module
    done: int = 0
    rates: list[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rates = [group["lr"] for group in self.optimiser.param_groups]

    def epoch(self) -> float:
        """Go through the instances once, in random order; return the mean loss."""
        team, generator = self.trainer.team, self.trainer.generator
        self.network.train()
        torch.manual_seed(seed_of(self.seed, self.done, team.rank))
        order = torch.randperm(len(self.labelled), generator=generator)
        parts = order.tensor_split(self.recipe.steps(len(order)))
        total = torch.zeros((), device=self.trainer.compute.device)
        for number, part in enumerate(parts):
            self._set_rates(self.done * len(parts) + number, len(parts))
            loss = self._loss(part)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            total += loss.detach()
        team.agree(self.estimator)
        self.done += 1
        return float(team.sum(total)) / team.size / len(parts)

    def state(self) -> dict[str, Any]:
        """Tensors and numbers to go on from after an interruption."""
        return {
            "done": self.done,
            "estimator": self.estimator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.trainer.generator.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        self.done = state["done"]
        self.estimator.load_state_dict(state["estimator"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.trainer.generator.set_state(state["generator"])

    def _set_rates(self, step: int, steps: int) -> None:
        factor = self.recipe.factor(step, steps)
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _loss(self, part: Tensor) -> Tensor:
        """The loss on this process's share of a batch; the mean over the processes is that of the batch."""
        team, compute = self.trainer.team, self.trainer.compute
        mine = team.share(torch.arange(len(part)))
        crops, targets, weights = self._batch(part, mine)
        with compute.autocast():
            heatmaps = self.network(compute.layout(self.estimator.normalisation(crops)))
        weight = weights[..., None, None]
        loss = 0.5 * torch.nn.functional.mse_loss(heatmaps.float() * weight, targets * weight)
        return loss * (len(mine) * team.size / len(part))

    def _batch(self, part: Tensor, mine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Crops (B, 3, H, W) uint8, targets (B, K, h, w) and weights (B, K) of those at ``mine`` in a batch.

        The changes are drawn for the whole batch, so that they do not depend on how it is shared.
        """
        estimator, labelled, device = self.estimator, self.labelled, self.trainer.compute.device
        size, pictures = estimator.input_size, labelled.pictures
        change, mirrored, half = (drawn[mine].to(device) for drawn in self._draw(len(part)))
        there = part[mine].to(labelled.index.device)
        keypoints, visible = labelled.keypoints[there], labelled.visible[there]
        to_frame = pictures.matrices(labelled.index[there])
        if self.recipe.augmentation and self.recipe.augmentation.half_body:
            plain = compose(_plain(len(mine)).to(device) + _shift(pictures, change), to_frame)
            change = around_halves(change, transform(keypoints, invert(plain)), visible, half, size)
        to_picture = change + _shift(pictures, change)
        crops = warp(pictures.get(labelled.index[there]), to_picture, size)
        keypoints = transform(keypoints, invert(compose(to_picture, to_frame)))
        keypoints, visible = mirror(keypoints, visible, mirrored, labelled.skeleton)
        targets, weights = gaussian_targets(keypoints, visible, estimator.heatmap_size, estimator.stride)
        return crops, targets, weights

    def _draw(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Maps (B, 2, 3) into the plain crops, who is mirrored (B,), and which half is shown (B,)."""
        augmentation, generator = self.recipe.augmentation, self.trainer.generator
        none = torch.zeros(count, dtype=torch.int64)
        if not augmentation:
            return _plain(count), none > 0, none
        change, mirrored = augmentation.draw(count, self.estimator.input_size, generator)
        return change, mirrored, augmentation.draw_halves(count, generator) if augmentation.half_body else none


def _plain(count: int) -> Tensor:
    """The map that changes nothing, (B, 2, 3)."""
    return torch.eye(2, 3).expand(count, 2, 3)


def _shift(pictures: Crops | JoinedCrops, like: Tensor) -> Tensor:
    """What to add to a map into the plain crop to make it one into the picture with its margin, (1, 2, 3)."""
    offset = [(p - s) / 2 for p, s in zip(pictures.picture_size, pictures.size, strict=True)][::-1]
    shift = like.new_zeros(1, 2, 3)
    shift[0, :, 2] = like.new_tensor(offset)
    return shift


__all__ = ["MARGIN", "Augmentation", "Fitting", "Labelled", "Recipe", "Trainer"]
