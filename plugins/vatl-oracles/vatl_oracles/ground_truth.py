"""An oracle that looks the answer up, for experiments."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import torch

from vatl_core.contracts import Labels, Oracle, Request
from vatl_core.errors import InputError


@attrs.frozen
class GroundTruth(Oracle):
    """Answers with the data set's annotations, at once."""

    def annotate(self, request: Request) -> Iterable[Labels]:
        """One part with every answer."""
        video, indices = request.video, request.indices
        truth = video.instances
        if truth.keypoints is None or truth.visible is None:
            raise InputError(f"video '{video.name}' has no annotated keypoints for oracle 'ground-truth' to look up")
        yield Labels(
            indices, truth.keypoints[indices], truth.visible[indices], "ground-truth", torch.zeros(len(indices))
        )
