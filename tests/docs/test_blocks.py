"""Everything in the documentation that can be run is run; what cannot is held to what is installed, or says why not."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import click
import pytest

import vatl_core
from tests.docs.belongings import prepare
from tests.docs.blocks import COMMANDS, ROOT, blocks, pages
from tests.docs.commands import check_command, check_settings, registry_of
from tests.docs.reader import Reader
from vatl_core.run import start
from vatl_core.config_files import split
from vatl_core.cycle import Run
from vatl_core.errors import InputError, VatlError
from vatl_core.plugins import Registry
from vatl_criteria.uncertainty import unnaturalness
from vatl_sweep.plan import Grid
from vatl_tune.table import Tune

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
FOLLOWED = {"write-a-criterion.md": "followed as a whole by test_tutorial.py, in an environment of its own"}

ELSEWHERE = {
    r"--oracle browser|vatl annotate": "it waits for a person",
    r"posetrack21|jrdb-pose": "the data set is licensed",
    r"executor ray|vatl\[ray\]|torchrun": "it takes several machines or GPUs",
    r"(sweep|tune|bench labels) .*--jobs|sweeps/weakest": "it takes minutes",
    r"\bmake ": "it works on this repository itself",
    r"\.pth|backbone:": "the weights are other people's",
    r"…|clip\.mp4|/NAME": "the files are the reader's own",
}
"""What keeps a command without a marker from being carried out by a test, by what stands in it."""


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_known_kind_and_every_exception_has_a_reason(page: Path) -> None:
    for block in blocks(page):
        assert block.language in (*COMMANDS, "python", "toml", "json", "text"), f"{block.place}: say what it is"
        assert block.marker != "not run" or len(block.value) > 10, f"{block.place}: say why it is not run"
        assert block.marker != "run" or block.commands, f"{block.place}: nothing to run"


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_what_is_installed(page: Path, tmp_path: Path) -> None:
    registry = registry_of(page.read_text(encoding="utf-8"))
    for block in blocks(page):
        for words in block.commands if not block.marker else ():
            try:
                check_command(words, registry, tmp_path)
            except (AssertionError, VatlError, click.ClickException) as error:
                pytest.fail(f"{block.place}: {' '.join(words)}\n{error}")


@pytest.mark.parametrize("page", [page for page in PAGES if page.values[0].is_relative_to(ROOT / "docs")])
def test_every_command_is_carried_out_unless_it_cannot_be_here(page: Path) -> None:
    for block in blocks(page):
        for words in block.commands if not block.marker else ():
            line = " ".join(words)
            assert any(re.search(pattern, line) for pattern in ELSEWHERE), (
                f"{block.place}: mark as <!-- run -->: {line}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_configuration_files_are_read(page: Path) -> None:
    registry = registry_of(page.read_text(encoding="utf-8"))
    for block in blocks(page):
        if block.language == "json" and not block.marker:
            json.loads(block.text)
        if block.language == "toml" and block.marker != "not run":
            try:
                _check_tables(tomllib.loads(block.text), registry)
            except VatlError as error:
                pytest.fail(f"{block.place}: {error}")


def _check_tables(tables: dict[str, Any], registry: Registry) -> None:
    """A run's file, a sweep's, or a package's: nothing is named that does not exist."""
    if "project" in tables:
        return
    grid, search = tables.pop("sweep", {}), tables.pop("tune", {})
    assert set(search) <= set(Tune.__annotations__), f"[tune] has no {set(search) - set(Tune.__annotations__)}"
    assert set(grid) <= set(Grid.__annotations__), f"[sweep] has no {set(grid) - set(Grid.__annotations__)}"
    for preset in grid.get("presets", ()):
        registry.find("preset", preset)
    for part in (tables, *tables.pop("variant", {}).values(), *tables.pop("strategies", {}).values()):
        settings, options = split(part, "the block")
        check_settings(settings, options, registry)


def _small_start(*place: Any, options: Mapping[str, Any] | None = None, **settings: Any) -> Run:
    """``vatl_core.start``, small where the page does not say how large."""
    small = {"synthetic": {"frames": 6, "source_videos": 0}, "few-labels": {"steps": 8, "epochs": 1}}
    return start(*place, options=small | dict(options or {}), **{"schedule": [4, 8]} | settings)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The auto-encoder, which few poses teach for 800 steps, learns for two epochs."""
    recipe = attrs.evolve(unnaturalness.PRE_TRAINING, epochs=2, least_steps=0)
    monkeypatch.setattr(unnaturalness, "PRE_TRAINING", recipe)


@pytest.fixture
def reader(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, hasty: None) -> Iterator[Reader]:
    """In an empty folder, with nothing that other readers made; forgotten are the modules that they import from it."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")  # nothing is fetched for a test
    for name, place in {"XDG_CACHE_HOME": cache, "XDG_DATA_HOME": tmp_path / "data", **nowhere}.items():
        monkeypatch.setenv(name, str(place))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(vatl_core, "start", _small_start, raising=False)
    module = ModuleType("documentation")
    monkeypatch.setitem(sys.modules, "documentation", module)
    before = set(sys.modules)
    yield Reader(folder, module.__dict__, monkeypatch)
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_following_a_page_works(page: Path, reader: Reader) -> None:
    if page.name in FOLLOWED:
        pytest.skip(FOLLOWED[page.name])
    prepare(page, reader.folder)
    for block in blocks(page):
        reader.follow(block)


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    for line in ("vatl run --query thx", "vatl rum", "vatl run --quer thc", "vatl run --query thc -o thc.norm=l3", "make nothing"):
        with pytest.raises((InputError, click.ClickException, AssertionError)):
            check_command(line.split(), registry_of(""), tmp_path)
