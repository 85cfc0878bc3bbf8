"""The pass: where maps lie while they are needed, and that no batch waits for the device."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests import pretend_device
from tests.conftest import Registered, configured, stick_video
from vatl_core.compute import Compute
from vatl_core.contracts import Criterion, Maps
from vatl_core.discovery import discover
from vatl_core.estimation import Crops, Estimates, estimate
from vatl_core.estimation import crops as crops_module
from vatl_core.estimation.crops import together
from vatl_core.estimation.ring import planned
from vatl_core.estimation.side_stream import SideStream
from vatl_core.plugins import Component, build
from vatl_core.run import execute
from vatl_core.seeds import generator
from vatl_core.video import Instances, warp
from vatl_estimators.tiny import Tiny


@pytest.mark.parametrize("frames", [20, 200])
def test_no_more_heatmaps_are_held_than_neighbours_need(frames: int) -> None:
    video = stick_video(frames, tracks=2)
    slots = planned(video.instances, 8, True, torch.device("cpu"))[1]
    assert slots <= 8 + 2 * 2, "a batch, and for each track its last two instances"
    assert planned(video.instances, 8, False, torch.device("cpu"))[1] == 8


def test_no_more_crops_are_kept_than_there_is_room_for() -> None:
    crops = Crops(stick_video(20, tracks=2).without_truth(), (32, 32), torch.device("cpu"), 10 * 3 * 32 * 32)
    crops.get(torch.arange(20))
    assert crops._used == 10


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=30, unique=True), st.integers(1, 9)
)
def test_maps_lie_where_the_plan_says_until_they_are_scored(rows: list[tuple[int, int]], size: int) -> None:
    """Whoever is in any order, with whatever gaps: each is scored once, and no slot of theirs is another's by then."""
    frame, track = (torch.tensor(column) for column in zip(*rows, strict=True))
    count = len(rows)
    instances = Instances.of(frame, track, torch.ones(count, 4))
    batches, slots = planned(instances, size, True, torch.device("cpu"))
    lying, scored = [-1] * slots, []
    for batch in batches:
        for who, slot in zip(batch.index.tolist(), batch.slots.tolist(), strict=True):
            lying[slot] = who
        for n, who in enumerate(batch.ready.tolist()):
            assert lying[batch.own[n]] == who
            for side, there, slot in (
                (instances.previous, batch.has_previous, batch.previous), (instances.next, batch.has_next, batch.next)
            ):  # fmt: skip
                assert bool(there[n]) == (int(side[who]) >= 0)
                assert not there[n] or lying[slot[n]] == int(side[who])
            scored.append(who)
    assert sorted(scored) == list(range(count))


def passed(
    criteria: dict[str, Criterion], device: torch.device, frames: int, batch: int
) -> tuple[Estimates, list[str]]:
    """What a second pass finds, crops being there, and what it waits for."""
    video = stick_video(frames, tracks=2).without_truth()
    torch.manual_seed(0)
    estimator, compute = Tiny(width=8, input_size=(32, 32)), Compute(device)
    estimator.build(video.skeleton)
    compute.place(estimator)
    for name, criterion in criteria.items():
        criterion.prepare(video.skeleton, None, generator(0, name), device)
    crops = Crops(video, estimator.input_size, device, 2**31)
    estimate(estimator, crops, criteria, compute, batch)
    with pretend_device.waits() as noted:
        found = estimate(estimator, crops, criteria, compute, batch, candidates=3)
    return found, noted


def made(*names: str) -> dict[str, Criterion]:
    registry = discover()
    return {name: build(registry, "criterion", name, {}) for name in names}


def in_the_pass() -> list[str]:
    """Criteria that score within it."""
    registry = discover()
    return [n for n in registry.names("criterion") if "pool" not in build(registry, "criterion", n, {}).needs]


@pytest.mark.parametrize("name", ["lc+thc+wpu", *in_the_pass()])
def test_no_batch_waits_for_the_device(name: str) -> None:
    device = pretend_device.device()
    few = passed(made(*name.split("+")), device, 4, 4)[1]
    many = passed(made(*name.split("+")), device, 12, 4)[1]
    assert few == many, "what is asked before and after the pass is all that is asked"


def test_the_crops_of_a_batch_are_warped_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is in a call, and however many calls there are: a crop is the same to the bit."""
    device, calls = pretend_device.device(), list[int]()
    monkeypatch.setattr(crops_module, "warp", lambda *given: calls.append(len(given[0])) or warp(*given))
    video = stick_video(9, tracks=2).without_truth()
    found = []
    for pixels in (2**25, 4 * video.frames.read(0)[0].numel(), 1):
        monkeypatch.setattr(crops_module, "PIXELS", pixels)
        found.append(Crops(video, (32, 32), device, 0).get(torch.arange(18)).host)  # type: ignore[attr-defined]
    assert calls == [9, 4, 4, 1] + [1] * 9
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    here = Crops(video, (32, 32), torch.device("cpu"), 0).get(torch.arange(18))
    assert (found[0].int() - here.int()).abs().max() <= 1
    assert (found[0] != here).float().mean() < 1e-3


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), max_size=12), st.integers(0, 40))
def test_pictures_of_one_size_go_together(sizes: list[tuple[int, int]], pixels: int) -> None:
    pictures = [torch.full((3, *size), number, dtype=torch.uint8) for number, size in enumerate(sizes)]
    found = list(together(pictures, pixels))
    assert [int(picture[0, 0, 0]) for several in found for picture in several] == list(range(len(sizes)))
    assert all(len(several) == 1 or several[:, 0].numel() <= pixels for several in found)


def test_copies_beside_what_a_gpu_computes_are_waited_for_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is asked: only what CUDA would be told, and in which order."""
    told: list[str] = []

    class Stream:
        def __init__(self, name: object) -> None:
            self.name = "usual" if name == "usual" else "side"

        def wait_stream(self, other: Stream) -> None:
            told.append(f"{self.name} waits for {other.name}")

        def wait_event(self, event: str) -> None:
            told.append(f"{self.name} waits for {event}")

        def record_event(self) -> str:
            return f"what {self.name} did"

    usual = Stream("usual")
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: usual)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext(told.append(f"on {stream.name}")))
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: told.append(f"kept for {stream.name}"))
    aside = SideStream(torch.device("cuda", 0))
    coming = [aside.begin(lambda number=number: torch.tensor([number])) for number in range(2)]  # type: ignore[misc]
    assert told == ["side waits for usual", "on side", "on side"], "the usual one goes on"
    assert [int(ask()) for ask in coming] == [0, 1]
    assert told[3:] == ["usual waits for what side did", "kept for usual"] * 2
    aside.catch_up()
    assert told[-1] == "side waits for usual"


def test_no_step_of_a_retraining_waits_for_the_device() -> None:
    """Whatever changes its crops. In a process of its own: autograd counts devices once, when it begins to work."""
    done = subprocess.run([sys.executable, "-m", "tests.waits_of_training"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert {"none", "mild", "strong", "any", "halves"} <= found.keys()
    for level, (few, many) in found.items():
        assert few == many, f"{level}: what is asked before and after it is all that is asked"
        assert 0 < len(few) < 5, level


def test_a_wait_would_be_noted() -> None:
    device = pretend_device.device()

    class Asking(Criterion):
        def score(self, window):  # type: ignore[no-untyped-def]
            return window.scores.mean(1) * float(window.scores.max())

    few, many = (passed({"it": Asking()}, device, frames, 4)[1] for frames in (4, 12))
    assert len(many) == len(few) + 4


def test_the_device_is_told_the_same_as_the_cpu() -> None:
    there = passed(made("lc", "thc", "wpu"), pretend_device.device(), 9, 4)[0]
    here = passed(made("lc", "thc", "wpu"), torch.device("cpu"), 9, 4)[0]
    assert torch.equal(there.keypoints.host, here.keypoints)  # type: ignore[attr-defined]
    for name, column in here.criteria.items():  # crops are rounded otherwise here and there, by a shade
        torch.testing.assert_close(there.criteria[name].host, column, rtol=1e-3, atol=1e-5)  # type: ignore[attr-defined]


class Small(Tiny):
    """Stands for a device on which no more than three go through the network at once."""

    def forward(self, crops: torch.Tensor) -> Maps:
        if len(crops) > 3 and not self.training:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(crops)


def test_what_does_not_fit_into_the_memory_goes_in_smaller_batches() -> None:
    video, found = stick_video(9, tracks=2).without_truth(), []
    for kind in (Tiny, Small):
        torch.manual_seed(0)
        estimator, compute = kind(width=8, input_size=(32, 32)), Compute(torch.device("cpu"))
        estimator.build(video.skeleton)
        crops = Crops(video, estimator.input_size, compute.device, 2**31)
        found.append(estimate(estimator, crops, made("lc", "thc"), compute, 16))
    assert [estimates.fitting for estimates in found] == [None, 2]
    torch.testing.assert_close(found[0].criteria, found[1].criteria)
    torch.testing.assert_close(found[0].keypoints, found[1].keypoints)


def test_a_run_says_that_its_batches_were_too_large(registered: Registered, tmp_path: Path) -> None:
    registry = registered(Component("estimator", "small", "", "tests.unit.test_waiting:Small"))
    options = {"estimator": {"small": {"input_size": [64, 64], "width": 8}}}
    record = execute(configured(registry, tmp_path, estimator="small", options=options, schedule=["4"]), registry)
    assert [w for w in record.warnings if "--batch" in w] == [
        "not more than 2 instances at a time fit into the device's memory: set --batch"
    ]
