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
from vatl_core.estimation.ring import Batch, planned
from vatl_core.progress import Progress, silent
from vatl_core.promises import checked_condensed, checked_maps, checked_refinement, checked_scores, finite_maps
from vatl_core.seeds import seed_of
from vatl_core.video import decode, peaks


@attrs.define
class Pass:
    """One pass over a video, under way.

    Attributes:
        crops: of the video, of the estimator's input size.
        criteria: those to compute, by name.
        networks: what those of them are given that declare further passes.
        estimates: what has been found so far.
        slots: how many instances' maps are needed at once; ``maps`` are those, ``{name: (slots, …)}``.
        tracks: the instances, as far as they have been found.
    """

    crops: Crops
    criteria: Mapping[str, Criterion]
    networks: Mapping[str, FurtherPasses]
    estimates: Estimates
    slots: int
    maps: dict[str, Tensor] = attrs.field(init=False, factory=dict)
    tracks: Tracks = attrs.Factory(lambda self: tracks_of(self.crops, self.estimates), takes_self=True)

    def take(self, batch: Batch, maps: Maps) -> None:
        """Decode a batch, and score what it makes ready."""
        there, found = batch.there, self.estimates
        boxes = self.crops.boxes[there]
        found.keypoints[there], found.scores[there] = decode(maps.heatmaps, boxes)
        found.features[there] = maps.features
        if found.candidates is not None:
            found.candidates[there] = peaks(maps.heatmaps, boxes, found.candidates.shape[2])
        self._hold(batch, {"heatmaps": maps.heatmaps, **(maps.extra if _any_needs(self.criteria, "extra") else {})})
        with found.scoring.on(self.crops.device):
            if len(batch.ready):
                self._score(self._window(batch), batch.scored)

    def _hold(self, batch: Batch, maps: Mapping[str, Tensor]) -> None:
        for name, new in maps.items():
            if name not in self.maps:
                self.maps[name] = new.new_empty((self.slots, *new.shape[1:]))
            self.maps[name][batch.slots] = new

    def _window(self, batch: Batch) -> Window:
        """Those that are ready as criteria see them, without further passes."""
        window = window_of(self.tracks, self.crops, self.estimates, batch.ready)
        extra = {name: maps[batch.own] for name, maps in self.maps.items()}
        window = attrs.evolve(window, heatmaps=extra.pop("heatmaps"), extra=extra)
        if not _any_needs(self.criteria, "neighbours"):
            return window
        heatmaps = self.maps["heatmaps"]
        window = attrs.evolve(window, previous=heatmaps[batch.previous], has_previous=batch.has_previous)
        return attrs.evolve(window, next=heatmaps[batch.next], has_next=batch.has_next)

    def _score(self, window: Window, index: Tensor) -> None:
        """Write what each criterion says of the window's instances, ``index`` on the host, into its column."""
        found = self.estimates
        for name, criterion in self.criteria.items():
            if "pool" not in criterion.needs:
                seen = window
                if name in self.networks:
                    seen = attrs.evolve(window, pictures=self.crops.get(index), network=self.networks[name])
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
    batch: int | None = None,
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
        batch: instances to a forward pass, what suits the device if not given; halved as often as they do not fit.
        progress: told after each batch.
        scoring: what the criteria's time is added to.
        candidates: C, how many local maxima of each heatmap to keep.
        seed: of what dropout leaves out in further passes.

    Raises:
        InputError: a frame cannot be read.
        PluginError: what the estimator or a criterion gives breaks its contract.
    """
    size = tried = batch or (256 if compute.device.type == "cuda" else 64)
    while True:
        try:
            how = progress, scoring or Stopwatch(), candidates, seed
            found = _passed(estimator, crops, criteria, compute, size, *how)
            return attrs.evolve(found, fitting=size if size < tried else None)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
        size //= 2  # where the error no longer holds what did not fit


def _passed(
    estimator: Estimator, crops: Crops, criteria: Mapping[str, Criterion], compute: Compute, batch: int,
    progress: Progress, scoring: Stopwatch, candidates: int, seed: int,
) -> Estimates:  # fmt: skip
    """The pass in batches of this size, all of which have to fit."""
    instances, done = crops.video.instances, 0
    batches, slots = planned(instances, batch, _any_needs(criteria, "neighbours"), crops.device)
    networks = {
        name: FurtherPasses(estimator, compute, seed_of(seed, name))
        for name, criterion in criteria.items()
        if "network" in criterion.needs
    }
    under_way: Pass | None = None
    with finite_maps(estimator) as note:
        for part, maps in _forward(estimator, crops, batches, compute):
            note(maps.heatmaps, maps.features)
            if under_way is None:
                columns = _columns(len(instances), maps, criteria, candidates, scoring)
                under_way = Pass(crops, criteria, networks, columns, slots)
            under_way.take(part, maps)
            progress("estimate", done := done + len(part.index), len(instances))
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
    estimator: Estimator, crops: Crops, batches: Sequence[Batch], compute: Compute
) -> Iterator[tuple[Batch, Maps]]:
    """The maps of each batch, in float32."""
    estimator.eval()
    width: int | None = None
    for batch, coming in ahead((batch, crops.coming(batch.index)) for batch in batches):
        pictures = coming()
        with torch.inference_mode():  # criteria see copies, which may meet gradients
            given = compute.forward(estimator, pictures)
        maps = checked_maps(estimator, given, pictures, len(crops.skeleton), width)
        width = maps.features.shape[1]
        yield batch, maps._replace(heatmaps=maps.heatmaps.float().contiguous(), features=maps.features.float())


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
