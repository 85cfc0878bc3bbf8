"""Estimators that torch compiles: the same numbers, the same files, and on as they are where it fails."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from tests.conftest import STICK, Registered, configured, stick_video
from tests.unit.test_semi import labelled
from vatl_core.compute import Compute
from vatl_core.contracts import Maps, Recipe
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.learning import GradientDescent
from vatl_core.run import execute
from vatl_core.video import Skeleton
from vatl_estimators import compiled_calls
from vatl_estimators.compiling import Compilable
from vatl_estimators.tiny import Tiny
from vatl_export.network import FromBytes

CPU = Compute(torch.device("cpu"))


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Small(Compilable):
    """Averages over batches, counts them and draws random numbers; so small that compiling it takes no time."""

    head = "final_layer"

    thinned: float = attrs.field(default=0.3, kw_only=True)

    def build(self, skeleton: Skeleton) -> None:
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 5, 4, 2), nn.BatchNorm2d(6), nn.ReLU())
        self.final_layer = nn.Conv2d(6, len(skeleton), 1)

    def forward(self, crops: Tensor) -> Maps:
        maps = self.stem(dropout(crops, self.thinned, self.training))
        return Maps(self.final_layer(maps), maps.mean((2, 3)))

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        return [{"params": list(self.parameters()), "lr": lr}]


def made(compiled: str, size: int = 32, thinned: float = 0.3) -> Small:
    torch.manual_seed(0)
    estimator = Small(input_size=(size, size), compiled=compiled, thinned=thinned)
    estimator.build(STICK)
    return estimator


def fitted(compiled: str) -> tuple[Small, list[Tensor]]:
    """Fitted in batches of two sizes, and what is random after it."""
    estimator = made(compiled, 64)
    torch.manual_seed(3)
    trainer = GradientDescent(CPU, torch.Generator().manual_seed(5))
    trainer.fit(estimator, labelled(torch.arange(0, 14, 2)), Recipe(2, batch=4))
    return estimator, [torch.get_rng_state(), trainer.generator.get_state()]


def same(one: nn.Module, other: nn.Module) -> bool:
    """To the bit, buffers included."""
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


Backend = Callable[..., Callable[..., Any]]


def failing_back(error: Exception) -> Backend:
    """A compiler whose networks only fail on the way back."""

    def fail(gradient: Tensor) -> None:
        raise error

    def backend(graph: Any, inputs: Any) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            found = graph.forward(*given)
            for each in found:
                if each.requires_grad:
                    each.register_hook(fail)
            return found

        return call

    return backend


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Backend], None]:
    """Sets which compiler is taken."""

    def take(backend: Backend) -> None:
        monkeypatch.setattr(compiled_calls, "BACKEND", backend)
        torch._dynamo.reset()

    return take


@pytest.fixture
def calls(compiler: Callable[[Backend], None]) -> list[int]:
    """What is compiled, by a compiler that runs the graph as it is: no machine has to have one for C++."""
    found: list[int] = []

    def backend(graph: Any, inputs: Any) -> Any:
        found.append(len(inputs))
        return graph.forward

    compiler(backend)
    return found


def test_compiled_it_gives_the_same_and_is_kept_the_same(calls: list[int]) -> None:
    video = stick_video(6).without_truth()
    plain, compiled = made("off"), made("on")
    found = [estimate(e, Crops(video, (32, 32), CPU.device, 2**30), {}, CPU, 5) for e in (plain, compiled)]
    torch.testing.assert_close(found[0].keypoints, found[1].keypoints)
    assert calls, "something was compiled"
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    again = len(calls)
    estimate(compiled, Crops(video, (32, 32), CPU.device, 2**30), {}, CPU, 5)
    assert len(calls) == again, "once, not once a pass"


@pytest.mark.parametrize("choice", ["off", "auto"])
def test_on_a_cpu_nothing_is_compiled_unasked(calls: list[int], choice: str) -> None:
    made(choice)(torch.zeros(2, 3, 32, 32))
    assert not calls


def test_where_it_fails_it_goes_on_with_a_line(
    compiler: Callable[[Backend], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no compiler for C++ is installed")

    compiler(broken)
    estimator, crops = made("on").eval(), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(estimator(crops).heatmaps, made("off").eval()(crops).heatmaps)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Small cannot be compiled here and goes on as it is:")
    estimator(crops)
    assert not capsys.readouterr().err, "once is enough"


def test_where_it_fails_only_on_the_way_back_it_learns_the_same_with_a_line(
    compiler: Callable[[Backend], None], capsys: pytest.CaptureFixture[str]
) -> None:
    compiler(failing_back(RuntimeError("no kernel for this gradient")))
    (found, random), (expected, drawn) = fitted("on"), fitted("off")
    assert same(found, expected)
    assert all(map(torch.equal, random, drawn))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Small cannot be compiled here and goes on as it is: ")
    assert "no kernel for this gradient" in line


def test_what_is_tried_before_leaves_no_trace(calls: list[int]) -> None:
    """Weights, averages, counts and random numbers are as without it."""
    (found, random), (expected, drawn) = fitted("on"), fitted("off")
    assert calls
    assert same(found, expected)
    assert all(map(torch.equal, random, drawn))


def test_gradients_are_left_as_they_were(calls: list[int]) -> None:
    estimator, crops = made("on").train(), torch.rand(2, 3, 32, 32)
    for parameter in estimator.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    estimator(crops)
    assert all(bool((parameter.grad == 7).all()) for parameter in estimator.parameters() if parameter.grad is not None)
    assert calls


def test_a_first_call_between_another_and_its_way_back_changes_nothing(calls: list[int]) -> None:
    """A loss of two batches, as a teacher has it: the second is of a size that has not been tried."""
    networks = made("on").train(), made("off").train()
    for network in networks:
        torch.manual_seed(1)
        crops = torch.rand(5, 3, 32, 32)
        (network(crops[:2]).heatmaps.sum() + network(crops[2:]).heatmaps.square().sum()).backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(*(n.parameters() for n in networks), strict=True))
    assert same(*networks)


@pytest.mark.parametrize("training", [True, False])
def test_too_little_memory_is_the_callers_affair(
    training: bool, compiler: Callable[[Backend], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def full(graph: Any, inputs: Any) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            raise torch.OutOfMemoryError("full")

        return call

    compiler(failing_back(torch.OutOfMemoryError("full")) if training else full)
    estimator = made("on").train(training)
    with torch.set_grad_enabled(training), pytest.raises(torch.OutOfMemoryError):
        estimator(torch.rand(2, 3, 32, 32))
    assert estimator.compiled == "on"
    assert not capsys.readouterr().err


def test_what_is_wrong_with_the_network_itself_is_told(calls: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    estimator = made("on")
    with pytest.raises(RuntimeError):
        estimator(torch.rand(2, 1, 32, 32))
    assert not capsys.readouterr().err
    assert estimator.compiled == "on", "the compiler is not to blame"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])  # noqa: S301
def test_a_copy_is_compiled_for_itself(copied: Callable[[Small], Small], calls: list[int]) -> None:
    """What was compiled of the first would give the copy the first's weights."""
    estimator, crops = made("on").eval(), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        estimator(crops)
        other = copied(estimator)
        for parameter in other.get_submodule(other.head).parameters():
            parameter.zero_()
        assert not other(crops).heatmaps.any()
        assert estimator(crops).heatmaps.any()
    assert other.state_dict().keys() == made("off").state_dict().keys()


def test_whoever_exports_it_exports_it_plain(calls: list[int]) -> None:
    estimator = made("on").eval().requires_grad_(False)
    crops = torch.randint(0, 255, (3, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        batch = {0: torch.export.Dim("batch")}
        program = torch.export.export(FromBytes(estimator), (crops[:2],), dynamic_shapes=(batch,))
        expected = FromBytes(made("off").eval())(crops)
    torch.testing.assert_close(program.module()(crops), expected)
    assert not calls


def grown(**settings: Any) -> dict[str, Any]:
    """A run whose batches grow with every cycle."""
    return {
        "query": "lc",
        "batch": 10,  # of 24 instances: the last has another size
        "options": {
            "estimator": {"tiny": {"compiled": "on", "width": 8, "input_size": [64, 64]}},
            "retrain": {"few-labels": {"steps": 2, "epochs": 1}, "semi": {"steps": 2, "epochs": 1, "rehearsal": 0}},
        },
        **settings,
    }


def test_in_nine_cycles_pass_and_steps_are_compiled_once_each(
    calls: list[int], registered: Registered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nine = grown(schedule=[str(count) for count in range(2, 11)], retrain="few-labels")
    assert execute(configured(registered(), tmp_path, **nine), registered()).cycles == 9
    assert len(calls) == 2
    assert "compiled" not in capsys.readouterr().err


def test_a_teacher_adds_no_versions_with_the_cycles(
    calls: list[int], registered: Registered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Looking at crops outside of the pass has a version, and the teacher, who has no gradients, too; copies do not."""
    three = grown(schedule=["3", "5", "8"], retrain="semi")
    execute(configured(registered(), tmp_path, **three), registered())
    assert len(calls) == 4
    assert "compiled" not in capsys.readouterr().err


def test_a_size_of_the_batch_has_no_version_of_its_own(calls: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """Torch takes other kernels for one crop and, on CPUs, from sixteen on; that is all."""
    estimator = made("on").train()
    for size in (4, 2, 9, 15, 3, 7, 5, 11, 14, 6, 1, 16, 20, 33, 17, 21, 40, 18, 23):
        estimator(torch.rand(size, 3, 32, 32)).heatmaps.sum().backward()
    assert len(calls) <= 3
    assert not capsys.readouterr().err


def test_more_versions_than_torch_may_hold_are_not_passed_over_in_silence(
    calls: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled_calls, "VERSIONS", 1)
    estimator, crops = made("on"), torch.rand(2, 3, 32, 32)
    estimator.train()(crops)
    with torch.no_grad():
        found = estimator.eval()(crops)
    torch.testing.assert_close(found.heatmaps, copy.deepcopy(estimator)(crops).heatmaps)
    *_, line = capsys.readouterr().err.splitlines()  # torch says pages of its own
    assert line.startswith("vatl: Small cannot be compiled here and goes on as it is:")


def test_a_thinned_pass_is_thinned_though_the_plain_one_is_compiled(calls: list[int]) -> None:
    """Hooks that come after compiling would else be left out without a word."""
    estimator, pictures = made("on").eval(), torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8)
    network = FurtherPasses(estimator, CPU, 0)
    with torch.no_grad():
        plain, thin = network(pictures), network(pictures, dropout=0.5)
        expected = FurtherPasses(made("off").eval(), CPU, 0)(pictures, dropout=0.5)
    torch.testing.assert_close(thin.heatmaps, expected.heatmaps)
    assert not torch.allclose(plain.heatmaps, thin.heatmaps)


def test_a_run_with_it_learns(calls: list[int], registered: Registered, tmp_path: Path) -> None:
    options = {"estimator": {"tiny": {"compiled": "on"}}}
    record = execute(configured(registered(), tmp_path, options=options, schedule=["4"], retrain="full"), registered())
    assert record.labelled == 4
    assert calls


def test_another_word_is_refused() -> None:
    with pytest.raises((ValueError, InputError), match="compiled"):
        Tiny(compiled="maybe")
