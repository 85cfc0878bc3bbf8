"""Small networks that learn from the features of what is labelled, anew in each cycle, what the estimator does not say.

They begin as constants, so that a few labels bend them little, and are fitted in a few hundred steps: under a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

BATCH = 64
"""How many labelled instances are looked at in a step."""

Some = TypeVar("Some", bound=nn.Module)


class FeatureNetwork(nn.Module):
    """Features (B, D) → (B, O), by one layer in the middle; 0 throughout until it is taught.

    Args:
        features: (M, D) of what is labelled, for their scale.
        outputs: O.
        hidden: width of the layer in the middle.
    """

    def __init__(self, features: Tensor, outputs: int, hidden: int = 64) -> None:
        super().__init__()
        spread = features.std(0, correction=0)
        self.shift, self.scale = features.mean(0), torch.where(spread > 1e-6, spread, torch.inf)
        self.inner = nn.Linear(features.shape[1], hidden)
        self.outer = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) → (B, O)."""
        standard = ((features - self.shift) / self.scale).clamp(-5, 5)
        found: Tensor = self.outer(torch.relu(self.inner(standard)))
        return found


def taught(
    make: Callable[[], Some], loss: Callable[[Some, Tensor], Tensor], among: Tensor, steps: int,
    generator: torch.Generator,
) -> Some:  # fmt: skip
    """A network fitted to labelled instances.

    Args:
        make: gives it; torch's own random numbers within come from the generator.
        loss: () of the network on these (B,) of them.
        among: (M,) indices that those of a step are drawn from, on the device.
        steps: of the optimiser.
        generator: on the CPU.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        network = make().to(among.device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.1)
    for _ in range(steps):
        drawn = torch.randint(len(among), (min(len(among), BATCH),), generator=generator)
        optimiser.zero_grad(set_to_none=True)
        loss(network, among[drawn.to(among.device)]).backward()
        optimiser.step()
    return network
