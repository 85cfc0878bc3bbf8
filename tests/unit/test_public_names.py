"""The names that scripts, plugins and the other packages may build upon: all are there, told of, and of use."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vatl_core
from tests.structure.imports import CORE, ROOT, every_import, imports, modules, past_the_door, public, room, tree
from vatl_core.config import ROLES, RunConfig
from vatl_core.run.composing import Parts, Settings

DOORS = sorted({room(module) for module in modules() if public(room(module))})
"""Every package that lists what others may take from it, and every module of the core that stands for itself."""
NAMES = [(door, name) for door in DOORS for name in sorted(public(door))]
ELSEWHERE = {
    "contracts": {"attempt": "work index run", "attempt_elsewhere": "work index run"},
    "seeds": {"generator": "seed purpose"},
    "video": {"decode": "heatmaps crops", "crop_boxes": "boxes input_size", "boxes_around": "keypoints visible"},
}
"""Functions that plugins of strangers may take from a floor's door, with their arguments."""


def told_of(name: str) -> bool:
    """Whether the documentation uses or names it, as code."""
    return any(re.search(rf"\b{re.escape(name)}\b", code) for code in _code())


def _code() -> list[str]:
    pages = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))]
    return [code for page in pages for code in re.findall(r"```python.*?```|`[^`\n]+`", page, re.DOTALL)]


@pytest.mark.parametrize("door", DOORS)
def test_each_is_there_and_says_what_it_is(door: str) -> None:
    there = importlib.import_module(door)
    for name in public(door):
        thing = getattr(there, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{door}.{name} says nothing of itself"


def test_each_is_of_use_to_others() -> None:
    """What is public in ``vatl_core``, or told of in the documentation, is for scripts and plugins of strangers."""
    used = {(room(found.target), found.name) for found in every_import() if room(found.importer) != room(found.target)}
    listed = [(door, name) for door, name in NAMES if modules()[door].name == "__init__.py" and door != CORE]
    idle = [f"{door}.{name}" for door, name in listed if (door, name) not in used and not told_of(name)]
    assert idle == []


def test_all_go_through_the_doors() -> None:
    """The core's own packages, the command line, plugins, adapters and the examples."""
    assert len(every_import()) > 1000
    assert [str(found) for found in every_import() if past_the_door(found)] == []


def test_the_examples_build_upon_what_is_stable_alone() -> None:
    stable = {CORE: public(CORE), "vatl_kit": public("vatl_kit")}
    stable |= {f"{CORE}.{module}": frozenset(functions) for module, functions in ELSEWHERE.items()}
    files = sorted((ROOT / "docs" / "examples").rglob("*.py"))
    taken = [found for file in files for found in imports(file.stem, file) if found.module.startswith(tuple(stable))]
    assert len(taken) > 15
    assert [str(found) for found in taken if found.name not in stable.get(found.module, ())] == []


def test_those_of_the_front_door_are_what_type_checkers_see() -> None:
    assert sorted(vatl_core.__all__) == sorted(name for _, name in seen_by_type_checkers())
    assert {(door, name) for door, name in seen_by_type_checkers() if name not in public(door)} == set()


def seen_by_type_checkers() -> set[tuple[str, str]]:
    """The imports that are never carried out."""
    (block,) = (node for node in tree(modules()[CORE]).body if isinstance(node, ast.If))
    taken = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {(str(node.module), alias.name) for node in taken for alias in node.names}


@pytest.mark.parametrize("module", ELSEWHERE)
def test_functions_that_are_public_elsewhere_are_told_of_and_keep_their_arguments(module: str) -> None:
    told = (ROOT / "docs" / "stability.md").read_text(encoding="utf-8")
    assert f"vatl_core.{module}" in told
    for name, arguments in ELSEWHERE[module].items():
        function = getattr(importlib.import_module(f"vatl_core.{module}"), name)
        assert list(inspect.signature(function).parameters) == arguments.split()
        assert re.search(rf"[`.]{name}`", told), f"docs/stability.md does not tell of {name}"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'vatl_core' has no attribute 'begin'"):
        _ = vatl_core.begin


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, vatl_core; from vatl_core import Component, hookimpl; print({'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_start_takes_every_setting_of_a_run_that_is_not_its_place() -> None:
    fields = set(RunConfig.__annotations__) - {"name", "runs", "preset", "options", "executor"}
    assert set(Settings.__annotations__) == fields
    assert set(Parts.__annotations__) == {*ROLES, "video"} - {"executor"}


def test_type_checkers_see_what_a_run_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        """
import vatl_core
import vatl_kit
run = vatl_core.start(query=["thc"], seed=3, display=False)
for cycle in run:
    query: list[int] = cycle.query
    cycle.query = [1, 2]
    labels: vatl_core.Labels = cycle.label()
closing: vatl_core.RunRecord | None = run.closing
vatl_core.start(sed=3)
vatl_core.start(estimator=3)
run.clsing
"""
    )
    root = Path(vatl_core.__file__).parents[1]  # whose settings and cache are those of `make lint`
    command = [sys.executable, "-m", "mypy", str(tmp_path / "script.py")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=500)
    lines = [line.partition("script.py:")[2] for line in done.stdout.splitlines() if "script.py:" in line]
    said = [line.partition(": error: ")[::2] for line in lines if ": error: " in line]
    assert [where for where, _ in said] == ["10", "11", "12"], done.stdout
    assert 'Unexpected keyword argument "sed"' in said[0][1]
    assert '"estimator"' in said[1][1]
    assert '"Run" has no attribute "clsing"' in said[2][1]
