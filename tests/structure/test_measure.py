"""The core stays small and in order, and what measures it can tell."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.packaging.distributions import sources
from tests.structure import measure
from tests.structure.imports import ROOT, Import, past_the_door


def taken(importer: str, module: str, name: str | None) -> Import:
    return Import(Path("here.py"), 1, importer, module, name)


@pytest.mark.parametrize("what", measure.LIMITS)
def test_it_only_shrinks(what: str) -> None:
    assert measure.LIMITS[what] <= {"heart": 2800, "core": 8200}[what]
    assert sum(map(measure.lines, measure.files()[what])) <= measure.LIMITS[what]


@pytest.mark.parametrize("what", ["modules in circles of imports", "imports that go up"])
def test_there_is_none(what: str) -> None:
    assert measure.counts()[what] == []


def test_every_distribution_stands_in_the_contracts_of_import_linter() -> None:
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (plugins,) = (contract for contract in linted["contracts"] if "containers" not in contract and "layers" in contract)
    named = " ".join(plugins["layers"]).replace("|", " ").replace("\\", " ").split()
    assert sorted(named) == sorted(linted["root_packages"]) == sorted(source.package.name for source in sources())


@pytest.mark.parametrize(
    ("found", "up"),
    [
        (taken("vatl_core.records", "vatl_core.cycle", "Run"), True),
        (taken("vatl_core.store.answers", "vatl_core.metrics", "oks"), True),
        (taken("vatl_core.seeds", "vatl_core.files", "appended"), False),
        (taken("vatl_core.cycle.cycle", "vatl_core.records", "History"), False),
        (taken("vatl_core.cycle.cycle", "vatl_core.cycle.asking", "ask"), False),
    ],
)
def test_arrows_that_go_up_are_seen(found: Import, up: bool) -> None:
    assert measure.upward(found) == up


def test_circles_are_seen_and_what_leads_into_them_is_not() -> None:
    assert measure.in_circles([("a", "b"), ("b", "c"), ("a", "c")]) == set()
    assert measure.in_circles([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]) == {"b", "c"}
    assert measure.in_circles([("a", "a")]) == {"a"}


@pytest.mark.parametrize(
    ("found", "past"),
    [
        (taken("vatl_stopping.plugin", "vatl_core.video", "Skeleton"), False),
        (taken("vatl_stopping.plugin", "vatl_core", "Skeleton"), False),
        (taken("vatl_stopping.plugin", "vatl_core", "video"), False),
        (taken("vatl_stopping.plugin", "vatl_core.errors", "InputError"), False),
        (taken("vatl_stopping.plugin", "vatl_core.video.skeleton", "Skeleton"), True),
        (taken("vatl_stopping.plugin", "vatl_core.video", "skeleton"), True),
        (taken("vatl_stopping.plugin", "vatl_core.video.skeleton", None), True),
        (taken("vatl_stopping.plugin", "vatl_core.errors", "Sequence"), True),
        (taken("vatl_stopping.plugin", "vatl_core.video", "_hidden"), True),
        (taken("vatl_stopping.plugin", "vatl_drawing.poses", "draw_pose"), True),
        (taken("vatl_core.cli.run", "vatl_core.video.skeleton", "Skeleton"), True),
        (taken("vatl_core.video.columns", "vatl_core.video.skeleton", "Skeleton"), False),
        (taken("vatl_core", "vatl_core.video", "Skeleton"), False),
    ],
)
def test_a_way_past_a_door_is_seen(found: Import, past: bool) -> None:
    assert past_the_door(found) == past
