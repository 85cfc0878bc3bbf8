"""The names that scripts and plugins may build upon: none goes unnoticed, none comes by accident."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vatl_core
import vatl_kit
from vatl_core.config import ROLES, RunConfig
from vatl_core.run.composing import Parts, Settings

PUBLIC = """
    Augmentation Command Component Criterion Cycle CycleRecord Dataset Download Enough Estimator Executor Frames History
    InputError Instances Labelled Labels Normalisation Oracle Origin Outcome PERSON_17 PastRun PluginError Pool Poses
    Preset Recipe Redrawn Refinement Refusal Request Retraining Run RunRecord Selector Skeleton Stopping Trainer Trunk
    VatlError Video Window hookimpl resume start
"""

ELSEWHERE = {
    "contracts": {"attempt": "work index run", "attempt_elsewhere": "work index run"},
    "seeds": {"generator": "seed purpose"},
    "video": {"decode": "heatmaps crops", "crop_boxes": "boxes input_size", "boxes_around": "keypoints visible"},
}
"""Public functions that are imported from the doors below, with their arguments."""
ROOT = Path(__file__).parents[2]


def test_the_public_names_are_these() -> None:
    assert sorted(vatl_core.__all__) == sorted(PUBLIC.split())
    assert set(dir_of_type_checkers()) == set(PUBLIC.split())


def dir_of_type_checkers() -> list[str]:
    """What a type checker sees: the imports that are never carried out."""
    source = ast.parse(Path(inspect.getfile(vatl_core)).read_text(encoding="utf-8"))
    (block,) = (node for node in source.body if isinstance(node, ast.If))
    return [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]


@pytest.mark.parametrize("name", PUBLIC.split())
def test_each_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(vatl_core, name)
    assert name == "PERSON_17" or name == "hookimpl" or inspect.getdoc(thing)


@pytest.mark.parametrize("module", ELSEWHERE)
def test_functions_that_are_public_elsewhere_are_told_of_and_keep_their_arguments(module: str) -> None:
    told = (ROOT / "docs" / "stability.md").read_text(encoding="utf-8")
    assert f"vatl_core.{module}" in told
    for name, arguments in ELSEWHERE[module].items():
        function = getattr(importlib.import_module(f"vatl_core.{module}"), name)
        assert list(inspect.signature(function).parameters) == arguments.split()
        assert inspect.getdoc(function)
        assert re.search(rf"[`.]{name}`", told), f"docs/stability.md does not tell of {name}"


def test_the_examples_build_upon_nothing_else() -> None:
    stable = {"vatl_core": PUBLIC.split(), "vatl_kit": vatl_kit.__all__}
    stable |= {f"vatl_core.{door}": list(functions) for door, functions in ELSEWHERE.items()}
    files = sorted((ROOT / "docs" / "examples").rglob("*.py"))
    imported = [(file, *found) for file in files for found in _imported(file)]
    assert len(imported) > 15
    assert [(str(file), name) for file, module, name in imported if name not in stable.get(module, ())] == []


def _imported(file: Path) -> Iterator[tuple[str, str]]:
    """What a module takes from vatl_core, as modules and names in them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "vatl_core":
            yield from ((str(node.module), alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            yield from ((alias.name, "itself") for alias in node.names if alias.name.startswith("vatl_core."))


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
    assert [where for where, _ in said] == ["9", "10", "11"], done.stdout
    assert 'Unexpected keyword argument "sed"' in said[0][1]
    assert '"estimator"' in said[1][1]
    assert '"Run" has no attribute "clsing"' in said[2][1]
