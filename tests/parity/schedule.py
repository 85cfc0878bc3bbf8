"""Makes ``schedule.json``: what torch's own AdamW and ExponentialLR give when they are stepped as published.

`python -m tests.parity.schedule` writes the file anew. The published loop makes both once for a whole run with
``--continual``, else anew in each cycle; the scheduler steps once after each epoch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import ExponentialLR

from tests.parity.fixtures import FOLDER

NAME: Final = "schedule.json"
RECIPE: Final = {"lr": 2.5e-4, "gamma": 0.99, "weight_decay": 0.7}
"""``RETRAIN.LR``, ``LR_GAMMA`` and ``WEIGHT_DECAY``"""
GROUPS: Final = {"backbone": 1, "upsampling": 5, "head": 10}
EPOCHS: Final = {"as long each time": [75, 75, 75, 75], "ever fewer, once none": [40, 21, 0, 7, 1]}

Rates = dict[str, list[float]]


def rates(
    recipe: dict[str, float], groups: dict[str, float], epochs: Sequence[int], persists: bool
) -> dict[str, Rates]:
    """Of each group in each cycle: at its ``start``, in its ``last`` epoch, and what its ``end`` leaves."""
    found: dict[str, Rates] = {name: {"start": [], "last": [], "end": []} for name in groups}
    weights = {name: torch.nn.Parameter(torch.ones(2)) for name in groups}
    optimiser, scheduler = _made(recipe, groups, weights)
    for count in epochs:
        if not persists:
            optimiser, scheduler = _made(recipe, groups, weights)
        now = [group["lr"] for group in optimiser.param_groups]
        for name, start in zip(groups, now, strict=True):
            found[name]["start"].append(start)
        last = now
        for _ in range(count):
            last = [group["lr"] for group in optimiser.param_groups]
            optimiser.zero_grad()
            sum(weight.square().sum() for weight in weights.values()).backward()  # type: ignore[union-attr]
            optimiser.step()
            scheduler.step()
        for name, rate, group in zip(groups, last, optimiser.param_groups, strict=True):
            found[name]["last"].append(rate)
            found[name]["end"].append(group["lr"])
    return found


def _made(
    recipe: dict[str, float], groups: dict[str, float], weights: dict[str, torch.nn.Parameter]
) -> tuple[AdamW, ExponentialLR]:
    shares = [{"params": [weights[name]], "lr": recipe["lr"] * times} for name, times in groups.items()]
    optimiser = AdamW(shares, weight_decay=recipe["weight_decay"])
    return optimiser, ExponentialLR(optimiser, gamma=recipe["gamma"])


def content() -> dict[str, Any]:
    """The whole file."""
    cases = {
        name: {
            "epochs": epochs,
            "persisted": rates(RECIPE, GROUPS, epochs, persists=True),
            "anew": rates(RECIPE, GROUPS, epochs, persists=False),
        }
        for name, epochs in EPOCHS.items()
    }
    return {"recipe": RECIPE, "groups": GROUPS, "cases": cases}


if __name__ == "__main__":
    (FOLDER / NAME).write_text(json.dumps(content(), indent=1) + "\n")
