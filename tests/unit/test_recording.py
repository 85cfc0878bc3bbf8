"""Training steps recorded as CUDA graphs: on a CPU that stands in for CUDA, but for the last test."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, distributed

from tests.unit.test_compiling import Backend, Small, compiler, fitted, made, same
from tests.unit.test_semi import labelled, retrained
from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Maps, Recipe, Retraining
from vatl_core.learning import GradientDescent
from vatl_estimators import compiled_calls, recording
from vatl_estimators.compiled_calls import Mode
from vatl_retraining.few_labels import FewLabels
from vatl_retraining.semi import Semi

__all__ = ["compiler"]
CROPS = torch.rand(3, 3, 32, 32)
DEVICE = torch.device("cuda")


def kind(settings: dict[str, Any]) -> Mode:
    """How torch has been asked to compile something."""
    return Mode.RECORDED if settings.get("options", {}).get("triton.cudagraphs") else Mode.LAUNCHED


class Graphs:
    """A compiler whose recorded networks, as CUDA's, give their results in the same memory each time.

    Attributes:
        replays: how each network that ran was compiled.
        given: what recorded networks gave last; it is spoilt as soon as one runs again.
    """

    def __init__(self) -> None:
        self.replays: list[Mode] = []
        self.given: list[Tensor] = []

    def __call__(self, graph: Any, inputs: Any, **settings: Any) -> Callable[..., Any]:
        mode = kind(settings)

        def call(*given: Any) -> Any:
            self.replays.append(mode)
            if mode is Mode.LAUNCHED:
                return graph.forward(*given)
            for each in self.given:
                each.data.fill_(torch.nan)
            found = graph.forward(*given)
            self.given = [each.detach() for each in found]
            return found

        return call


@pytest.fixture
def graphs(compiler: Callable[[Backend], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Graphs]:
    """With the CPU taken for a device whose steps are recorded."""
    monkeypatch.setattr(recording, "RECORDING", {"cpu"})
    compiler(made_here := Graphs())
    yield made_here
    recording.STEPS.clear()


def mode(estimator: Any, crops: Tensor = CROPS) -> Mode:
    found: Mode = estimator._calls.mode(estimator, crops)
    return found


def seeded(estimator: Estimator) -> Tensor:
    """What it makes of crops where it draws the same as others."""
    torch.manual_seed(2)
    found: Tensor = estimator(CROPS).heatmaps
    return found


@pytest.mark.parametrize(("device", "yes"), [("cuda", True), ("cuda:1", True), ("cpu", False), ("mps", False)])
def test_it_is_for_cuda(device: str, yes: bool) -> None:
    assert recording.records(torch.device(device)) is yes


def test_it_is_not_for_rocm_that_calls_itself_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert not recording.records(torch.device("cuda"))


def test_steps_are_recorded_and_passes_are_not(graphs: Graphs) -> None:
    estimator = made("on")
    assert mode(estimator.train()) is Mode.RECORDED
    assert mode(estimator.eval()) is Mode.LAUNCHED
    with torch.no_grad():
        assert mode(estimator.train()) is Mode.LAUNCHED
    with torch.inference_mode():
        estimator.eval()(CROPS)
    assert graphs.replays == [Mode.LAUNCHED]


def test_before_a_step_counts_the_graph_has_run_been_recorded_and_replayed(graphs: Graphs) -> None:
    estimator = made("on").train()
    estimator(CROPS).heatmaps.sum().backward()
    assert graphs.replays == [Mode.RECORDED] * 4
    estimator.zero_grad()
    estimator(CROPS).heatmaps.sum().backward()
    assert graphs.replays == [Mode.RECORDED] * 5


def test_a_second_call_of_a_step_is_not_recorded(graphs: Graphs) -> None:
    """Nor another network's: the graphs of a device share their memory."""
    estimator, other = made("on").train(), made("on").train()
    loss = estimator(CROPS).features.sum()
    assert mode(estimator) is mode(other) is Mode.LAUNCHED
    loss.backward()
    del loss
    estimator.zero_grad()
    assert mode(estimator) is mode(other) is Mode.RECORDED


def test_a_step_that_is_given_up_does_not_count_for_ever(graphs: Graphs) -> None:
    estimator = made("on").train()
    estimator(CROPS)
    assert mode(estimator) is Mode.RECORDED


def test_a_step_whose_gradients_are_added_to_others_is_not_recorded(graphs: Graphs) -> None:
    estimator = made("on").train()
    estimator(CROPS).heatmaps.sum().backward()
    assert mode(estimator) is Mode.LAUNCHED
    estimator.zero_grad()
    assert mode(estimator) is Mode.RECORDED


def test_nothing_is_recorded_or_rehearsed_where_processes_share_the_gradients(
    graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their batches may meet a new size at different steps, and normalisation waits for all of them."""
    assert recording.alone()
    with monkeypatch.context() as patched:
        patched.setattr(distributed, "is_initialized", lambda: True)
        assert not recording.alone()
    for module in (recording, compiled_calls):
        monkeypatch.setattr(module, "alone", lambda: False)
    made("on").train()(CROPS)
    assert graphs.replays == [Mode.LAUNCHED]


def test_nothing_is_recorded_in_a_further_thread(graphs: Graphs) -> None:
    found: list[Mode] = []
    estimator = made("on").train()
    thread = threading.Thread(target=lambda: found.append(mode(estimator)))
    thread.start()
    thread.join()
    assert found == [Mode.LAUNCHED]


def test_so_many_sizes_are_recorded_and_no_more(graphs: Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_calls, "SIZES", 2)
    estimator = made("on").train()
    for size in (2, 3):
        estimator(torch.rand(size, 3, 32, 32))
    sizes = {size: mode(estimator, torch.rand(size, 3, 32, 32)) for size in (2, 3, 4)}
    assert sizes == {2: Mode.RECORDED, 3: Mode.RECORDED, 4: Mode.LAUNCHED}


def test_copies_record_for_themselves(graphs: Graphs) -> None:
    estimator = made("on").train()
    estimator(CROPS)
    graphs.replays.clear()
    copy.deepcopy(estimator)(CROPS)
    assert graphs.replays == [Mode.RECORDED] * 4


def test_what_a_step_gave_outlasts_the_next(graphs: Graphs) -> None:
    """A term of the loss may keep what it saw."""
    estimator = made("on").train()
    kept = estimator(CROPS).features.detach()
    expected = kept.clone()
    estimator(CROPS)
    assert torch.equal(kept, expected)


def test_a_network_that_is_more_than_one_graph_is_not_recorded(
    graphs: Graphs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several graphs, one may write over what another has kept for its way back."""

    def broken_off(self: Small, crops: Tensor) -> Maps:
        torch._dynamo.graph_break()
        return forward(self, crops)

    forward = Small.forward
    monkeypatch.setattr(Small, "forward", broken_off)
    estimator = made("on").train()
    estimator(CROPS)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Small cannot be recorded as CUDA graphs here and goes on compiled: ")
    assert estimator.compiled == "on"
    assert Mode.RECORDED not in graphs.replays


def test_a_recorded_fit_comes_to_the_same(graphs: Graphs) -> None:
    (found, random), (expected, drawn) = fitted("on"), fitted("off")
    assert same(found, expected)
    assert all(map(torch.equal, random, drawn))
    assert set(graphs.replays) == {Mode.RECORDED}, "each of its steps"


@pytest.mark.parametrize("policy", [FewLabels(steps=6, epochs=1), Semi(steps=6, epochs=1, rehearsal=0)])
def test_a_recorded_retraining_comes_to_the_same(policy: Retraining, graphs: Graphs) -> None:
    """The teacher's calls the network twice before one way back, and a copy of it in between."""
    plain, compiled = (retrained(policy, start=made(choice, size=64)) for choice in ("off", "on"))
    assert plain.keys() == compiled.keys()
    assert all(map(torch.equal, plain.values(), compiled.values()))
    assert Mode.RECORDED in graphs.replays


def test_where_recording_fails_steps_go_on_compiled_and_then_plain(
    graphs: Graphs, compiler: Callable[[Backend], None], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [Mode.RECORDED]

    def backend(graph: Any, inputs: Any, **settings: Any) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if kind(settings) in broken:
                raise RuntimeError("operation not permitted when stream is capturing")
            return graph.forward(*given)

        return call

    compiler(backend)
    estimator, expected = made("on").train(), made("off").train()
    assert torch.equal(seeded(estimator), seeded(expected))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Small cannot be recorded as CUDA graphs here and goes on compiled: ")
    assert same(estimator, expected)
    assert mode(estimator) is mode(copy.deepcopy(estimator)) is Mode.LAUNCHED
    broken.append(Mode.LAUNCHED)
    assert torch.equal(seeded(estimator), seeded(expected))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Small cannot be compiled here and goes on as it is: ")


def test_a_fit_leaves_nothing_to_add_to(graphs: Graphs) -> None:
    """The trainer has no gradients while it goes through the network: else none of its steps were recorded."""
    estimator, modes = made("on", size=64), list[Mode]()

    def note(network: Estimator, given: Any) -> None:
        modes.append(mode(network, given[0]))

    trainer = GradientDescent(Compute(torch.device("cpu")), torch.Generator().manual_seed(5))
    estimator.compiled = "off"
    estimator.register_forward_pre_hook(note)
    trainer.fit(estimator, labelled(), Recipe(2, batch=6))
    assert modes == [Mode.RECORDED] * 4


def gradients(estimator: Small, crops: Tensor) -> list[Tensor]:
    """Of a step that calls the network twice."""
    estimator.zero_grad()
    (estimator(crops).heatmaps.square().mean() + estimator(crops.flip(3)).features.square().mean()).backward()
    return [parameter.grad.clone() for parameter in estimator.parameters() if parameter.grad is not None]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_replayed_steps_give_the_gradients_of_plain_ones(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled, plain = (made(choice, thinned=0).to(DEVICE).train() for choice in ("on", "off"))
    for size in (3, 5, 3, 5, 3):
        crops = torch.rand(size, 3, 32, 32).to(DEVICE)
        for found, expected in zip(gradients(compiled, crops), gradients(plain, crops), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-4)
    for found, expected in zip(compiled.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)
    assert compiled._calls.sizes == {3, 5}
    assert not torch._dynamo.utils.counters["inductor"]["cudagraph_skips"], "they were graphs indeed"
    assert not capsys.readouterr().err
