"""The one pass of a cycle: frames → crops → heatmaps → poses, features and every criterion's scores.

Each instance goes through the network once. Its heatmaps stay on the device until it has been scored and its
neighbours in time have too, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute, Stopwatch
from vatl_core.contracts import Criterion, Estimator, Labels, Maps, Refined, Refinement, Tracks, Window
from vatl_core.estimation.crops import Crops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.progress import Progress, silent
from vatl_core.promises import checked_condensed, checked_maps, checked_refinement, checked_scores, finite_maps
from vatl_core.seeds import seed_of
from vatl_core.video import Instances, decode, peaks


@attrs.define
class Held:
    """The maps on the device: those of an instance until it and its neighbours in time are scored.

    Attributes:
        ready: (N,) the batch after which an instance, and its neighbours if they matter, have their maps.
        last: (N,) the batch after which nobody needs its maps any more.
        index: (P,) whose are held.
        maps: ``{name: (P, …)}``, ``heatmaps`` (P, K, h, w) among them.
    """

    ready: Tensor
    last: Tensor
    index: Tensor = attrs.field(factory=lambda: torch.empty(0, dtype=torch.int64))
    maps: dict[str, Tensor] = attrs.field(factory=dict)

    @classmethod
    def nothing(cls, instances: Instances, batches: Sequence[Tensor], neighbours: bool) -> Held:
        """No maps yet of ``instances`` that go through the network in these ``batches`` of indices."""
        number = torch.empty_like(instances.frame)
        for n, index in enumerate(batches):
            number[index] = n
        if not neighbours:
            return cls(number, number)
        when = torch.maximum(number, _at(number, instances.next))
        return cls(when, torch.maximum(when, torch.maximum(_at(when, instances.previous), _at(when, instances.next))))

    def add(self, index: Tensor, maps: Mapping[str, Tensor]) -> None:
        """Hold a batch's maps."""
        self.index = torch.cat([self.index, index])
        self.maps = {name: torch.cat([self.maps.get(name, new[:0]), new]) for name, new in maps.items()}

    def of(self, index: Tensor, name: str = "heatmaps") -> Tensor:
        """The maps of these instances; those of any instance in place of −1."""
        slot = torch.zeros_like(self.ready)
        slot[self.index] = torch.arange(len(self.index))
        held = self.maps[name]
        return held[slot[index.clamp(min=0)].to(held.device)]

    def drop(self, number: int) -> None:
        """Let go of what nobody needs after batch ``number``."""
        keep = self.last[self.index] > number
        self.index = self.index[keep]
        self.maps = {name: maps[keep.to(maps.device)] for name, maps in self.maps.items()}


def _at(values: Tensor, index: Tensor) -> Tensor:
    """``values[index]``, and −1 where the index is −1."""
    return torch.where(index >= 0, values[index.clamp(min=0)], -1)


@attrs.define
class Pass:
    """One pass over a video, under way.

    Attributes:
        crops: of the video, of the estimator's input size.
        criteria: those to compute, by name.
        networks: what those of them are given that declare further passes.
        estimates: what has been found so far.
        held: the maps that are still needed.
        tracks: the instances, as far as they have been found.
    """

    crops: Crops
    criteria: Mapping[str, Criterion]
    networks: Mapping[str, FurtherPasses]
    estimates: Estimates
    held: Held
    tracks: Tracks = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tracks = tracks_of(self.crops, self.estimates)

    def take(self, number: int, index: Tensor, maps: Maps) -> None:
        """Decode batch ``number``, and score what it makes ready."""
        there, found, boxes = index.to(self.crops.device), self.estimates, self.crops.boxes
        found.keypoints[there], found.scores[there] = decode(maps.heatmaps, boxes[there])
        found.features[there] = maps.features
        if found.candidates is not None:
            found.candidates[there] = peaks(maps.heatmaps, boxes[there], found.candidates.shape[2])
        extra = maps.extra if _any_needs(self.criteria, "extra") else {}
        self.held.add(index, {"heatmaps": maps.heatmaps, **extra})
        ready = self.held.index[self.held.ready[self.held.index] == number]
        with found.scoring.on(self.crops.device):
            if len(ready):
                self._score(self._window(ready))
        self.held.drop(number)

    def _window(self, index: Tensor) -> Window:
        """These instances as criteria see them, without further passes."""
        held, instances, device = self.held, self.crops.video.instances, self.crops.device
        window = window_of(self.tracks, self.crops, self.estimates, index.to(device))
        extra = {name: held.of(index, name) for name in held.maps if name != "heatmaps"}
        window = attrs.evolve(window, heatmaps=held.of(index), extra=extra)
        if not _any_needs(self.criteria, "neighbours"):
            return window
        previous, following = instances.previous[index], instances.next[index]
        window = attrs.evolve(window, previous=held.of(previous), has_previous=(previous >= 0).to(device))
        return attrs.evolve(window, next=held.of(following), has_next=(following >= 0).to(device))

    def _score(self, window: Window) -> None:
        """Write what each criterion says of the window's instances into its column."""
        found = self.estimates
        for name, criterion in self.criteria.items():
            if "pool" not in criterion.needs:
                seen = window
                if name in self.networks:
                    seen = attrs.evolve(window, pictures=self.crops.get(window.index), network=self.networks[name])
                found.criteria[name][window.index] = checked_scores(name, criterion, seen)
            elif "heatmaps" in criterion.needs:
                kept = checked_condensed(name, criterion, window, found.condensed.get(name))
                if name not in found.condensed:
                    found.condensed[name] = kept.new_zeros((len(found.scores), *kept.shape[1:]))
                found.condensed[name][window.index] = kept


def tracks_of(crops: Crops, found: Estimates) -> Tracks:
    """A video's instances with what has been found of them; later findings show in it."""
    instances = crops.video.instances.to(crops.device)
    columns = {name: getattr(instances, name) for name in ("frame", "track", "previous", "next", "boxes")}
    return Tracks(crops.skeleton, time=crops.times, keypoints=found.keypoints, scores=found.scores, **columns)


def window_of(tracks: Tracks, crops: Crops, found: Estimates, there: Tensor) -> Window:
    """Instances ``there`` (B,), on the device, as criteria see them, without maps."""
    names = ("frame", "track", "time", "boxes", "keypoints", "scores")
    columns = {name: getattr(tracks, name)[there] for name in names}
    features, boxes = found.features[there], crops.boxes[there]
    return Window(index=there, skeleton=tracks.skeleton, crops=boxes, features=features, **columns)


@torch.no_grad()
def estimate(
    estimator: Estimator,
    crops: Crops,
    criteria: Mapping[str, Criterion],
    compute: Compute,
    batch: int = 64,
    progress: Progress = silent,
    scoring: Stopwatch | None = None,
    candidates: int = 0,
    seed: int = 0,
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
        candidates: C, how many local maxima of each heatmap to keep.
        seed: of what dropout leaves out in further passes.

    Raises:
        InputError: a frame cannot be read.
        PluginError: what the estimator or a criterion gives breaks its contract.
    """
    instances, done = crops.video.instances, 0
    batches = torch.argsort(instances.frame, stable=True).split(batch)
    held = Held.nothing(instances, batches, _any_needs(criteria, "neighbours"))
    networks = {
        name: FurtherPasses(estimator, compute, seed_of(seed, name))
        for name, criterion in criteria.items()
        if "network" in criterion.needs
    }
    under_way: Pass | None = None
    with finite_maps(estimator) as note:
        for number, (index, maps) in enumerate(_forward(estimator, crops, batches, compute)):
            note(maps.heatmaps, maps.features)
            if under_way is None:
                columns = _columns(len(instances), maps, criteria, candidates, scoring or Stopwatch())
                under_way = Pass(crops, criteria, networks, columns, held)
            under_way.take(number, index, maps)
            progress("estimate", done := done + len(index), len(instances))
    assert under_way is not None, "a Video always has instances"
    under_way.estimates.passes.update({name: network.count for name, network in networks.items()})
    return under_way.estimates


def _any_needs(criteria: Mapping[str, Criterion], need: str) -> bool:
    return any(need in criterion.needs for criterion in criteria.values())


@torch.no_grad()
def score_pool(criteria: Mapping[str, Criterion], estimates: Estimates, crops: Crops, labelled: Tensor) -> None:
    """Write the scores of those criteria that see every instance at once.

    Args:
        criteria: by name; those that are no criteria of the pool are left out.
        estimates: of the pass, on the crops' device.
        crops: of the video.
        labelled: (N,) bool.
    """
    everything = torch.arange(len(labelled), device=labelled.device)
    window = attrs.evolve(window_of(tracks_of(crops, estimates), crops, estimates, everything), labelled=labelled)
    for name, criterion in criteria.items():
        if "pool" in criterion.needs:
            with estimates.scoring.on(estimates.scores.device):
                seen = attrs.evolve(window, condensed=estimates.condensed.get(name, window.condensed))
                estimates.criteria[name][:] = checked_scores(name, criterion, seen)


def refined(name: str, refinement: Refinement, crops: Crops, found: Estimates, labels: Labels) -> Refined:
    """What the refinement of this name makes of the poses of a pass that kept the candidates which it asks for."""
    none = found.scores.new_empty((*found.scores.shape, 0, 3))
    given = refinement.refine(tracks_of(crops, found), none if found.candidates is None else found.candidates, labels)
    return checked_refinement(name, refinement, given, (found.keypoints, found.scores))


def _forward(
    estimator: Estimator, crops: Crops, batches: Sequence[Tensor], compute: Compute
) -> Iterator[tuple[Tensor, Maps]]:
    """For each batch: indices (B,) and maps in float32."""
    estimator.eval()
    width: int | None = None
    for index, pictures in ahead((index, crops.get(index)) for index in batches):
        with torch.inference_mode(), compute.autocast():  # criteria see copies, which may meet gradients
            given = estimator(compute.layout(estimator.normalisation(pictures)))
        maps = checked_maps(estimator, given, pictures, len(crops.skeleton), width)
        width = maps.features.shape[1]
        yield index, maps._replace(heatmaps=maps.heatmaps.float().contiguous(), features=maps.features.float())


def _columns(count: int, maps: Maps, names: Iterable[str], candidates: int, scoring: Stopwatch) -> Estimates:
    """Empty columns for N = ``count`` instances, of the shapes and the device of a batch's maps."""
    heatmaps, keypoints = maps.heatmaps, maps.heatmaps.shape[1]
    return Estimates(
        heatmaps.new_empty((count, keypoints, 2)),
        heatmaps.new_empty((count, keypoints)),
        maps.features.new_empty((count, maps.features.shape[1])),
        {name: heatmaps.new_zeros(count) for name in names},
        candidates=heatmaps.new_empty((count, keypoints, candidates, 3)) if candidates else None,
        scoring=scoring,
    )
