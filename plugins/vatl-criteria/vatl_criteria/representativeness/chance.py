"""Chance: the criterion that knows nothing, to compare others with under the same selector."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window


@attrs.define
class Chance(Criterion):
    """Uniform scores, drawn anew in each cycle from the run's seed."""

    needs: ClassVar[frozenset[str]] = frozenset({"pool"})

    _seed: int = attrs.field(init=False, default=0, repr=False)

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Draw the cycle's seed; the poses do not matter."""
        self._seed = int(torch.randint(2**62, (1,), generator=generator))

    def score(self, window: Window) -> Tensor:
        """An instance's number among those drawn for the whole video."""
        drawn = torch.rand(len(window), generator=torch.Generator().manual_seed(self._seed))
        return drawn.to(window.index.device)[window.index]
