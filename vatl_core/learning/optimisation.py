"""A recipe's optimiser, its steps and their learning rates."""

from __future__ import annotations

import math

import torch

from vatl_core.contracts import Estimator, Recipe


def optimiser_of(recipe: Recipe, estimator: Estimator) -> torch.optim.Optimizer:
    """Of the estimator's parameter groups."""
    groups = [{"params": list(estimator.parameters())}] if recipe.alike else estimator.parameter_groups(recipe.lr)
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)


def steps_of(recipe: Recipe, count: int) -> int:
    """Batches to an epoch of ``count`` instances."""
    return math.ceil(count / recipe.batch)


def rate_factor(recipe: Recipe, step: int, steps: int, before: int = 0) -> float:
    """What the learning rates are multiplied by at a ``step`` of the fit, from 0, with so many ``steps`` to an epoch.

    The fits that this one goes on from had so many epochs ``before`` it.
    """
    if recipe.one_cycle:
        return _one_cycle(step / max(1, recipe.epochs * steps))
    epoch = before + step // steps
    since = max((restart for restart in recipe.restarts if restart <= epoch), default=0)
    return recipe.decay ** (epoch - since) * 0.1 ** sum(since <= milestone <= epoch for milestone in recipe.milestones)


def _one_cycle(done: float, rise: float = 0.3, start: float = 0.04) -> float:
    """Cosine up from ``start`` to 1 over the share ``rise``, then cosine down to 0."""
    if done < rise:
        return start + (1 - start) * (1 - math.cos(math.pi * done / rise)) / 2
    return (1 + math.cos(math.pi * min(1.0, (done - rise) / (1 - rise)))) / 2
