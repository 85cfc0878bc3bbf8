"""Everything in the documentation that can be run is run; what cannot is held to what is installed, or says why not."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import vatl_core
from tests.docs.blocks import COMMANDS, ROOT, Block, blocks, pages
from tests.docs.commands import check_command, check_settings, parsed, registry_of
from vatl_core.cli import main
from vatl_core.composing import start
from vatl_core.config import split
from vatl_core.cycle import Run
from vatl_core.errors import InputError, VatlError
from vatl_core.plugins import Registry
from vatl_core.presets import find_preset
from vatl_core.sweeps.plan import Grid

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
FOLLOWED = {"write-a-criterion.md": "followed as a whole by test_tutorial.py, in an environment of its own"}
_QUICK = ["-o", "synthetic.source_videos=0", "-o", "continual.alpha=8"]
SMALL = {"run": [*_QUICK, "-o", "synthetic.frames=6", "--schedule", "0.2,0.4"], "sweep": _QUICK}
"""What makes a command of the documentation small enough for a test, by command."""


@pytest.fixture
def _caches(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


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
    grid = tables.pop("sweep", {})
    assert set(grid) <= set(Grid.__annotations__), f"[sweep] has no {set(grid) - set(Grid.__annotations__)}"
    for preset in grid.get("presets", ()):
        find_preset(registry, preset)
    for part in (tables, *tables.pop("variant", {}).values()):
        settings, options = split(part, "the block")
        check_settings(settings, options, registry)


def _small_start(*place: Any, options: Mapping[str, Any] | None = None, **settings: Any) -> Run:
    """``vatl_core.start``, small where the page does not say how large."""
    small = {"synthetic": {"frames": 6, "source_videos": 0}, "continual": {"alpha": 8}}
    return start(*place, options=small | dict(options or {}), **{"schedule": [4, 8]} | settings)


@pytest.mark.usefixtures("_caches")
@pytest.mark.parametrize("page", PAGES)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vatl_core, "start", _small_start, raising=False)
    module = ModuleType("documentation")
    monkeypatch.setitem(sys.modules, "documentation", module)
    for block in blocks(page):
        if block.language == "python" and block.marker != "not run":
            code = compile(block.text, block.place, "exec")
            if block.marker != "file":
                exec(code, module.__dict__)


RUN = [page for page in PAGES if any(block.marker == "run" for block in blocks(page.values[0]))]


@pytest.mark.usefixtures("_caches")
@pytest.mark.parametrize("page", RUN)
def test_marked_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name in FOLLOWED:
        pytest.skip(FOLLOWED[page.name])
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.marker == "file":
            (tmp_path / block.value).write_text(block.text, encoding="utf-8")
        for words in block.commands if block.marker == "run" else ():
            _carry_out(block, words)


def _carry_out(block: Block, words: Sequence[str]) -> None:
    assert words[0] == "vatl", f"{block.place}: only vatl's own commands are run here"
    command = parsed(words[1:])[0]
    try:
        code = main([*words[1:], *SMALL.get(command, [])])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 0, f"{block.place}: {' '.join(words)} ended with {code}"


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    for line in ("vatl run --query thx", "vatl rum", "vatl run --quer thc", "vatl run -o thc.norm=l3", "make nothing"):
        with pytest.raises((InputError, click.ClickException, AssertionError)):
            check_command(line.split(), registry_of(""), tmp_path)
