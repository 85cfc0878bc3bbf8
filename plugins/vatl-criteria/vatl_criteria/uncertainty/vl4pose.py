"""VL4Pose: poses whose link lengths the features did not lead to expect.

Shukla et al., *VL4Pose: Active Learning Through Out-Of-Distribution Detection For Pose Estimation* (BMVC 2022).
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, in_
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.errors import unknown
from vatl_core.video import Pair, Skeleton
from vatl_criteria.uncertainty.link_lengths import Lengths, LinkLengths, learn, tree
from vatl_criteria.uncertainty.peaks import Peaks, local_maxima, or_maximum
from vatl_criteria.uncertainty.pose_likelihood import log_likelihood


@attrs.define
class VL4Pose(Criterion):
    """−log-likelihood of the pose under the link lengths that a network predicts from the features.

    The network learns from everything labelled, anew in each cycle, beginning with constant lengths: those of the
    labelled poses, or of the source domain's where the data set has any. Before anything is labelled the source's
    constants alone count; without them scores are 0. The edges of the skeleton that close a circle are left out.

    Attributes:
        root: keypoint that the tree of links begins at; the skeleton's first if empty.
        reduce: ``max``, the likelihood of the likeliest pose, or ``sum`` over the local maxima as published, which
            above all counts them: each has a negative term. With ``max`` a map without a local maximum gives its
            maximum, so that every pose has as many terms.
        distance: heatmap pixels between local maxima, and between them and the border.
        peaks: how many of a map count at the most.
        steps: of the network's optimiser.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "features", "pool"})
    wants_source: ClassVar[bool] = True

    root: str = ""
    reduce: str = attrs.field(default="max", validator=in_(("max", "sum")))
    distance: int = attrs.field(default=2, validator=ge(1))
    peaks: int = attrs.field(default=5, validator=ge(1))
    steps: int = attrs.field(default=300, validator=ge(0))
    _links: list[Pair] = attrs.field(init=False, factory=list, repr=False)
    _source: Poses | None = attrs.field(init=False, default=None, repr=False)
    _size: tuple[int, int] = attrs.field(init=False, default=(1, 1), repr=False)
    _constants: Tensor | None = attrs.field(init=False, default=None, repr=False)
    _network: LinkLengths | None = attrs.field(init=False, default=None, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """Lay out the tree of links.

        Raises:
            InputError: the skeleton has no keypoint of the root's name.
        """
        if self.root and self.root not in skeleton.keypoints:
            raise unknown("root of vl4pose", self.root, skeleton.keypoints)
        self._links = tree(skeleton, skeleton.keypoints.index(self.root) if self.root else 0)
        self._source = source if source is not None and len(source) else None
        if self._source is None:
            return (
                "vl4pose: the data set has no source poses of this skeleton, so its scores are 0 until there are labels"
            )
        return None

    def condense(self, window: Window) -> Tensor:
        """(B, K, P, 4) of each local maximum its value, x, y and whether there is one."""
        self._size = (window.heatmaps.shape[2], window.heatmaps.shape[3])
        peaks = local_maxima(window.heatmaps, self.distance, self.peaks)
        if self.reduce == "max":
            peaks = or_maximum(peaks, window.heatmaps)
        return torch.cat([peaks.values[..., None], peaks.places, peaks.found[..., None].to(peaks.values.dtype)], -1)

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Measure the links, and train the network on what is labelled."""
        if self._source is not None:
            self._constants = Lengths.of(self._source, self._links, self._size).statistics()
        if not len(labelled) or labelled.features is None or not self._links:
            return
        lengths = Lengths.of(labelled, self._links, self._size)
        self._constants = lengths.statistics(otherwise=self._constants)
        self._network = learn(labelled.features, lengths, self._constants, self.steps, generator)

    def score(self, window: Window) -> Tensor:
        """Reads what was condensed, and the features."""
        kept = window.condensed
        peaks = Peaks(kept[..., 0], kept[..., 1:3], kept[..., 3] > 0)
        if self._constants is None:
            return torch.zeros_like(window.scores[:, 0])
        if self._network is None:
            means, log_variances = self._constants[:, None].expand(-1, len(window), -1)
        else:
            means, log_variances = self._network(window.features)
        return -log_likelihood(peaks, means, log_variances, self._links, self.reduce)
