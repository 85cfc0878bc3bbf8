"""Chance: the criterion that knows nothing, to compare others with under the same selector."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window


def seed_from(generator: torch.Generator) -> int:
    """A cycle's seed for :func:`chance`."""
    return int(torch.randint(2**62, (1,), generator=generator))


def chance(seed: int, window: Window) -> Tensor:
    """(N,) an instance's number among those drawn, 0 to 1, for the whole video."""
    drawn = torch.rand(len(window), generator=torch.Generator().manual_seed(seed))
    return drawn.to(window.index.device)[window.index]


@attrs.define
class Chance(Criterion):
    """Uniform scores, drawn anew in each cycle from the run's seed."""

    needs: ClassVar[frozenset[str]] = frozenset({"pool"})

    _seed: int = attrs.field(init=False, default=0, repr=False)

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Draw the cycle's seed; the poses do not matter."""
        self._seed = seed_from(generator)

    def score(self, window: Window) -> Tensor:
        """An instance's number, whatever it looks like."""
        return chance(self._seed, window)
