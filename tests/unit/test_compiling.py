"""Estimators that torch compiles: the same numbers, the same files, and on as they are where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import STICK, Registered, configured, stick_video
from vatl_core.compute import Compute
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.run import execute
from vatl_estimators import compiling
from vatl_estimators.tiny import Tiny

CPU = Compute(torch.device("cpu"))


def made(compiled: str) -> Tiny:
    torch.manual_seed(0)
    estimator = Tiny(width=8, input_size=(32, 32), compiled=compiled)
    estimator.build(STICK)
    return estimator


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is compiled, by a compiler that runs the graph as it is: no machine has to have one for C++."""
    found: list[int] = []

    def backend(graph: Any, inputs: Any) -> Any:
        found.append(len(inputs))
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", backend)
    torch._dynamo.reset()
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
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no compiler for C++ is installed")

    monkeypatch.setattr(compiling, "BACKEND", broken)
    torch._dynamo.reset()
    estimator, crops = made("on"), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(estimator(crops).heatmaps, made("off")(crops).heatmaps)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vatl: Tiny cannot be compiled here and goes on as it is:")
    estimator(crops)
    assert not capsys.readouterr().err, "once is enough"


def test_what_is_wrong_with_the_network_itself_is_told(calls: list[int]) -> None:
    with pytest.raises(RuntimeError):
        made("on")(torch.rand(2, 1, 32, 32))


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
