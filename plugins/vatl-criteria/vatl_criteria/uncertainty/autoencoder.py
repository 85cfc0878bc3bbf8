"""The auto-encoder that knows what poses usually look like."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import pairwise

import attrs
import torch
from torch import Tensor, nn

Told = Callable[[int, float, float], None]
"""Called after each epoch, counted from 1, with the mean error on the training and validation poses."""
HIDDEN = (24, 12, 7)


class AutoEncoder(nn.Module):
    """D → 24 → 12 → 7 → z → 7 → 12 → 24 → D, ReLU inside but not on the code z.

    Args:
        size: D, entries of a feature.
        z_dim: z.
        output: ``sigmoid`` as published, or ``linear``, which can give the negative entries that features have.
    """

    def __init__(self, size: int, z_dim: int = 4, output: str = "linear") -> None:
        super().__init__()
        widths = [size, *HIDDEN, z_dim, *reversed(HIDDEN), size]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.output = output

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) → (B, D)."""
        last, code = len(self.layers) - 1, len(HIDDEN)
        for number, layer in enumerate(self.layers):
            features = layer(features)
            if number not in (code, last):
                features = torch.relu(features)
        return torch.sigmoid(features) if self.output == "sigmoid" else features


def reconstruction_error(features: Tensor, rebuilt: Tensor, known: Tensor | None = None) -> Tensor:
    """Mean squared error of each pose over its known entries, (B, D) → (B,)."""
    squared = (features - rebuilt).square()
    if known is None:
        return squared.mean(1)
    weight = known.to(squared.dtype)
    return (squared * weight).sum(1) / weight.sum(1).clamp(min=1)


@attrs.frozen
class Examples:
    """What an auto-encoder learns from.

    Attributes:
        features: (M, D); entries that are not known are 0.
        known: (M, D) bool, which entries count in the error.
    """

    features: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: Tensor) -> Examples:
        return Examples(self.features[rows], self.known[rows])

    def whole(self) -> Examples:
        """The same with all entries known, 0 where nobody knows."""
        return Examples(self.features, torch.ones_like(self.known))

    def among(self, entries: Tensor) -> Examples:
        """The same with no other than these entries (D,) known."""
        return Examples(torch.where(entries, self.features, 0), self.known & entries)

    def split(self, generator: torch.Generator) -> tuple[Examples, Examples]:
        """At random, all but a tenth and that tenth, to learn from and to validate on."""
        order = torch.randperm(len(self), generator=generator).to(self.features.device)
        return self[order[len(self) // 10 :]], self[order[: len(self) // 10]]


@attrs.frozen
class Fitting:
    """How to fit an auto-encoder.

    Attributes:
        lr: learning rate at first.
        steps: ``(epoch, rate)``: the rate from that epoch on.
        epochs: at the most.
        batch: poses to a step.
        patience: epochs without a better validation error before stopping; None to go on to the end.
        decoupled: AdamW rather than Adam.
        least_steps: of the optimiser; a small set of poses is gone through more often.
    """

    lr: float
    epochs: int
    batch: int
    steps: tuple[tuple[int, float], ...] = ()
    patience: int | None = None
    decoupled: bool = False
    least_steps: int = 0


PRE_TRAINING = Fitting(1e-3, 80, 64, ((12, 2e-4), (40, 5e-5)), patience=30, decoupled=True, least_steps=800)
FINE_TUNING = Fitting(8e-5, 20, 10)


def fit(
    network: AutoEncoder,
    training: Examples,
    validation: Examples | None,
    how: Fitting,
    generator: torch.Generator,
    told: Told | None = None,
) -> None:
    """Fit ``network`` in place; with patience and something to validate on, the best state on that is kept."""
    stretch = max(1.0, how.least_steps / (how.epochs * math.ceil(len(training) / how.batch)))
    optimiser = (torch.optim.AdamW if how.decoupled else torch.optim.Adam)(network.parameters(), lr=how.lr)
    patience = how.patience if validation else None
    best, best_state, since = math.inf, None, 0
    for epoch in range(round(how.epochs * stretch)):
        optimiser.param_groups[0]["lr"] = _rate(how, epoch / stretch)
        _epoch(network, training, how.batch, optimiser, generator)
        error = mean_error(network, validation) if validation else math.nan
        if told:
            told(epoch + 1, mean_error(network, training), error)
        if patience is None:
            continue
        since += 1
        if error < best:
            best, best_state, since = error, copy.deepcopy(network.state_dict()), 0
        if since > patience * stretch:
            break
    if best_state is not None:
        network.load_state_dict(best_state)


def _rate(how: Fitting, epoch: float) -> float:
    return [how.lr, *(rate for start, rate in how.steps if epoch >= start)][-1]


def _epoch(
    network: AutoEncoder,
    training: Examples,
    batch: int,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> None:
    order = torch.randperm(len(training), generator=generator).to(training.features.device)
    for rows in order.split(batch):
        part = training[rows]
        optimiser.zero_grad(set_to_none=True)
        loss = reconstruction_error(part.features, network(part.features), part.known).mean()
        loss.backward()
        optimiser.step()


@torch.no_grad()
def mean_error(network: AutoEncoder, examples: Examples) -> float:
    """Over poses, of the reconstruction error."""
    return float(reconstruction_error(examples.features, network(examples.features), examples.known).mean())
