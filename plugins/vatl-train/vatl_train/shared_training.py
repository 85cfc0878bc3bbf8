"""Training that several processes share, and that goes on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from torch import Tensor

from vatl_core.learning import Training
from vatl_train.team import Team


@attrs.define(eq=False)
class SharedTraining(Training):
    """What :meth:`state` keeps, :meth:`restore` goes on from to the same result.

    Attributes:
        team: the processes that train together, all with the same random numbers but for what is within the network.
    """

    team: Team = attrs.field(factory=Team, kw_only=True)

    def __attrs_post_init__(self) -> None:
        Training.__attrs_post_init__(self)
        self.rank, self.pieces = self.team.rank, 0 if self.team.size > 1 else 1  # they step together
        self.objective = self.team.wrap(self.objective, self.trainer.compute.device)

    def epoch(self) -> Tensor:
        """The mean over the processes; they agree on the running statistics."""
        loss = Training.epoch(self)
        self.team.agree(self.estimator)
        return self.team.mean(loss)

    def loss(self, part: Tensor, mine: Tensor) -> Tensor:
        """Of this process's share of those; the mean over the processes is what all of them have."""
        return Training.loss(self, part, self.team.share(mine)) * self.team.size

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
