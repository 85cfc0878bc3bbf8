"""A stopping criterion that nobody asked for is left out with a warning when it fails, and the run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import attrs
import pytest
import torch
from torch import Tensor

from tests.conftest import Registered, configured
from vatl_core.contracts import Criterion, Stopping, Window
from vatl_core.errors import PluginError
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component
from vatl_core.records import History, RunRecord
from vatl_core.run import execute
from vatl_core.store import RunFolder


@attrs.frozen
class Decides(Stopping):
    """Would stop at once."""

    def decide(self, history: History) -> str | None:
        return "it is Monday"


@attrs.frozen
class Fails(Stopping):
    """Cannot decide."""

    def decide(self, history: History) -> str | None:
        raise ZeroDivisionError("by nothing")


@attrs.frozen
class Babbles(Stopping):
    """Decides something that is no reason."""

    def decide(self, history: History) -> str | None:
        return 3  # type: ignore[return-value]


@attrs.frozen
class Unmade(Stopping):
    """Cannot be made."""

    def __attrs_post_init__(self) -> None:
        raise RuntimeError("not today")

    def decide(self, history: History) -> str | None:
        return None


@attrs.frozen
class Stranger:
    """No stopping criterion at all."""


@attrs.frozen
class Watches(Stopping):
    """Watches a criterion of its own."""

    watches: ClassVar[frozenset[str]] = frozenset({"watched"})

    def decide(self, history: History) -> str | None:
        return "the watched one said so"


@attrs.frozen
class Fine(Criterion):
    """Scores everything alike."""

    needs: ClassVar[frozenset[str]] = frozenset({"poses"})

    def score(self, window: Window) -> Tensor:
        return torch.ones(len(window.scores), device=window.scores.device)


@attrs.frozen
class NotANumber(Fine):
    """Scores nothing."""

    def score(self, window: Window) -> Tensor:
        return super().score(window) * torch.nan


@attrs.frozen
class Crashes(Fine):
    """Cannot score."""

    def score(self, window: Window) -> Tensor:
        raise ZeroDivisionError("in the pass")


def here(kind: str, name: str, cls: type) -> Component:
    return Component(kind, name, "of a stranger", f"{__name__}:{cls.__name__}")


def fired(record: RunRecord) -> set[str]:
    """Those that would have stopped in the first cycle."""
    return set(RunFolder(Path(record.run)).cycles()[0].fired)


def test_one_that_was_asked_for_says_where_it_would_have_stopped(registered: Registered, tmp_path: Path) -> None:
    registry = registered(here("stopping", "odd", Watches), here("criterion", "watched", Fine))
    record = execute(configured(registry, tmp_path, schedule=["4"], advise=["odd"]), registry)
    assert "odd" in fired(record), "what it watches was computed for it"
    assert record.stopped_by != "odd"


def test_one_that_would_cost_something_is_not_asked_uncalled(registered: Registered, tmp_path: Path) -> None:
    registry = registered(
        here("stopping", "odd", Watches), here("criterion", "watched", Crashes), here("stopping", "fine", Decides)
    )
    record = execute(configured(registry, tmp_path, schedule=["4"]), registry)
    assert fired(record) >= {"fine"}
    assert "odd" not in fired(record)
    assert not [warning for warning in record.warnings if "odd" in warning]


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Fails, "'odd' is left out: stopping criterion 'odd' failed: ZeroDivisionError"),
        (Babbles, "'odd' is left out: stopping criterion 'odd' decided 3"),
        (Unmade, "'odd' is left out: RuntimeError: not today"),
        (Stranger, "'odd' is left out: AttributeError"),
    ],
)
def test_one_that_fails_is_left_out(registered: Registered, tmp_path: Path, cls: type, said: str) -> None:
    registry = registered(here("stopping", "odd", cls), here("stopping", "fine", Decides))
    record = execute(configured(registry, tmp_path, schedule=["2", "4"]), registry)
    assert record.labelled == 4
    assert [said in warning for warning in record.warnings if "odd" in warning] == [True], "said once"
    assert "fine" in fired(record), "the others go on"


def test_one_that_was_asked_for_is_not_left_out(registered: Registered, tmp_path: Path) -> None:
    for name, parts in (
        ("fails", (here("stopping", "odd", Fails),)),
        ("watches", (here("stopping", "odd", Watches), here("criterion", "watched", NotANumber))),
    ):
        registry = registered(*parts)
        with pytest.raises(PluginError):
            execute(configured(registry, tmp_path, schedule=["2", "4"], stop=["odd"], name=name), registry)


class Mourner:
    """A lifecycle plugin that fails when it hears of a failure."""

    @hookimpl
    def vatl_run_failed(self, run: object, error: BaseException) -> None:
        raise LookupError("second")


def test_what_a_plugin_makes_of_a_failure_does_not_hide_it(registered: Registered, tmp_path: Path) -> None:
    registry = registered(here("stopping", "odd", Fails), plugins=(Mourner(),))
    with pytest.raises(PluginError, match="by nothing") as failed:
        execute(configured(registry, tmp_path, schedule=["2"], stop=["odd"]), registry)
    assert "LookupError: second" in failed.value.__notes__[0]
