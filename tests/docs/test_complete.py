"""Nothing that users or authors of plugins can name goes without documentation."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property

import click
import pytest

import vatl_core
import vatl_kit
from tests.docs.blocks import ROOT
from tests.docs.conftest import Site
from tests.docs.html_pages import HtmlPage
from vatl_core import contracts, hookspecs
from vatl_core.cli import COMMANDS, vatl
from vatl_core.config import ROLES, RunConfig
from vatl_core.contracts import CONTRACTS
from vatl_kit.option_docs import option_docs
from vatl_core.plugins import KINDS, Registry
from vatl_core.discovery import discover
from vatl_sweep.plan import Grid
from vatl_tune.table import Tune


@pytest.fixture(scope="module")
def registry() -> Registry:
    """What this repository's packages bring, whatever else is installed."""
    return discover()


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _commands(below, click.Context(below, parent=context, info_name=name))


def test_every_command_has_its_place_and_every_option_a_line(site: Site, registry: Registry) -> None:
    page = site["reference/commands.html"]
    paths = dict(_commands(vatl, click.Context(vatl, info_name="vatl")))
    assert {f"vatl {name}" for name in [*COMMANDS, *registry.names("command")]} <= set(paths)
    for path, command in paths.items():
        assert path.replace(" ", "-") in page.ids, path
        for option in [p for p in command.params if isinstance(p, click.Option)]:
            assert " / ".join([*option.opts, *option.secondary_opts]) in page.text, f"{path} {option.opts}"


def test_every_command_and_every_option_of_one_is_explained() -> None:
    for path, command in _commands(vatl, click.Context(vatl, info_name="vatl")):
        assert command.help, f"{path}: say what it does"
        for option in [p for p in command.params if isinstance(p, click.Option)]:
            assert option.help, f"{path} {option.opts}: say what it is"


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_has_its_place_and_every_option_a_line(kind: str, site: Site, registry: Registry) -> None:
    page = site[f"reference/{kind}.html"]
    for name in registry.names(kind):
        component = registry.find(kind, name)
        assert name in page.ids, f"{kind} {name}"
        for option in option_docs(component.load()):
            assert option["help"], f"{kind} {name}: its docstring's Attributes say nothing of {option['name']}"
            assert _shows(page, f"{name}.{option['name']} "), f"{kind} {name}.{option['name']}"


def test_every_setting_is_explained(site: Site) -> None:
    page = site["reference/settings.html"]
    for kind in (RunConfig, Grid, Tune):
        for option in option_docs(kind):
            assert option["help"], f"{kind.__name__}.{option['name']}"
            assert option["name"] == "options" or _shows(page, option["name"]), option["name"]


def test_every_preset_is_there(site: Site, registry: Registry) -> None:
    ids = site["reference/presets.html"].ids
    assert {_slug(name) for name in registry.names("preset")} <= ids


def test_every_hook_is_there_and_told_of_in_words(site: Site) -> None:
    told = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    hooks = [name for name in vars(hookspecs) if name.startswith("vatl_")]
    assert hooks
    for hook in hooks:
        assert f"vatl_core.hookspecs.{hook}" in site["reference/hooks.html"].ids, hook
        assert f"`{hook}`" in told, f"docs/plugins.md does not tell of {hook}"


def test_every_contract_and_what_it_asks_is_there(site: Site) -> None:
    ids = site["reference/contracts.html"].ids
    assert set(CONTRACTS) == set(KINDS) == set(ROLES.values())
    for name in [n for n in contracts.__all__ if n[0].isupper()]:
        assert ids & {f"vatl_core.contracts.{name}"}, name
    for contract in CONTRACTS.values():
        for method in contract.__abstractmethods__:  # type: ignore[attr-defined]
            assert f"vatl_core.contracts.{contract.__name__}.{method}" in ids, f"{contract.__name__}.{method}"


def test_every_public_name_is_there(site: Site) -> None:
    ids = site["reference/python.html"].ids | site["reference/contracts.html"].ids
    for name in vatl_core.__all__:
        assert ids & {f"vatl_core.{name}", f"vatl_core.contracts.{name}"}, name
    for name in vatl_kit.__all__:
        assert f"vatl_kit.{name}" in site["reference/testing.html"].ids, name


def _public() -> Iterator[tuple[str, object]]:
    """Everything public that is to have a docstring of its own: classes with methods and properties, functions."""
    modules = {"vatl_core": vatl_core, "vatl_core.contracts": contracts, "vatl_kit": vatl_kit}
    for home, module in modules.items():
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{home}.{name}", thing
            if inspect.isclass(thing):
                yield from ((f"{home}.{name}.{member}", value) for member, value in _members(thing))


def _members(kind: type) -> Iterator[tuple[str, object]]:
    """Methods and properties that a class defines itself; tests say by their names what they hold it to."""
    for name, value in vars(kind).items():
        described = isinstance(value, property | cached_property | classmethod | staticmethod)
        if (described or inspect.isfunction(value)) and not name.startswith(("_", "test_")):
            yield name, value


def _words(thing: object) -> str:
    """What it says of itself; what a class inherits says nothing of it."""
    return (vars(thing)["__doc__"] if inspect.isclass(thing) else thing.__doc__) or ""


def test_every_public_name_has_words_of_its_own() -> None:
    public = dict(_public())
    assert len(public) > 150
    assert [name for name, thing in public.items() if not _words(thing)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_has_words_of_its_own(kind: str, registry: Registry) -> None:
    for name in registry.names(kind):
        component = registry.find(kind, name)
        assert component.help, f"{kind} {name}: its description has no line of help"
        assert _words(component.load()), f"{kind} {name}: its class says nothing of itself"


def test_missing_words_are_found() -> None:
    class Silent(contracts.Stopping):
        @property
        def patience(self) -> int:
            return 3

    assert [_words(Silent), *(_words(value) for _, value in _members(Silent))] == ["", ""]


def test_every_package_has_its_page(site: Site) -> None:
    folders = [path.parent.name for path in ROOT.glob("*/vatl*/pyproject.toml")]
    assert {f"packages/{name}.html" for name in ("vatl-core", *folders)} <= set(site)


def _shows(page: HtmlPage, text: str) -> bool:
    return text in page.text


def _slug(name: str) -> str:
    return name.replace("+", "")
