"""The reference pages, made from what is installed: commands, settings, components, presets, hooks, contracts."""

from __future__ import annotations

import inspect
import re
from typing import Any

import click
import vatl_core
import vatl_kit
from packages import ROOT, names
from roles import plain
from vatl_core import contracts, hookspecs
from vatl_core.cli import vatl
from vatl_core.config import ROLES, RunConfig
from vatl_core.discovery import discover
from vatl_kit.option_docs import option_docs
from vatl_core.plugins import KINDS, Registry
from vatl_sweep.plan import Grid
from vatl_tune.table import Tune

_TITLES = {
    "estimator": "Estimators",
    "dataset": "Data sets",
    "criterion": "Criteria",
    "selector": "Selectors",
    "retraining": "Retraining policies",
    "refinement": "Refinements",
    "stopping": "Stopping criteria",
    "oracle": "Oracles",
    "executor": "Executors",
}
_FLAGS = {kind: f"--{role}" for role, kind in ROLES.items()}


def pages() -> dict[str, str]:
    """``{path below docs: Markdown}``."""
    registry = discover()
    made = {f"reference/{kind}.md": components(registry, kind) for kind in KINDS}
    return made | {
        "reference/commands.md": commands(),
        "reference/settings.md": settings(),
        "reference/presets.md": presets_page(registry),
        "reference/hooks.md": objects("Hooks", _HOOKS, "vatl_core.hookspecs", hooks()),
        "reference/contracts.md": objects("Contracts", _CONTRACTS, "vatl_core.contracts", _named(contracts)),
        "reference/python.md": objects("Python", _PYTHON, "vatl_core", _rest()),
        "reference/testing.md": objects("Testing a plugin", _TESTING, "vatl_kit", vatl_kit.__all__),
    }


_HOOKS = (
    "What a plugin may tell vatl, and what vatl tells a plugin. A plugin implements any of them as functions marked "
    "with `vatl_core.hookimpl`; [Plugins](../plugins.md) has an example."
)
_CONTRACTS = "What each kind of component must do, and what it is handed. All names are imported from `vatl_core.contracts`."
_PYTHON = "The other public names, imported from `vatl_core`."
_TESTING = "Tests that hold a component to its contract, imported from `vatl_kit`."


def hooks() -> list[str]:
    """Names of the hooks, in the contract's order."""
    return [name for name in vars(hookspecs) if name.startswith("vatl_")]


def _named(module: Any) -> list[str]:
    return sorted(getattr(module, "__all__", [n for n in vars(module) if n[0].isupper()]))


def _rest() -> list[str]:
    return [name for name in vatl_core.__all__ if name not in _named(contracts)]


def objects(title: str, about: str, module: str, names: list[str]) -> str:
    """A page of what docstrings say of a module's public names."""
    return "\n\n".join([f"# {title}", about, *(f"::: {module}.{name}" for name in names)]) + "\n"


def commands() -> str:
    """Every command with its arguments and options."""
    about = "`vatl COMMAND --help` says the same. Exit codes: 0, 1 for a run that failed, 2 for bad input."
    return "\n\n".join(["# Commands", about, *_command(vatl, click.Context(vatl, info_name="vatl"))]) + "\n"


def _command(command: click.Command, context: click.Context) -> list[str]:
    path = context.command_path
    told = [f"## {path}", f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```", _prose(command.help)]
    rows = [_parameter(parameter, context) for parameter in command.get_params(context)]
    told.append(_table(["", "what it is", "values", "default"], rows))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            told += _command(below, click.Context(below, parent=context, info_name=name))
    return told


def _parameter(parameter: click.Parameter, context: click.Context) -> list[str]:
    if isinstance(parameter, click.Argument):
        return [f"`{parameter.make_metavar(context)}`", "", "", "required" if parameter.required else ""]
    assert isinstance(parameter, click.Option)
    names = " / ".join([*parameter.opts, *parameter.secondary_opts])
    kind = "flag" if parameter.is_flag else parameter.make_metavar(context)
    shown = parameter.to_info_dict()["default"]
    none = shown in (None, (), [], False) or not isinstance(shown, str | int | float)
    return [f"`{names}`", parameter.help or "", f"`{kind}`", "" if none else f"`{shown}`"]


def settings() -> str:
    """What ``[run]`` of a configuration file, ``[sweep]`` of a sweep's and ``[tune]`` of a search's may say."""
    told = ["# Settings", "Tables of TOML files; [Configuring a run](../configuration.md), [Sweeps](../sweeps.md) and [Search](../tune.md) show them."]
    for table, kind in (("[run]", RunConfig), ("[sweep]", Grid), ("[tune]", Tune)):
        told += [f"## {table}", _options([o for o in option_docs(kind) if o["name"] != "options"])]
    return "\n\n".join(told) + "\n"


def components(registry: Registry, kind: str) -> str:
    """Every component of a kind with its options."""
    told = [f"# {_TITLES[kind]}", f"Chosen by `{_FLAGS[kind]} NAME`; `vatl plugins show NAME` says the same."]
    for name in registry.names(kind):
        component = registry.find(kind, name)
        made = component.load()
        told += [f"## {name} {{#{name}}}", f"{component.help}. From {_from(component.origin)}."]
        told += [_description(made), _options(list(option_docs(made)), name)]
    return "\n\n".join(part for part in told if part) + "\n"


def _from(origin: str) -> str:
    """Which package, with a link to its page where it is one of this repository's."""
    name = origin.split()[0]
    return f"[{name}](../packages/{name}.md)" if name in names(ROOT) else name


def _description(kind: type[Any]) -> str:
    """The class's docstring without its list of options."""
    return _prose(re.split(r"\n\s*Attributes:\n", inspect.cleandoc(kind.__doc__ or ""))[0])


def _default(text: str | None) -> str:
    return "required" if text is None else f"`{text}`"


def _options(options: list[dict[str, Any]], name: str = "") -> str:
    if not options:
        return "It has no options."
    prefix = f"{name}." if name else ""
    return _table(
        ["option", "what it is", "type", "default"],
        [[f"`{prefix}{o['name']}`", o["help"], f"`{o['type']}`", _default(o["default"])] for o in options],
    )


def presets_page(registry: Registry) -> str:
    """Every preset and the tables it stands for."""
    from vatl_kit.showing import tables_of

    told = ["# Presets", "Chosen by `--preset NAME`. [Options of the published code](../published-options.md) explains them."]
    for name, preset in sorted(registry.described("preset").items()):
        told += [f"## {name}", f"{preset.help}.", _toml(tables_of(preset))]
        told += [f"For `--dataset {d}` also:\n\n{_toml(t)}" for d, t in preset.datasets.items()]
    return "\n\n".join(told) + "\n"


def _toml(tables: Any) -> str:
    from vatl_kit.showing import as_toml as written

    return f"```toml\n{written(tables).strip()}\n```"


def _prose(text: str | None) -> str:
    return plain(inspect.cleandoc(text or "").replace("\b\n", "").replace("\f", ""))


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return plain(" ".join(text.split())).replace("|", "\\|")
