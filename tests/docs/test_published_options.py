"""``docs/published-options.md``, line by line: what it says vatl has is there, by this name, and takes this value."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import click
import pytest

from tests.docs.blocks import ROOT
from tests.docs.commands import LEFT_OUT, check_command, parsed
from vatl_core.cli import vatl
from vatl_core.cli.run import command as run
from vatl_core.config import ROLES
from vatl_core.config_files import configure
from vatl_core.discovery import discover
from vatl_core.errors import InputError, VatlError
from vatl_core.plugins import KINDS, Registry, build, option_fields
from vatl_train.presets import TrainingPreset

PAGE: Final = ROOT / "docs" / "published-options.md"
THEIRS: Final = re.compile(r"published.*|`--\w+`|default there|value for PoseTrack21")
"""Heads of the columns that are about the released code."""
SPAN: Final = re.compile(r"`([^`]+)`")
RUN: Final = ("vatl", "run")
FLAGS: Final = {flag: parameter for parameter in run.params for flag in parameter.opts}
ALWAYS: Final = {flag for parameter in vatl.params for flag in parameter.opts}
"""Flags that may stand anywhere."""


@attrs.frozen
class Row:
    """One line of a table.

    Attributes:
        line: counted from 1.
        theirs, ours: what is in code in the columns about the released code, and in the others.
        cells: all, in order.
    """

    line: int
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    cells: tuple[str, ...]


def rows() -> Iterator[Row]:
    """Every line of every table below its head."""
    head: list[str] = []
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells or set(line) <= {"|", "-", ":", " "}:
            head = head if cells else []
        elif not head:
            head = cells
        else:
            assert len(cells) == len(head), f"line {number} has {len(cells)} columns, not {len(head)}"
            about = [bool(THEIRS.fullmatch(name)) for name in head]
            columns = [
                [c for c, theirs in zip(cells, about, strict=True) if theirs is which] for which in (True, False)
            ]
            theirs, ours = (tuple(SPAN.findall(" ".join(column))) for column in columns)
            yield Row(number, theirs, ours, tuple(cells))


ROWS: Final = list(rows())
PARAMETERS: Final = [pytest.param(row, id=f"{row.line} {' '.join(row.cells[0].split())}") for row in ROWS]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


@pytest.mark.parametrize("row", PARAMETERS)
def test_whatever_a_row_names_is_there(row: Row, registry: Registry, tmp_path: Path) -> None:
    _check_all(row.ours, registry, tmp_path)


def test_what_is_said_between_the_tables_is_there_too(registry: Registry, tmp_path: Path) -> None:
    text = re.sub(r"```.*?```", "", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    theirs = {word for row in ROWS for span in row.theirs for word in span.split()}
    spans = [" ".join(span.split()) for span in SPAN.findall(prose)]
    ours = [span for span in spans if span.startswith(("-", "vatl ")) and span not in theirs and "NAME" not in span]
    assert len(ours) > 10
    _check_all(ours, registry, tmp_path)


def test_every_preset_has_a_row_that_says_what_it_sets(registry: Registry) -> None:
    told = {row.ours[0]: row.ours[1] for row in ROWS if row.ours and row.ours[0] in registry.names("preset")}
    presets = registry.described("preset")
    of_runs = {name for name, preset in presets.items() if not isinstance(preset, TrainingPreset)}
    assert told.keys() == of_runs - {"fewest-labels"}
    for name, flags in told.items():
        _, context = parsed([*RUN[1:], *shlex.split(flags)])
        said = {setting: value for setting, value in context.params.items() if setting in ROLES and value}
        config = configure(registry, {"preset": name})
        assert {role: getattr(config, role) for role in said} == said, name
        usual = {"query_weights": "dynamic", "retrain": "continual"}
        assert all(getattr(config, s) == (context.params[s] or usual[s]) for s in usual), name


@pytest.mark.parametrize(
    "wrong",
    [
        "--selekt duw", "--select dwu", "-o duw.uncertainty_wait", "-o dwu.uncertainty_weight", "--preset vatl5pose",
        "-o duw.uncertainty_weight=much", "--rounding up", "vatl fitt wpu", "vatl train --milestones", "nothing-like",
        "-o vl4pose.reduce=product", "--query thc+wpo", "--schedule 0.2,0.1", "--threshold 2", "vatl fit wpo",
    ],
)  # fmt: skip
def test_what_is_not_there_is_seen(wrong: str, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, VatlError, click.ClickException, TypeError, ValueError)):
        _check_all([wrong], registry, tmp_path)


def _check_all(spans: Sequence[str], registry: Registry, folder: Path) -> None:
    """Hold code to what is installed: commands, flags of the command before them, and names.

    Raises:
        VatlError, click.ClickException, AssertionError: something does not exist, or does not fit.
    """
    command: Sequence[str] = RUN
    for span in spans:
        words = shlex.split(span)
        if words[0] == "vatl":
            flags = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
            command, words = words[:flags], words[flags:]
        if not words or words[0].startswith("-"):
            _check_flags(command, words, registry, folder)
        else:
            _check_name(span, spans, registry)


def _check_flags(command: Sequence[str], words: Sequence[str], registry: Registry, folder: Path) -> None:
    """A command with these flags; of those that have no value here it is enough that they are there."""
    for word in command[2:]:
        if "/" in word:
            (folder / word).mkdir(parents=True, exist_ok=True)
        elif "." in word:
            (folder / word).touch()
    with contextlib.chdir(folder):
        _, context = parsed([*command[1:]], resilient=True)
    known = {
        flag: parameter for parameter in context.command.params for flag in (*parameter.opts, *parameter.secondary_opts)
    }
    whole: list[str] = []
    for number, word in enumerate(words):
        if not word.startswith("-"):
            continue
        if word in ALWAYS:
            continue
        assert word in known, f"{' '.join(command)} has no {word}"
        value = next(iter(words[number + 1 :]), "-")
        if word == "-o" and "=" not in value:
            _check_option(value, registry)
        elif value.startswith("-"):
            whole += [word] if getattr(known[word], "is_flag", False) else []
        else:
            whole += [word, value]
            if word == "-o":
                _check_option(value, registry)
    left_out = [] if tuple(command) == RUN and "--dataset" not in whole else [LEFT_OUT]  # data sets need their files
    check_command([*command, *whole, *left_out], registry, folder)


def _check_option(text: str, registry: Registry) -> None:
    """``component.option`` or ``role.option``: somebody has one, and can be made with its value."""
    key, equals, value = text.partition("=")
    part, _, option = key.partition(".")
    kinds = [ROLES[part]] if part in ROLES else [k for k, name in registry.claims if name == part and k in KINDS]
    names = registry.names(ROLES[part]) if part in ROLES else [part]
    having = [(k, n) for k in kinds for n in names if option in option_fields(registry.find(k, n).load())]
    assert having, f"nothing has the option {key}"
    if equals and having[0][0] != "dataset":  # which needs its files
        build(registry, *having[0], {option: value})


def _check_name(span: str, spans: Sequence[str], registry: Registry) -> None:
    """A name alone: of anything that is installed, theirs or ours, an option's or a value's of a flag beside it."""
    words = {word for other in spans for word in other.split()}
    parts = {part for word in words for part in (word, word.partition(".")[0])}
    beside = [registry.find(kind, name) for kind, name in registry.claims if name in parts and kind in KINDS]
    known = {option for component in beside for option in option_fields(component.load())}
    known |= {choice for flag in FLAGS if flag in words for choice in getattr(FLAGS[flag].type, "choices", ())}
    known |= {name for _, name in registry.claims} | {theirs for row in ROWS for theirs in row.theirs}
    if span not in known and re.fullmatch(r"[\w-]+\.\w+(=.+)?", span):
        _check_option(span, registry)
    elif span not in known:
        raise InputError(f"nothing is called {span}")
