"""An oracle that looks the answer up, for experiments."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Labels, Oracle, Request
from vatl_core.errors import InputError
from vatl_core.video import Video


@attrs.frozen
class GroundTruth(Oracle):
    """Answers with the data set's annotations, at once."""

    def can_answer(self, video: Video) -> Tensor:
        """Those whose truth is known."""
        return video.instances.known

    def annotate(self, request: Request) -> Iterable[Labels]:
        """One part with every answer."""
        video, indices = request.video, request.indices
        truth = video.instances
        if truth.keypoints is None or truth.visible is None or not truth.known[indices].all():
            first = truth.ids[int(indices[~truth.known[indices]][0])]
            raise InputError(
                f"oracle 'ground-truth' cannot look up instance {first} of video '{video.name}': its truth is not known"
            )
        yield Labels(
            indices, truth.keypoints[indices], truth.visible[indices], "ground-truth", torch.zeros(len(indices))
        )
