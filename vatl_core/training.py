"""Fitting an estimator to labelled instances, with augmentation on the device."""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator
from vatl_core.crops import Crops, JoinedCrops
from vatl_core.estimate import Progress, silent
from vatl_core.geometry import compose, gaussian_targets, invert, transform, warp
from vatl_core.skeleton import Skeleton

MARGIN = 1.5
"""How much more than the crop is kept for augmentation: rotation and scaling then rarely meet its edge."""


@attrs.frozen
class Labelled:
    """M labelled instances, to learn from.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels of the frame.
        visible: (M, K) bool.
        oks: (M,) of the present estimates against the labels.
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
class Augmentation:
    """Random changes of a training crop, as the method's authors made them.

    Attributes:
        rotation: degrees; drawn from a normal distribution of this deviation, clipped at twice it (as published).
        rotated: share of the samples that are rotated.
        scale: relative; drawn likewise about 1, clipped at 1 ± it.
        flip: share of the samples that are mirrored.
    """

    rotation: float = attrs.field(default=40.0, validator=attrs.validators.ge(0))
    rotated: float = attrs.field(default=0.6, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    scale: float = attrs.field(default=0.3, validator=[attrs.validators.ge(0), attrs.validators.lt(1)])
    flip: float = attrs.field(default=0.5, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Affine maps (B, 2, 3) from an augmented crop's pixel to the plain crop's, and who is mirrored (B,) bool."""
        noise = torch.randn(2, count, generator=generator)
        chance = torch.rand(2, count, generator=generator)
        scale = (1 + noise[0] * self.scale).clamp(1 - self.scale, 1 + self.scale)
        degrees = (noise[1] * self.rotation).clamp(-2 * self.rotation, 2 * self.rotation)
        angle = torch.deg2rad(degrees * (chance[0] < self.rotated))
        mirrored = chance[1] < self.flip
        return _about_centre(angle, scale, mirrored, size), mirrored


def _about_centre(angle: Tensor, scale: Tensor, mirrored: Tensor, size: tuple[int, int]) -> Tensor:
    """Rotation, scaling and mirroring about a crop's centre, (B, 2, 3)."""
    sine, cosine = torch.sin(angle) * scale, torch.cos(angle) * scale
    side = torch.where(mirrored, -1.0, 1.0)
    linear = torch.stack([torch.stack([cosine * side, -sine], -1), torch.stack([sine * side, cosine], -1)], 1)
    centre = torch.tensor([size[1] / 2 - 0.5, size[0] / 2 - 0.5])
    return torch.cat([linear, (centre - linear @ centre)[..., None]], 2)


@attrs.frozen
class Recipe:
    """How to fit: the optimiser's settings and the augmentation.

    Attributes:
        epochs: passes over the instances.
        lr: learning rate of the backbone; an estimator gives its other parts multiples of it.
        weight_decay: of AdamW.
        decay: factor on the learning rates after each epoch.
        milestones: epochs after which the learning rates fall to a tenth.
        one_cycle: rather than that, let the rates rise from 1/25 over the first 30 % of the steps and fall to nothing
            (Smith & Topin, 2018).
        alike: every part learns at ``lr``, as when training from scratch.
        batch: instances to a step at the most.
        augmentation: None to train on plain crops.
    """

    epochs: int
    lr: float = 2.5e-4
    weight_decay: float = 0.7
    decay: float = 0.99
    milestones: tuple[int, ...] = ()
    one_cycle: bool = False
    alike: bool = False
    batch: int = 120
    augmentation: Augmentation | None = Augmentation()

    def optimiser(self, estimator: Estimator) -> torch.optim.AdamW:
        """AdamW on the estimator's parameter groups."""
        groups = [{"params": list(estimator.parameters())}] if self.alike else estimator.parameter_groups(self.lr)
        return torch.optim.AdamW(groups, lr=self.lr, weight_decay=self.weight_decay)

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
    """

    compute: Compute
    generator: torch.Generator
    progress: Progress = silent

    def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe) -> float:
        """Fit ``estimator`` in place; return the last epoch's mean loss (NaN if there was nothing to do).

        The loss is half the mean squared error between heatmaps and targets of weighted keypoints.
        """
        optimiser = recipe.optimiser(estimator)
        steps = math.ceil(len(labelled) / recipe.batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: recipe.factor(step, steps))
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=self.generator)))  # for dropout in the network
        labelled.pictures.fill(labelled.index)
        estimator.train()
        loss = math.nan
        for epoch in range(recipe.epochs if len(labelled) else 0):
            loss = self._epoch(estimator, labelled, recipe, optimiser, schedule)
            self.progress("retrain", epoch + 1, recipe.epochs)
        estimator.eval()
        return loss

    def _epoch(
        self,
        estimator: Estimator,
        labelled: Labelled,
        recipe: Recipe,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LambdaLR,
    ) -> float:
        order = torch.randperm(len(labelled), generator=self.generator)
        parts = order.tensor_split(math.ceil(len(order) / recipe.batch))
        total = torch.zeros((), device=self.compute.device)
        for part in parts:
            loss = self._loss(estimator, labelled, part, recipe)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.detach()
        return float(total) / len(parts)

    def _loss(self, estimator: Estimator, labelled: Labelled, part: Tensor, recipe: Recipe) -> Tensor:
        crops, targets, weights = self._batch(estimator, labelled, part, recipe)
        with self.compute.autocast():
            heatmaps, _ = estimator(self.compute.layout(estimator.normalisation(crops)))
        weight = weights[..., None, None]
        return 0.5 * torch.nn.functional.mse_loss(heatmaps.float() * weight, targets * weight)

    def _batch(
        self, estimator: Estimator, labelled: Labelled, part: Tensor, recipe: Recipe
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Crops (B, 3, H, W) uint8, targets (B, K, h, w) and weights (B, K) of these labelled instances."""
        device, size, pictures = self.compute.device, estimator.input_size, labelled.pictures
        change, mirrored = _plain(len(part)), torch.zeros(len(part), dtype=torch.bool)
        if recipe.augmentation:
            change, mirrored = recipe.augmentation.draw(len(part), size, self.generator)
        there, change, mirrored = part.to(labelled.index.device), change.to(device), mirrored.to(device)
        to_picture = change + _shift(pictures, change)
        crops = warp(pictures.get(labelled.index[there]), to_picture, size)
        to_crop = invert(compose(to_picture, pictures.matrices(labelled.index[there])))
        keypoints = transform(labelled.keypoints[there], to_crop)
        keypoints, visible = _mirror(keypoints, labelled.visible[there], mirrored, labelled.skeleton)
        targets, weights = gaussian_targets(keypoints, visible, estimator.heatmap_size, estimator.stride)
        return crops, targets, weights


def _plain(count: int) -> Tensor:
    """The map that changes nothing, (B, 2, 3)."""
    return torch.eye(2, 3).expand(count, 2, 3)


def _shift(pictures: Crops | JoinedCrops, like: Tensor) -> Tensor:
    """What to add to a map into the plain crop to make it one into the picture with its margin, (1, 2, 3)."""
    offset = [(p - s) / 2 for p, s in zip(pictures.picture_size, pictures.size, strict=True)][::-1]
    shift = like.new_zeros(1, 2, 3)
    shift[0, :, 2] = like.new_tensor(offset)
    return shift


def _mirror(keypoints: Tensor, visible: Tensor, mirrored: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """Swap left and right of the mirrored instances: a mirrored left hand is a right hand."""
    order = torch.tensor(skeleton.flip_order(), device=keypoints.device)
    return (
        torch.where(mirrored[:, None, None], keypoints[:, order], keypoints),
        torch.where(mirrored[:, None], visible[:, order], visible),
    )
