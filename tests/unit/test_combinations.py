"""Any criterion works with any selector, retraining policy and stopping criterion, on any shape of video.

Every combination goes through the real cycle, with an estimator, pictures and recipes so small that a run takes some
hundredths of a second. What no component can tell from a run on disk is left out: files are kept in memory, and the
truth says nothing of the estimates; one run a shape is made with both. What there is to combine is asked of the
plugins: a new component takes part by itself.

Each two components of different kinds meet, and each meets every shape; ``make combinations`` has each two meet on
every shape, and runs the full product on one.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Self

import attrs
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import STICK, Registered, Squares, configured
from vatl_core.contracts import Dataset, Estimator, Maps
from vatl_core.discovery import discover
from vatl_core.estimation import Estimates
from vatl_core.plugins import Component, Registry, option_fields
from vatl_core.records import CycleRecord, RunRecord, to_json
from vatl_core.run import PastRun, execute
from vatl_core.store import RunFolder
from vatl_core.video import PERSON_17, Instances, Skeleton, Video
from vatl_core.weights import read_checkpoint, save_checkpoint
from vatl_criteria.uncertainty import unnaturalness

SKELETONS = {"17": PERSON_17, "5": STICK}
SHAPES = {"tracks": (4, 2), "one-track": (6, 1), "single-instances": (6, 0), "two-instances": (2, 1)}
"""Frames and tracks of a video; 0 tracks: every instance is a track of its own."""
VIDEOS = [f"{keypoints}-{shape}" for keypoints in SKELETONS for shape in SHAPES]
KINDS = {"query": "criterion", "select": "selector", "retrain": "retraining", "stop": "stopping"}
SUMS = ["thc+wpu", "mpe+influence", "wpu+vl4pose+random"]

Combination = tuple[str, ...]
"""The name of one component of each kind, in the order of ``KINDS``; the first may be a sum."""


# ------------------------------------------------------------------------------------------------------ what is small
@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Speck(Estimator):
    """Two convolutions: the smallest estimator there is."""

    head = "last"
    input_size: tuple[int, int] = attrs.field(default=(64, 64), kw_only=True)

    def build(self, skeleton: Skeleton) -> None:
        self.first = nn.Conv2d(3, 4, 5, stride=4, padding=2)
        self.last = nn.Conv2d(4, len(skeleton), 1)

    def forward(self, crops: Tensor) -> Maps:
        maps = self.first(crops).relu()
        return Maps(self.last(maps), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        return [{"params": list(self.parameters()), "lr": lr}]


@attrs.frozen
class Shapes(Dataset):
    """A video of noise of every shape, with truth; source poses are to be had of the 17 keypoints only."""

    def videos(self) -> list[str]:
        return VIDEOS

    def sources(self) -> list[str]:
        return ["17-source"]

    def load(self, name: str) -> Video:
        keypoints, _, shape = name.partition("-")
        skeleton, (frames, tracks) = SKELETONS[keypoints], SHAPES.get(shape, (6, 2))
        generator = torch.Generator().manual_seed(len(name))
        frame = torch.arange(frames).repeat_interleave(max(tracks, 1))
        track = torch.arange(tracks).repeat(frames) if tracks else torch.arange(frames)
        points = 20 + 24 * torch.rand(len(frame), len(skeleton), 2, generator=generator)
        boxes = torch.tensor([16.0, 16.0, 32.0, 32.0]).expand(len(frame), 4)
        pictures = torch.randint(0, 256, (frames, 3, 64, 64), generator=generator, dtype=torch.uint8)
        instances = Instances.of(frame, track, boxes, None, points, torch.ones(points.shape[:2]) > 0)
        return Video(name, skeleton, Squares(pictures), instances)


COMPONENTS = [
    Component("dataset", "shapes", "Small videos of every shape", f"{__name__}:Shapes"),
    Component("estimator", "speck", "Two convolutions", f"{__name__}:Speck"),
]

SHORT = {"scratch_epochs": 1, "alpha": 1.5, "base": 1.0, "steps": 2, "labels": 3}
"""Options that make a component's work short, or without which it has nothing to do; each gets those it has."""


def short_options(registry: Registry) -> dict[str, dict[str, dict[str, Any]]]:
    """For every component of every kind."""
    return {
        role: {
            name: {
                option: SHORT[option] for option in option_fields(registry.find(kind, name).load()) if option in SHORT
            }
            for name in registry.names(kind)
        }
        for role, kind in KINDS.items()
    }


class Memory(RunFolder):
    """A run directory that keeps everything but weights and answers in memory."""

    last: ClassVar[Memory]

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        path.mkdir(parents=True, exist_ok=True)
        self.records: list[CycleRecord] = []
        self.passes: dict[int, Estimates] = {}
        self.queries: dict[int, list[int]] = {}
        Memory.last = self

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> Self:
        return cls(path)

    def lock(self) -> None: ...

    def append(self, record: CycleRecord) -> None:
        self.records.append(record)

    def cycles(self) -> list[CycleRecord]:
        return self.records

    def close(self, record: RunRecord) -> AbstractContextManager[None]:
        return nullcontext()

    def save_estimates(self, cycle: int, estimates: Estimates) -> None:
        self.passes[cycle] = estimates
        self.cycle_folder(cycle).mkdir(parents=True, exist_ok=True)

    def estimates(self, cycle: int, device: object = "cpu") -> Estimates | None:
        return self.passes.get(cycle)

    def save_query(self, cycle: int, indices: Sequence[int]) -> None:
        self.queries[cycle] = list(indices)

    def query(self, cycle: int) -> list[int] | None:
        return self.queries.get(cycle)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a run take hundredths of a second."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr("vatl_core.run.running.RunFolder", Memory)
    monkeypatch.setattr("vatl_core.estimation.ahead", iter)  # waiting for a thread takes longer than a frame of noise
    monkeypatch.setattr("vatl_core.cycle.estimating.evaluate", lambda *_, **__: None)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The auto-encoder learns for an epoch."""
    for name in ("PRE_TRAINING", "FINE_TUNING"):
        recipe = attrs.evolve(getattr(unnaturalness, name), epochs=1, least_steps=0)
        monkeypatch.setattr(unnaturalness, name, recipe)


# ------------------------------------------------------------------------------------------------- what is to combine
def names() -> list[list[str]]:
    """Everything there is to combine, kind by kind."""
    registry = discover()
    criteria, *others = (registry.names(kind) for kind in KINDS.values())
    return [criteria + SUMS, *others]


Pair = tuple[tuple[int, str], ...]
"""Two components, with the places of their kinds; the last kind is the video's shape."""


def pairs(combination: Combination) -> set[Pair]:
    """Each two of its components, with their kinds."""
    return set(itertools.combinations(enumerate(combination), 2))


def every_pair(kinds: list[list[str]]) -> set[Pair]:
    """Each two components of different kinds."""
    named = [[(place, name) for name in kind] for place, kind in enumerate(kinds)]
    return {pair for two in itertools.combinations(named, 2) for pair in itertools.product(*two)}


def square(kinds: list[list[str]]) -> list[Combination]:
    """Combinations in which each two components of different kinds meet, few more than the largest two kinds need."""
    criteria, selectors, policies, stops, videos = kinds
    count = len(stops)
    made = [  # one further with each round, or the same policies and stopping criteria would always meet
        (
            criterion, selector, policies[(i + j) % len(policies)],
            stops[(i + j + i // count + j // count) % count], videos[(i + 3 * j + j // len(videos)) % len(videos)],
        )
        for i, criterion in enumerate(criteria)
        for j, selector in enumerate(selectors)
    ]  # fmt: skip
    met = set().union(*map(pairs, made))
    for pair in sorted(every_pair(kinds) - met):
        if pair not in met:
            made.append(tuple(dict(pair).get(place, kind[0]) for place, kind in enumerate(kinds)))
            met |= pairs(made[-1])
    return made


def of_each_query(combinations: Sequence[Combination]) -> dict[str, list[Combination]]:
    """The combinations by their criterion."""
    return {query: [c for c in combinations if c[0] == query] for query in dict.fromkeys(c[0] for c in combinations)}


ALL = names()
SQUARE = of_each_query(square([*ALL, VIDEOS]))
FULL = of_each_query(list(itertools.product(*ALL)))


def test_each_two_components_of_different_kinds_meet() -> None:
    met = set().union(*(pairs(c) for combinations in SQUARE.values() for c in combinations))
    assert met == set().union(*map(pairs, itertools.product(*ALL, VIDEOS)))
    assert sum(map(len, SQUARE.values())) < 1.2 * len(ALL[0]) * len(ALL[1])


# ---------------------------------------------------------------------------------------------------------- the runs
Go = Callable[[str, Combination, int], None]


@pytest.fixture
def go(registered: Registered, tmp_path: Path, light: None, hasty: None) -> Go:
    """Runs a combination on a video and looks at what it left behind."""
    registry = registered(*COMPONENTS)
    options = short_options(registry)

    def run(video: str, combination: Combination, number: int) -> None:
        config = configured(
            registry,
            tmp_path,
            **dict(zip(KINDS, combination, strict=True)),
            **settings(video, number, tmp_path),
            options=options,
            name=str(number),
        )
        record = execute(config, registry)
        look_at(Memory.last, record, combination, config.schedule)

    return run


def settings(video: str, number: int, folder: Path) -> dict[str, Any]:
    """Half of the runs begin with trained weights; half have a τ at which everything is correct."""
    return {
        "dataset": "shapes",
        "estimator": "speck",
        "video": video,
        "schedule": ["1", "2"] if video.endswith("two-instances") else ["2", "5"],
        "weights": str(weights(video, folder)) if number % 2 else "none",
        "threshold": 1e-12 if number // 2 % 2 else 0.5,
        "seed": number,
    }


def weights(video: str, folder: Path) -> Path:
    """A file of weights for the skeleton of a video."""
    skeleton = SKELETONS[video.partition("-")[0]]
    file = folder / f"{skeleton.name}.safetensors"
    if not file.exists():
        estimator = Speck()
        estimator.build(skeleton)
        save_checkpoint(file, estimator, skeleton)
    return file


def look_at(folder: Memory, record: RunRecord, combination: Combination, schedule: tuple[str, ...]) -> None:
    """Queries are valid, everything is finite, and the run ended for a reason of its own."""
    cycles = folder.records
    asked = [index for cycle in cycles for index in cycle.query]
    assert len(set(asked)) == len(asked) == record.labelled, "each instance at most once"
    assert set(asked) <= set(range(record.instances))
    wanted = [int(entry) for entry in schedule]
    if combination[3] == "budget":
        wanted = [min(SHORT["labels"], count) for count in wanted]
    assert [c.labelled_after for c in cycles[:-1]] == wanted[: record.cycles]
    assert cycles[-1].query == ()
    for cycle in cycles:
        json.dumps(to_json(cycle), allow_nan=False)
        assert all(0 <= similarity <= 1 for similarity in cycle.labelled_oks)
        assert list(cycle.labelled_oks[cycle.labelled :]) == list(cycle.query_oks)
        estimates = folder.passes[cycle.cycle]
        for column in (estimates.keypoints, estimates.scores, *estimates.criteria.values()):
            assert column.isfinite().all()
            assert len(column) == record.instances
    json.dumps(to_json(record), allow_nan=False)
    assert record.stopped_by in (combination[3], "schedule")
    assert record.stopped_by != "schedule" or cycles[-1].labelled == wanted[-1]
    assert record.reason
    assert all(t.isfinite().all() for t in read_checkpoint(folder.weights(len(cycles) - 1)).tensors.values())


@pytest.mark.parametrize("query", SQUARE)
def test_each_two_on_a_shape(go: Go, query: str) -> None:
    for number, (*combination, video) in enumerate(SQUARE[query], ALL[0].index(query)):
        go(video, tuple(combination), number)


@pytest.mark.combinations
@pytest.mark.parametrize("video", VIDEOS)
@pytest.mark.parametrize("query", SQUARE)
def test_each_two_on_every_shape(go: Go, query: str, video: str) -> None:
    for number, (*combination, _) in enumerate(SQUARE[query]):
        go(video, tuple(combination), number)


@pytest.mark.combinations
@pytest.mark.parametrize("query", FULL)
def test_full_product_on_one_shape(go: Go, query: str) -> None:
    for number, combination in enumerate(FULL[query]):
        go("17-tracks", combination, number)


@pytest.mark.parametrize("video", VIDEOS)
def test_each_shape_on_disk_with_its_truth(registered: Registered, tmp_path: Path, video: str, hasty: None) -> None:
    registry = registered(*COMPONENTS)
    config = configured(registry, tmp_path, **settings(video, 0, tmp_path), options=short_options(registry))
    record = execute(config, registry)
    past = PastRun.open(tmp_path / "run", registry)
    assert past.closing == record
    assert len(past.labels().index) == record.labelled
    for cycle in past.cycles:
        assert cycle.evaluation
        assert 0 <= cycle.evaluation.mean_oks <= 1
        assert sum(cycle.evaluation.counts.values()) == record.instances
        assert all(math.isfinite(rho) for rho in cycle.evaluation.rank_correlation.values())
        json.dumps(to_json(cycle), allow_nan=False)
