"""A committee of the last cycles' weights: where they disagree, one of them at least is wrong.

Seung, Opper & Sompolinsky, *Query by Committee* (COLT 1992); disagreement as Krogh & Vedelsby's ambiguity, *Neural
Network Ensembles, Cross Validation, and Active Learning* (NIPS 1994).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.cycle import Run
from vatl_core.video import Skeleton
from vatl_criteria.representativeness.chance import chance, seed_from


def ambiguity(votes: Tensor, boxes: Tensor) -> Tensor:
    """(1/S) Σ_s |x_s − x̄|², the mean over the keypoints, in units of the box's area.

    Args:
        votes: (S, B, K, 2) each member's keypoints x, pixels.
        boxes: (B, 4) x, y, w, h, pixels.

    Returns:
        (B,)
    """
    area = boxes[:, 2:].prod(1).clamp(min=1e-6)
    return votes.var(0, correction=0).sum(-1).mean(-1) / area


@attrs.define
class Committee(Criterion):
    """The variance over the last cycles' weights of the keypoints that they give: (1/S) Σ_s |x_s − x̄|².

    No member is asked again: each estimated every instance in its own cycle, and what it gave is on disk. So the
    committee costs no pass, and a run taken up again has the same. The first member is the source estimator. In the
    first cycle, with a single member, scores are random.

    Attributes:
        members: S, the present weights and those of the cycles before; as many as there are.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "poses", "pool"})
    keeps: ClassVar[bool] = True

    members: int = attrs.field(default=3, validator=ge(2))
    _seed: int = attrs.field(init=False, default=0, repr=False)
    _earlier: list[Tensor] = attrs.field(init=False, factory=list, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """A single network disagrees with nobody."""
        return "committee: its scores are random in the first cycle, in which the source estimator is alone"

    def recall(self, earlier: list[Tensor]) -> None:
        """Called before each cycle with what earlier cycles condensed, (N, …) each, the latest last."""
        self._earlier = earlier[-(self.members - 1) :]

    def condense(self, window: Window) -> Tensor:
        """(B, K, 2) the estimated keypoints, pixels: this cycle's vote."""
        return window.keypoints

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Draw the cycle's seed; labels do not matter."""
        self._seed = seed_from(generator)

    def score(self, window: Window) -> Tensor:
        """Reads what was condensed, now and earlier."""
        if not self._earlier:
            return chance(self._seed, window)
        now = window.condensed
        before = [votes.to(now).view(len(votes), *now.shape[1:])[window.index] for votes in self._earlier]
        return ambiguity(torch.stack([*before, now]), window.boxes)


def recall_votes(run: Run) -> None:
    """Hand the committees of a run what is on disk of earlier cycles; what is missing there has no vote."""
    for name, criterion in run.criteria.items():
        if isinstance(criterion, Committee):
            then = (
                run.folder.estimates(cycle) for cycle in range(max(0, run.cycle - criterion.members + 1), run.cycle)
            )
            criterion.recall([found.kept[name] for found in then if found and name in found.kept])
