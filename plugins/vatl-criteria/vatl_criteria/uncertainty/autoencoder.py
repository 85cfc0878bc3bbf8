"""The auto-encoder that knows what poses usually look like."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import attrs
import torch
from torch import Tensor, nn

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
class Fitting:
    """How to fit an auto-encoder.

    Attributes:
        lr: learning rate at first.
        steps: ``(epoch, rate)``: the rate from that epoch on.
        epochs: at the most.
        batch: poses to a step.
        patience: epochs without a better validation error before stopping; None to fit on everything to the end.
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


def fit(network: AutoEncoder, features: Tensor, known: Tensor, how: Fitting, generator: torch.Generator) -> None:
    """Fit ``network`` in place to features (M, D) whose ``known`` (M, D) entries count.

    With patience, a tenth of the poses validates, and the best state on them is kept.
    """
    order = torch.randperm(len(features), generator=generator).to(features.device)
    validation = order[: len(order) // 10] if how.patience else order[:0]
    training = order[len(validation) :]
    stretch = max(1.0, how.least_steps / (how.epochs * math.ceil(len(training) / how.batch)))
    kind = torch.optim.AdamW if how.decoupled else torch.optim.Adam
    optimiser = kind(network.parameters(), lr=how.lr)
    best, best_state, since = math.inf, None, 0
    for epoch in range(round(how.epochs * stretch)):
        optimiser.param_groups[0]["lr"] = _rate(how, epoch / stretch)
        _epoch(network, features, known, training, how.batch, optimiser, generator)
        if not len(validation) or how.patience is None:
            continue
        error = _error(network, features[validation], known[validation])
        since += 1
        if error < best:
            best, best_state, since = error, copy.deepcopy(network.state_dict()), 0
        if since > how.patience * stretch:
            break
    if best_state is not None:
        network.load_state_dict(best_state)


def _rate(how: Fitting, epoch: float) -> float:
    return [how.lr, *(rate for start, rate in how.steps if epoch >= start)][-1]


def _epoch(
    network: AutoEncoder,
    features: Tensor,
    known: Tensor,
    training: Tensor,
    batch: int,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> None:
    order = training[torch.randperm(len(training), generator=generator).to(training.device)]
    for part in order.split(batch):
        optimiser.zero_grad(set_to_none=True)
        loss = reconstruction_error(features[part], network(features[part]), known[part]).mean()
        loss.backward()
        optimiser.step()


@torch.no_grad()
def _error(network: AutoEncoder, features: Tensor, known: Tensor) -> float:
    return float(reconstruction_error(features, network(features), known).mean())
