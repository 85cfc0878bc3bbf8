"""Fitting an estimator to labelled instances, with augmentation on the device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import attrs
import torch
from torch import Tensor, nn

from vatl_core.compute import Compute, onto
from vatl_core.contracts import Estimator, Labelled, Maps, Pictures, Recipe, Term, Trainer
from vatl_core.errors import PluginError
from vatl_core.files import reading
from vatl_core.learning.optimisation import optimiser_of, rate_factor, steps_of
from vatl_core.progress import Progress, silent
from vatl_core.seeds import seeded
from vatl_core.video import Skeleton, compose, gaussian_targets, invert, transform, warp

MARGIN: Final = 1.5
"""How much more than the crop is kept for augmentation: rotation and scaling then rarely meet its edge."""


class Objective(nn.Module):
    """What training makes smaller: crops (B, 3, H, W) uint8, targets and weights → the loss, further terms included."""

    def __init__(self, estimator: Estimator, compute: Compute, terms: Sequence[Term]) -> None:
        super().__init__()
        self.estimator, self.compute, self.terms = estimator, compute, terms

    def forward(self, crops: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        loss = self.estimator.loss(self.maps(crops), targets, weights)
        return sum((term(self.maps) for term in self.terms), loss)

    def maps(self, pictures: Tensor) -> Maps:
        """What the estimator gives of pictures (B, 3, H, W) uint8."""
        return cast(Maps, self.compute.forward(self.estimator, pictures))


@attrs.define
class GradientDescent(Trainer):
    """Fits estimators by stochastic gradient descent on one device.

    Attributes:
        progress: told after each epoch.
        kept: what a fit whose recipe keeps its state goes on from, and leaves.
        pieces: in how many a batch goes through the network in training; more where it did not fit into the memory.
    """

    progress: Progress = silent
    kept: Mapping[str, Any] | None = None
    pieces: int = 1

    def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe, terms: Sequence[Term] = ()) -> float:
        """As the contract says."""
        training = Training(self, estimator, labelled, recipe, terms, pieces=self.pieces)
        if recipe.keeps_state and self.kept:
            training.go_on(self.kept)
        loss = torch.tensor(math.nan)
        for epoch in range(recipe.epochs if len(labelled) else 0):
            loss = training.epoch()
            self.progress("retrain", epoch + 1, recipe.epochs)
        self.pieces = training.pieces
        if recipe.keeps_state:
            self.kept = training.kept()
        estimator.eval()
        return float(loss)


@attrs.define(eq=False)
class Training:
    """An estimator being fitted, epoch by epoch.

    Attributes:
        trainer: whose device, precision and random numbers it has.
        estimator, labelled, recipe, terms: as in :meth:`Trainer.fit`.
        rank: of this process, where several work on one estimator: what is random within the network differs.
        pieces: in how many a batch goes through the network, its gradients added up; 0 where it must not be divided.
        optimiser: of the estimator's parameters.
        objective: as :class:`Objective`.
        done: epochs so far.
        before: epochs of the fits that this one goes on from.
    """

    trainer: Trainer
    estimator: Estimator
    labelled: Labelled
    recipe: Recipe
    terms: Sequence[Term] = ()
    rank: int = 0
    pieces: int = 1
    optimiser: torch.optim.Optimizer = attrs.field(init=False)
    objective: nn.Module = attrs.field(init=False)
    done: int = attrs.field(default=0, init=False)
    before: int = attrs.field(default=0, init=False)
    _seed: int = attrs.field(init=False)
    _rates: list[float] = attrs.field(init=False)
    _on_host: Tensor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.optimiser = optimiser_of(self.recipe, self.estimator)
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self._seed = int(torch.randint(2**62, (1,), generator=self.trainer.generator))
        self._on_host = self.labelled.index.cpu()
        self.labelled.pictures.fill(self._on_host)
        self.objective = Objective(self.estimator, self.trainer.compute, self.terms)

    def epoch(self) -> Tensor:
        """Go through the instances once, in random order; return the mean loss, on the device: nobody waits for it."""
        self.objective.train()
        order = torch.randperm(len(self.labelled), generator=self.trainer.generator)
        parts = order.tensor_split(steps_of(self.recipe, len(order)))
        total = torch.zeros((), device=self.trainer.compute.device)
        with seeded(self._seed, self.done, self.rank):
            for number, part in enumerate(parts):
                self._set_rates(self.done * len(parts) + number, len(parts))
                total += self._step(part)
        self.done += 1
        return total / len(parts)

    def kept(self) -> dict[str, Any]:
        """What a later fit can go on from: tensors and numbers."""
        return {"epochs": self.before + self.done, "optimiser": self.optimiser.state_dict()}

    def go_on(self, kept: Mapping[str, Any]) -> None:
        """Have the moments and the epochs of an earlier fit, with the settings of this one's recipe.

        Raises:
            InputError: the ``file`` that it was read from holds something else.
            PluginError: that one's recipe shared the parameters out differently.
        """
        with reading(Path(kept.get("file", "optimiser.pt")), "delete it to retrain with a new optimiser"):
            theirs, groups = kept["optimiser"], self.optimiser.state_dict()["param_groups"]
            if [len(group["params"]) for group in theirs["param_groups"]] != [len(group["params"]) for group in groups]:
                raise PluginError("a recipe that keeps its state must have `alike` as the one that it goes on from")
            self.optimiser.load_state_dict({**theirs, "param_groups": groups})
            for parameter, state in self.optimiser.state.items():
                if [state[name].shape for name in ("step", "exp_avg", "exp_avg_sq")] != [(), *[parameter.shape] * 2]:
                    raise ValueError("moments of another network")
            self.before = kept["epochs"]

    def loss(self, part: Tensor, mine: Tensor) -> Tensor:
        """() what those at ``mine`` have of the loss of a batch: these rows (B,) of what is labelled."""
        return cast(Tensor, self.objective(*self.batch(part, mine))) * (len(mine) / len(part))

    def _set_rates(self, step: int, steps: int) -> None:
        factor = rate_factor(self.recipe, step, steps, self.before)
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _step(self, part: Tensor) -> Tensor:
        """Change the weights by one batch, in smaller pieces where it does not fit into the memory; return its loss."""
        before = self.trainer.generator.get_state()
        while True:
            try:
                return self._stepped(part, before)
            except torch.OutOfMemoryError:
                if not 0 < self.pieces < len(part):
                    raise
            self.pieces *= 2  # where the error no longer holds what did not fit

    def _stepped(self, part: Tensor, before: Tensor) -> Tensor:
        total = torch.zeros((), device=self.trainer.compute.device)
        self.optimiser.zero_grad(set_to_none=True)
        for mine in torch.arange(len(part)).tensor_split(min(self.pieces or 1, len(part))):
            self.trainer.generator.set_state(before)  # what is drawn is drawn for the whole batch
            loss = self.loss(part, mine)
            loss.backward()
            total += loss.detach()
        self.optimiser.step()
        return total

    def batch(self, part: Tensor, mine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Crops (B, 3, H, W) uint8, targets (B, K, h, w) and weights (B, K) of those at ``mine`` in a batch.

        The changes are drawn for the whole batch, so that they do not depend on how it is shared.
        """
        estimator, labelled, device = self.estimator, self.labelled, self.trainer.compute.device
        how, pictures, skeleton = self.recipe.augmentation, labelled.pictures, labelled.skeleton
        drawn = onto(device, how.draw(len(part), self.trainer.generator)[mine]) if how else None
        there = onto(labelled.index.device, part[mine])
        index, keypoints, visible = labelled.index[there], labelled.keypoints[there], labelled.visible[there]
        to_frame = pictures.matrices(index)
        change = torch.eye(2, 3, device=device).expand(len(mine), 2, 3)
        if how and drawn is not None:
            plain = transform(keypoints, invert(compose(change + _shift(pictures, change), to_frame)))
            change = how.place(drawn, plain, visible, skeleton, estimator.input_size)
        to_picture = change + _shift(pictures, change)
        crops = warp(pictures.get(self._on_host[part[mine]]), to_picture, estimator.input_size)
        keypoints = transform(keypoints, invert(compose(to_picture, to_frame)))
        keypoints, visible = mirror(keypoints, visible, torch.det(change[:, :, :2]) < 0, skeleton)
        size, stride = estimator.heatmap_size, estimator.stride
        targets, weights = gaussian_targets(keypoints, visible, size, stride, self.recipe.subpixel)
        return how.light(drawn, crops) if how and drawn is not None else crops, targets, weights


def _shift(pictures: Pictures, like: Tensor) -> Tensor:
    """What to add to a map into the plain crop to make it one into the picture with its margin, (1, 2, 3)."""
    (height, width), (tall, wide) = pictures.size, pictures.picture_size
    shift = like.new_zeros((1, 2, 3))
    shift[:, 0, 2], shift[:, 1, 2] = (wide - width) / 2, (tall - height) / 2
    return shift


def mirror(keypoints: Tensor, visible: Tensor, mirrored: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """Swap left and right of the ``mirrored`` (B,) instances: a mirrored left hand is a right hand.

    Keypoints are (B, K, 2), before and after; ``visible`` (B, K) goes with them, bool or what each weighs.
    """
    order = onto(keypoints.device, torch.tensor(skeleton.flip_order()))
    keypoints = torch.where(mirrored[:, None, None], keypoints[:, order], keypoints)
    return keypoints, torch.where(mirrored[:, None], visible[:, order], visible)
