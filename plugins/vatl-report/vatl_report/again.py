"""What a run does not keep, estimated again with a cycle's weights: heatmaps and features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vatl_core.contracts import Poses, Window
from vatl_core.estimation import FurtherPasses
from vatl_core.seeds import generator, seed_of
from vatl_core.video import decode

if TYPE_CHECKING:
    from vatl_core.contracts import Criterion
    from vatl_core.cycle import Run


def fitted_criteria(run: Run) -> Mapping[str, Criterion]:
    """The run's criteria as they scored in its present cycle: fitted to the poses labelled by then.

    Those of the pool would need the features of all instances for it, and are left as they begin.
    """
    (_, labels), device = run.beginning(), run.compute.device
    boxes = run.video.instances.boxes[labels.index]
    poses = Poses(*(column.to(device) for column in (labels.keypoints, labels.visible, boxes)))
    for name, criterion in run.criteria.items():
        if "pool" not in criterion.needs:
            criterion.fit(poses, generator(run.config.seed, run.cycle, "fit", name))
    return run.criteria


@torch.no_grad()
def window_of(run: Run, index: Tensor) -> Window:
    """These instances (B,) as a criterion sees them, with their neighbours' heatmaps; one forward pass each."""
    instances, device = run.video.instances, run.compute.device
    before, after = instances.previous[index], instances.next[index]
    everyone = torch.cat([index, before, after]).unique()
    everyone = everyone[everyone >= 0]
    heatmaps, features = _forward(run, everyone)

    def of(wanted: Tensor, column: Tensor) -> Tensor:
        return column[torch.searchsorted(everyone, wanted.clamp(min=int(everyone[0]))).to(device)]

    crops = run.crops.boxes[index.to(device)]
    keypoints, scores = decode(of(index, heatmaps), crops)
    return Window(
        index=index.to(device),
        skeleton=run.video.skeleton,
        frame=instances.frame[index].to(device),
        track=instances.track[index].to(device),
        time=run.crops.times[index.to(device)],
        boxes=instances.boxes[index].to(device),
        crops=crops,
        keypoints=keypoints,
        scores=scores,
        features=of(index, features),
        heatmaps=of(index, heatmaps),
        previous=of(before, heatmaps),
        next=of(after, heatmaps),
        has_previous=(before >= 0).to(device),
        has_next=(after >= 0).to(device),
        pictures=run.crops.get(index),
        network=FurtherPasses(run.estimator, run.compute, seed_of(run.config.seed, run.cycle)),
    )


def _forward(run: Run, index: Tensor) -> tuple[Tensor, Tensor]:
    """Heatmaps (P, K, h, w) and features (P, D) of these instances."""
    run.estimator.eval()
    found = []
    for part in index.split(run.config.batch or 64):
        maps = run.compute.forward(run.estimator, run.crops.get(part))
        found.append((maps.heatmaps.float(), maps.features.float()))
    return torch.cat([heatmaps for heatmaps, _ in found]), torch.cat([features for _, features in found])
