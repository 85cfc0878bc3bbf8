"""``schedule.json``: the rates at which the optimiser really works, cycle by cycle, persisted and not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tests.conftest import Registered, configured
from tests.parity.fixtures import FOLDER, Book, content
from tests.parity.schedule import NAME, rates
from vatl_core.config import RunConfig
from vatl_core.plugins import Component, Registry
from vatl_core.run import execute
from vatl_kit.small_parts import Small
from vatl_retraining.policies import Continual

if not (FOLDER / NAME).is_file():
    pytest.skip(f"{FOLDER} has no {NAME}", allow_module_level=True)

DATA = content(NAME)
CASES = pytest.mark.parametrize(
    ("case", "which"), [pytest.param(c, w, id=f"{c}, {w}") for c in DATA["cases"] for w in ("persisted", "anew")]
)
Steps = list[list[float]]


class Grouped(Small):
    """Three layers in the fixture's three groups."""

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        layers = zip((self.first, self.second, self.last), DATA["groups"].values(), strict=True)
        return [{"params": list(layer.parameters()), "lr": lr * times} for layer, times in layers]


@pytest.fixture
def steps() -> Iterator[Steps]:
    """The rates of each group at every step that any optimiser makes, read from it."""
    found: Steps = []
    hook = register_optimizer_step_pre_hook(lambda o, *_: found.append([float(g["lr"]) for g in o.param_groups]))
    yield found
    hook.remove()


@CASES
def test_the_fixture_is_what_torchs_own_scheduler_gives(case: str, which: str) -> None:
    told = DATA["cases"][case]
    found = rates(DATA["recipe"], DATA["groups"], told["epochs"], persists=which == "persisted")
    assert all(
        found[name] == {point: pytest.approx(told[which][name][point]) for point in found[name]} for name in found
    )


@CASES
def test_a_run_of_a_preset_works_at_these_rates(
    case: str,
    which: str,
    book: Book,
    steps: Steps,
    registered: Registered,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = registered(Component("estimator", "grouped", "", f"{__name__}:Grouped"))
    execute(_run(case, which, registry, tmp_path, monkeypatch, book.device), registry)
    _compare(steps, case, which, book)


def test_a_run_that_was_killed_in_a_retraining_goes_on_at_these_rates(
    book: Book, steps: Steps, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = [*DATA["cases"]][-1]
    registry = registered(Component("estimator", "grouped", "", f"{__name__}:Grouped"))
    config = _run(case, "persisted", registry, tmp_path, monkeypatch, book.device)
    whole = DATA["cases"][case]["epochs"][0]

    def kill(*_: Any) -> None:
        if len(steps) > whole + 5:
            raise KeyboardInterrupt

    hook = register_optimizer_step_pre_hook(kill)
    with pytest.raises(KeyboardInterrupt):
        execute(config, registry)
    hook.remove()
    del steps[whole:]  # the second retraining begins again
    execute(config.path, registry)
    _compare(steps, case, "persisted", book)


def _run(
    case: str, which: str, registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> RunConfig:
    """A preset's on the sticks, with a label a cycle and as many epochs as given; its optimiser is what is tested."""
    epochs = DATA["cases"][case]["epochs"]
    monkeypatch.setattr(Continual, "epochs", lambda _, history: epochs[history.present.cycle])
    settings = dict.fromkeys(("query", "select", "retrain", "refine", "stop")) | {"preset": "random"}
    settings |= {"estimator": "grouped", "weights": "none", "device": device}
    schedule = [str(count + 1) for count in range(len(epochs))]
    options = {"retrain": {"continual": {} if which == "persisted" else {"schedule": "cycle"}}}
    return configured(registry, folder, schedule=schedule, options=options, **settings)


def _compare(steps: Steps, case: str, which: str, book: Book) -> None:
    """The rates at each cycle's first and last step; one without epochs has none."""
    told = DATA["cases"][case]
    assert len(steps) == sum(told["epochs"]), "one step an epoch"
    ends = list(itertools.accumulate(told["epochs"]))
    having = [(cycle, end, count) for cycle, (end, count) in enumerate(zip(ends, told["epochs"], strict=True)) if count]
    for number, name in enumerate(DATA["groups"]):
        for point, at in (
            ("start", [end - count for _, end, count in having]),
            ("last", [end - 1 for _, end, _ in having]),
        ):
            ours = torch.tensor([steps[step][number] for step in at], dtype=torch.float64)
            theirs = torch.tensor([told[which][name][point][cycle] for cycle, *_ in having], dtype=torch.float64)
            deviation = float(((ours - theirs).abs() / theirs).max())
            book.note(NAME, f"{which}: {point} of each cycle", deviation, 1e-4)
