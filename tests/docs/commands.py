"""Commands of the documentation held to what is installed, without carrying them out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

import vatl_core.run  # noqa: F401 - before anything is patched that it imports
from tests.docs.blocks import ROOT
from vatl_core.cli import vatl
from vatl_core.plugins import Component
from vatl_core.config import ROLES, RunConfig, chosen, names_in
from vatl_core.plugins import Options
from vatl_core.errors import unknown
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import build, option_fields
from vatl_core.plugins.options import value_converter
from vatl_core.plugins import KINDS, Registry
from vatl_core.discovery import discover
from vatl_kit.small_parts import PARTS

_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
LEFT_OUT = "…"
"""A word of a command that stands for what the page does not repeat."""
THE_PAGE = "the page"
PROMISED = "Made on the page"
_OWN = re.compile(r"[\w-]+\.\w+")
"""A file of the reader's own, which ``vatl run`` is given."""
_MADE = re.compile(r"vatl plugins new (\w+) ([\w-]+)")


class Promised:
    """The components that a page has its readers write, so that its later commands can name them."""

    def __init__(self, page: str) -> None:
        self.names = [name for _, name in _MADE.findall(page)]
        self.made = [(kind, name) for kind, name in _MADE.findall(page) if kind in PARTS]

    @hookimpl
    def vatl_components(self) -> list[Component]:
        return [
            Component(kind, name, PROMISED, f"vatl_kit.small_parts:{PARTS[kind]}") for kind, name in self.made
        ]


def registry_of(page: str) -> Registry:
    """What is installed once a page is followed."""
    registry = discover()
    registry.manager.register(Promised(page), name=THE_PAGE)
    return registry


class _BeganError(Exception):
    """Thrown where a run would begin."""


def check_command(words: Sequence[str], registry: Registry, folder: Path) -> None:
    """Hold a command to what is installed.

    Raises:
        VatlError, click.ClickException, AssertionError: something that it names does not exist, or does not fit.
    """
    if "-m" in words and words[0] == "torchrun":
        assert words[words.index("-m") + 1] == "vatl_core.cli"
        words = ["vatl", *words[words.index("-m") + 2 :]]
    program = words[0].removeprefix(".venv/bin/")
    rest = list(words[1:])
    if program == "vatl":
        _check_vatl(rest, registry, folder)
    elif program == "make":
        targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
        assert {word for word in rest if "=" not in word} <= targets, f"the Makefile has no {rest}"
    elif program == "pip":
        known = {path.parent.name for path in ROOT.glob("*/vatl*/pyproject.toml")} | {"vatl-core"}
        known |= {f"vatl-{name}" for name in registry.manager.get_plugin(THE_PAGE).names}
        named = {re.sub(r"\[.*", "", word) for word in rest[1:] if not word.startswith("-")}
        missing = {name for name in named if name not in known and name != "."}
        assert not missing, f"there is no distribution {missing}"
    else:
        raise AssertionError(f"it is not known how to check '{program}': mark the block as <!-- not run: reason -->")


def _check_vatl(words: list[str], registry: Registry, folder: Path) -> None:
    for name in filter(_OWN.fullmatch, words[1:2] if words[0] == "run" else ()):
        (folder / name).touch()
    try:
        with contextlib.chdir(folder):
            path, context = parsed([word for word in words if word != LEFT_OUT], resilient=LEFT_OUT in words)
    except click.exceptions.Exit:
        return  # --help and --version
    if path == "run" and (given := context.params["path"]):
        context.params["dataset"] = registry.opening(given, context.params["dataset"])[0]
    for name, kind in (ROLES | {"presets": "preset"}).items():
        for value in names_in(context.params.get(name) or ()):
            registry.find(kind, value)
    if preset := context.params.get("preset"):
        registry.find("preset", preset)
    if path in ("plugins show", "plugins check", "fit", "datasets check") and context.params["name"]:
        _check_name(path, context.params["name"], registry)
    if path == "run" and LEFT_OUT not in words:
        _check_run(context, registry, folder)
    else:
        for text in context.params.get("options") or ():
            whole = text if path != "datasets check" else f"{context.params['name']}.{text}"
            _check_option(whole, context, registry)


def parsed(words: Sequence[str], resilient: bool = False) -> tuple[str, click.Context]:
    """A command's path, and its context with arguments and options taken apart; ``resilient``: some may be missing."""
    command: click.Command = vatl
    context = click.Context(vatl, info_name="vatl")
    rest, path = [word for word in words if word != "--debug"], []
    if rest and rest[0].startswith("-"):
        context = vatl.make_context("vatl", list(rest))
    while isinstance(command, click.Group):
        name, below, rest = command.resolve_command(context, list(rest))
        assert name is not None
        assert below is not None
        path.append(name)
        command = below
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=name)
    if resilient:
        for parameter in command.params:
            parameter.required = False
    return " ".join(path), command.make_context(path[-1], list(rest), parent=context)


def check_settings(settings: Mapping[str, Any], options: Options, registry: Registry) -> None:
    """What a configuration file says of the parts: they exist, with these options, whose values have their types."""
    for role, kind in ROLES.items():
        for name in names_in(settings.get(role) or ()):
            registry.find(kind, name)
        for name, table in options.get(role, {}).items():
            for option, value in table.items():
                _check_value(registry.find(kind, name), option, value)


def _check_name(path: str, name: str, registry: Registry) -> None:
    kind = {"fit": "criterion", "datasets check": "dataset"}.get(path)
    if kind:
        registry.find(kind, name)
    elif name not in {n for _, n in registry.claims}:
        registry.find("preset", name)


def _check_option(text: str, context: click.Context, registry: Registry) -> None:
    """An option of a part: it exists, and the value has its type."""
    key, equals, value = text.partition("=")
    part, point, option = key.partition(".")
    assert equals, f"-o {text} has no ="
    assert point, f"-o {text} names no part"
    name = context.params.get(part) or part
    kinds = [ROLES[part]] if part in ROLES else [kind for kind, n in registry.claims if n == name and kind in KINDS]
    assert kinds, f"-o {text}: nothing is called {part}"
    found = [registry.find(kind, name) for kind in kinds]
    having = [c for c in found if c.help == PROMISED or option in option_fields(c.load())]
    _check_value((having or found)[0], option, value)


def _check_value(component: Component, option: str, value: Any) -> None:
    if component.help == PROMISED:
        return  # the page's readers decide on its options
    fields = option_fields(component.load())
    if option not in fields:
        raise unknown(f"option of {component.name}", option, fields)
    value_converter.structure(value, fields[option].type)  # type: ignore[arg-type]


def _check_run(context: click.Context, registry: Registry, folder: Path) -> None:
    """Assemble the run by the command itself, and make each of its parts."""
    config = _assembled(context, registry, folder)
    for role, kind in ROLES.items():
        for name in chosen(config, role):
            build(registry, kind, name, config.of(role, name))


def _assembled(context: click.Context, registry: Registry, folder: Path) -> RunConfig:
    taken: list[RunConfig] = []

    class Recorder:
        def map(self, work: Any, configs: list[RunConfig]) -> Iterator[Any]:
            taken.extend(configs)
            raise _BeganError

    params = dict(context.params)
    if (config := params.get("config")) and not config.exists():
        params["config"] = None
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("vatl_core.discovery.discover", lambda: registry)
        patch.setattr("vatl_core.plugins.build", lambda *_: Recorder())
        with pytest.raises(_BeganError), context:
            context.command.callback(**params)  # type: ignore[misc]
    return taken[0]
