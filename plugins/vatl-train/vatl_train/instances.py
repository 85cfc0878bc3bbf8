"""The instances that a source estimator learns from, and those that tell how well it has learnt."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Labelled
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.learning import MARGIN
from vatl_core.metrics import oks
from vatl_core.video import Video
from vatl_train.joined_crops import JoinedCrops
from vatl_train.team import Team
from vatl_train.videos import SourceVideos


@attrs.frozen
class Validation:
    """Videos with truth that nothing is learnt from.

    Attributes:
        videos: may be none.
        crops: of each.
        batch: instances to a forward pass.
    """

    videos: Sequence[Video]
    crops: Sequence[Crops]
    batch: int = 64

    def mean_oks(self, estimator: Estimator, compute: Compute, team: Team) -> float | None:
        """Mean OKS of the annotated instances, estimated as in a run; None without videos. The team shares them."""
        if not self.videos:
            return None
        total = torch.zeros(2, device=compute.device)
        for video, crops in list(zip(self.videos, self.crops, strict=True))[team.rank :: team.size]:
            similarity = _similarity(video, estimate(estimator, crops, {}, compute, self.batch).keypoints)
            total += torch.stack([similarity.sum(), torch.ones_like(similarity).sum()])
        score, count = team.sum(total).tolist()
        return float(score / count)


def _similarity(video: Video, estimated: Tensor) -> Tensor:
    """(M,) OKS of a video's annotated instances."""
    truth = video.instances.to(estimated.device)
    if truth.keypoints is None or truth.visible is None:
        raise AssertionError("videos without truth are refused when they are loaded")
    every = oks(estimated, truth.keypoints, truth.visible, truth.boxes, video.skeleton.sigmas)
    return every[truth.annotated]


def prepare(
    videos: SourceVideos, size: tuple[int, int], device: torch.device, budget: int
) -> tuple[Labelled, Validation]:
    """What to learn from and what to measure on; each picture has the same chance of a place in the cache."""
    wanted = _bytes(videos.training, size, MARGIN) + _bytes(videos.validation, size, 1.0)
    share = min(1.0, budget / wanted)
    plain = _crops(videos.validation, size, device, share, 1.0)
    return everything(videos.training, _crops(videos.training, size, device, share, MARGIN)), Validation(
        videos.validation, plain
    )


def _bytes(videos: Sequence[Video], size: tuple[int, int], margin: float) -> int:
    """Of all pictures of these videos."""
    return sum(len(v.instances) for v in videos) * 3 * round(size[0] * margin) * round(size[1] * margin)


def _crops(
    videos: Sequence[Video], size: tuple[int, int], device: torch.device, share: float, margin: float
) -> list[Crops]:
    return [Crops(v.without_truth(), size, device, int(share * _bytes([v], size, margin)), margin) for v in videos]


def everything(videos: Sequence[Video], crops: Sequence[Crops]) -> Labelled:
    """Every instance with an annotated keypoint of these videos, as something to learn from.

    Raises:
        InputError: a video has no truth.
    """
    keypoints, visible, annotated = [], [], []
    for video in videos:
        if video.instances.keypoints is None or video.instances.visible is None:
            raise InputError(f"source video '{video.name}' has no annotated keypoints")
        keypoints.append(video.instances.keypoints)
        visible.append(video.instances.visible)
        annotated.append(video.instances.annotated)
    pictures, device = JoinedCrops(crops), crops[0].device
    index = torch.nonzero(torch.cat(annotated).to(device)).flatten()
    return Labelled(
        index=index,
        keypoints=torch.cat(keypoints).to(device)[index],
        visible=torch.cat(visible).to(device)[index],
        oks=torch.zeros(len(index), device=device),
        queried=torch.ones(len(index), dtype=torch.bool, device=device),
        pictures=pictures,
    )
