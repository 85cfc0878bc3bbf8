"""An accuracy without truth: one minus the OKS that an instance may be expected to have."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, gt
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_criteria.accuracy.calibration import Calibration, Pairs
from vatl_criteria.accuracy.expectation import expected_oks


@attrs.define
class ExpectedOKS(Criterion):
    """1 − the OKS to expect of an instance, by its heatmaps and by what the labels so far showed of others like it.

    The expectation of OKS's kernel over each heatmap, averaged over the keypoints, is calibrated by isotonic regression
    on the instances that were labelled: what their heatmaps said when they were asked for, and the OKS that they had
    then. Without labels the heatmaps alone count, and a source estimator's may be far too sure or not sure enough. A
    refinement's poses are not looked at.

    Attributes:
        sigma: standard deviation of the heatmap of a keypoint in no doubt, heatmap pixels: that of the targets.
        floor: variance of a keypoint in no doubt, squared heatmap pixels: that of decoding and labelling.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "poses", "pool"})
    keeps: ClassVar[bool] = True

    sigma: float = attrs.field(default=2.0, validator=gt(0))
    floor: float = attrs.field(default=1.0, validator=ge(0))
    _pairs: Pairs = attrs.field(init=False, factory=Pairs.none, repr=False)
    _learnt: int = attrs.field(init=False, default=0, repr=False)

    def condense(self, window: Window) -> Tensor:
        """(B,) what the heatmaps lead to expect, 0 to 1."""
        sigmas = window.skeleton.sigmas
        return expected_oks(
            window.heatmaps, window.keypoints, window.crops, window.boxes, sigmas, self.sigma, self.floor
        )

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Notes what the labels so far showed."""
        self._learnt, self._pairs = len(labelled), Pairs.none()
        if labelled.kept is not None and labelled.oks is not None and labelled.cycle is not None:
            earlier = torch.searchsorted(labelled.cycle.sort().values, labelled.cycle)
            self._pairs = Pairs.of(labelled.kept, labelled.oks, earlier)

    def score(self, window: Window) -> Tensor:
        """Calibrates what was condensed."""
        raw = window.condensed
        return 1 - Calibration.of(self._pairs, self._learnt, raw)(raw) if len(raw) else raw
