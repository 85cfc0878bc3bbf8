"""The one pass of a cycle: frames → crops → heatmaps → poses, features and every criterion's scores.

Each instance goes through the network once. Its heatmaps stay on the device until it has been scored and its
neighbours in time have too, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute, Stopwatch
from vatl_core.contracts import Criterion, Estimator, Window
from vatl_core.estimation.crops import Crops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.promises import checked_condensed, checked_maps, checked_scores, finite_maps
from vatl_core.progress import Progress, silent
from vatl_core.video import Instances, decode


@attrs.frozen
class Plan:
    """When each instance can be scored and when its heatmaps can go, in numbers of batches.

    Attributes:
        batches: indices of the instances of each batch, in frame order.
        ready: (N,) the batch after which an instance and its neighbours have their heatmaps.
        last: (N,) the batch after which nobody needs its heatmaps any more.
        neighbours: whether instances are scored together with their neighbours' heatmaps.
    """

    batches: list[Tensor]
    ready: Tensor
    last: Tensor
    neighbours: bool

    @classmethod
    def of(cls, instances: Instances, batch: int, neighbours: bool) -> Plan:
        """Work through ``instances`` in frame order, ``batch`` at a time."""
        order = torch.argsort(instances.frame, stable=True)
        number = torch.empty_like(order)
        number[order] = torch.arange(len(order)) // batch
        ready = last = number
        if neighbours:
            ready = torch.maximum(number, _at(number, instances.next))
            last = torch.maximum(ready, torch.maximum(_at(ready, instances.previous), _at(ready, instances.next)))
        return cls(list(order.split(batch)), ready, last, neighbours)


def _at(values: Tensor, index: Tensor) -> Tensor:
    """``values[index]``, and −1 where the index is −1."""
    return torch.where(index >= 0, values[index.clamp(min=0)], -1)


@attrs.define
class Held:
    """The heatmaps that are still needed, on the device.

    Attributes:
        index: (P,) whose they are.
        heatmaps: (P, K, h, w).
    """

    plan: Plan
    instances: Instances
    index: Tensor
    heatmaps: Tensor
    _slot: Tensor

    @classmethod
    def nothing(cls, plan: Plan, instances: Instances, like: Tensor) -> Held:
        """No heatmaps yet, of the shape and device of ``like`` (B, K, h, w)."""
        slot = torch.zeros(len(instances), dtype=torch.int64)
        return cls(plan, instances, slot[:0], like[:0], slot)

    def add(self, index: Tensor, heatmaps: Tensor) -> None:
        """Hold a batch's heatmaps."""
        self.index = torch.cat([self.index, index])
        self.heatmaps = torch.cat([self.heatmaps, heatmaps])
        self._slot[self.index] = torch.arange(len(self.index))

    def ready(self, number: int) -> Tensor:
        """(B,) the instances that can be scored after batch ``number``."""
        return self.index[self.plan.ready[self.index] == number]

    def of(self, index: Tensor) -> Tensor:
        """The heatmaps of these instances; those of any instance in place of −1."""
        return self.heatmaps[self._slot[index.clamp(min=0)].to(self.heatmaps.device)]

    def drop(self, number: int) -> None:
        """Let go of what nobody needs after batch ``number``."""
        keep = self.plan.last[self.index] > number
        self.index, self.heatmaps = self.index[keep], self.heatmaps[keep.to(self.heatmaps.device)]
        self._slot[self.index] = torch.arange(len(self.index))


@torch.inference_mode()
def estimate(
    estimator: Estimator,
    crops: Crops,
    criteria: Mapping[str, Criterion],
    compute: Compute,
    batch: int = 64,
    progress: Progress = silent,
    scoring: Stopwatch | None = None,
) -> Estimates:
    """Estimate and score every instance of a video, each with one forward pass; :func:`score_pool` does the rest.

    Args:
        estimator: on the device, with its weights.
        crops: of the video, of the estimator's input size.
        criteria: those to compute, by name.
        compute: device and precision.
        batch: instances to a forward pass.
        progress: told after each batch.
        scoring: what the criteria's time is added to.

    Raises:
        InputError: a frame cannot be read.
        PluginError: what the estimator or a criterion gives breaks its contract.
    """
    instances = crops.video.instances
    per_window = {name: c for name, c in criteria.items() if "pool" not in c.needs}
    condensing = {name: c for name, c in criteria.items() if c.needs >= {"pool", "heatmaps"}}
    plan = Plan.of(instances, batch, any("neighbours" in c.needs for c in criteria.values()))
    columns: Estimates | None = None
    held: Held | None = None
    done = 0
    with finite_maps(estimator) as note:
        for number, (index, heatmaps, features) in enumerate(_forward(estimator, crops, plan.batches, compute)):
            note(heatmaps, features)
            if columns is None or held is None:
                columns = _columns(len(instances), heatmaps, features, criteria, scoring or Stopwatch())
                held = Held.nothing(plan, instances, heatmaps)
            there = index.to(compute.device)
            columns.keypoints[there], columns.scores[there] = decode(heatmaps, crops.boxes[there])
            columns.features[there] = features
            held.add(index, heatmaps)
            window = _window(held, held.ready(number), columns, crops)
            with columns.scoring.on(compute.device):
                _score(per_window, columns, window)
                _condense(condensing, columns, window)
            held.drop(number)
            progress("estimate", done := done + len(index), len(instances))
    if columns is None:  # a Video always has instances
        raise AssertionError("a video without instances")
    return columns


@torch.inference_mode()
def score_pool(criteria: Mapping[str, Criterion], estimates: Estimates, crops: Crops, labelled: Tensor) -> None:
    """Write the scores of those criteria that see every instance at once; forget what was condensed for them.

    Args:
        criteria: by name; those that are no criteria of the pool are left out.
        estimates: of the pass.
        crops: of the video.
        labelled: (N,) bool.
    """
    everything = torch.arange(len(crops.video.instances))
    window = attrs.evolve(_window(None, everything, estimates, crops), labelled=labelled)
    for name, criterion in criteria.items():
        if "pool" in criterion.needs:
            condensed = estimates.condensed.pop(name, window.condensed)
            with estimates.scoring.on(estimates.scores.device):
                _score({name: criterion}, estimates, attrs.evolve(window, condensed=condensed))


def _forward(
    estimator: Estimator, crops: Crops, batches: list[Tensor], compute: Compute
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """For each batch: indices (B,), heatmaps (B, K, h, w) and features (B, D) in float32."""
    estimator.eval()
    width: int | None = None
    for index, pictures in ahead((index, crops.get(index)) for index in batches):
        with compute.autocast():
            given = estimator(compute.layout(estimator.normalisation(pictures)))
        heatmaps, features = checked_maps(estimator, given, pictures, len(crops.skeleton), width)
        width = features.shape[1]
        yield index, heatmaps.float().contiguous(), features.float()


def _columns(
    count: int, heatmaps: Tensor, features: Tensor, names: Mapping[str, object], scoring: Stopwatch
) -> Estimates:
    keypoints = heatmaps.new_empty((count, heatmaps.shape[1], 2))
    return Estimates(
        keypoints,
        torch.empty_like(keypoints[..., 0]),
        features.new_empty((count, features.shape[1])),
        {name: heatmaps.new_zeros(count) for name in names},
        scoring=scoring,
    )


def _window(held: Held | None, index: Tensor, columns: Estimates, crops: Crops) -> Window:
    """These instances as criteria see them; without heatmaps if none are held."""
    instances, there = crops.video.instances, index.to(columns.scores.device)
    window = Window(
        index=there,
        skeleton=crops.video.skeleton,
        boxes=instances.boxes[index].to(there.device),
        crops=crops.boxes[there],
        keypoints=columns.keypoints[there],
        scores=columns.scores[there],
        features=columns.features[there],
    )
    if held is None:
        return window
    window = attrs.evolve(window, heatmaps=held.of(index))
    if not held.plan.neighbours:
        return window
    previous, following = instances.previous[index], instances.next[index]
    return attrs.evolve(
        window,
        previous=held.of(previous),
        next=held.of(following),
        has_previous=(previous >= 0).to(there.device),
        has_next=(following >= 0).to(there.device),
    )


def _score(criteria: Mapping[str, Criterion], columns: Estimates, window: Window) -> None:
    """Write each criterion's scores of the window's instances into its column."""
    if not len(window):
        return
    for name, criterion in criteria.items():
        columns.criteria[name][window.index] = checked_scores(name, criterion, window)


def _condense(criteria: Mapping[str, Criterion], columns: Estimates, window: Window) -> None:
    """Keep what each criterion of the pool will need of the window's heatmaps."""
    if not len(window):
        return
    for name, criterion in criteria.items():
        kept = checked_condensed(name, criterion, window, columns.condensed.get(name))
        if name not in columns.condensed:
            columns.condensed[name] = kept.new_zeros((len(columns.scores), *kept.shape[1:]))
        columns.condensed[name][window.index] = kept
