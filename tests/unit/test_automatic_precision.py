"""Whatever the automatic precision comes to on a processor, runs are told apart, resumed and checked alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Registered, Vatl, configured
from tests.unit import test_wrong_output as wrong
from tests.unit.test_cycle import InterruptedRunError, Interrupter, outcome
from vatl_core.run import execute
from vatl_core.store import RunFolder
from vatl_estimators.tiny import Tiny
from vatl_kit.checking import flaws

site, vatl = wrong.site, wrong.vatl


@pytest.mark.parametrize("given", ["heatmaps", "features"])
def test_what_an_estimator_gave_is_told_in_it(site: Path, vatl: Vatl, automatic_precision: str, given: str) -> None:
    body = wrong.HEATMAPS + "return Maps(" + "heatmaps, features".replace(given, f"{given}.to('meta')") + ")"
    line = wrong.ran_with(site, vatl, "estimator", body, "--precision", "auto")
    assert f"gave {given} on meta: they are to stay on cpu" in line


def test_a_run_records_it(registered: Registered, tmp_path: Path, automatic_precision: str) -> None:
    registry = registered()
    execute(configured(registry, tmp_path, precision="auto"), registry)
    assert RunFolder(tmp_path / "run").config["made_with"]["precision"] == automatic_precision


@pytest.mark.parametrize("at", [2, 5, 9])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    registered: Registered, tmp_path: Path, automatic_precision: str, at: int
) -> None:
    plain, broken_off = registered(), registered(plugins=(Interrupter(at),))
    execute(configured(plain, tmp_path, name="plain", precision="auto"), plain)
    with pytest.raises(InterruptedRunError):
        execute(configured(broken_off, tmp_path, name="broken-off", precision="auto"), broken_off)
    execute(tmp_path / "broken-off", registered())
    assert outcome(tmp_path / "broken-off") == outcome(tmp_path / "plain")


@pytest.mark.usefixtures("automatic_precision")
def test_an_estimator_keeps_its_contract() -> None:
    assert [str(error) for _, error in flaws("estimator", Tiny(width=8, input_size=(64, 64))) if error] == []
