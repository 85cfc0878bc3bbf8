"""``vatl plugins show``: all that there is to know of a component, preset or command."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from vatl_core.discovery import discover
from vatl_core.plugins import Preset, Registry, Tables
from vatl_kit.option_docs import option_docs


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, as_json: bool) -> None:
    """Show what the component, preset or command NAME is, where it is, and the options it has or sets."""
    found = list(in_full(discover(), name))
    click.echo(_json(found) if as_json else "\n\n".join(map(_page, found)))


def in_full(registry: Registry, name: str) -> Iterator[dict[str, Any]]:
    """Everything of this name in full; components are imported for it.

    Returns:
        For each its ``entry``, ``target``, the ``source`` file that it is in or None, the ``text`` of its docstring,
        the ``options`` of a component, and what a preset ``sets``, ``{role: tables}``, and for which ``datasets`` else.

    Raises:
        InputError: there is nothing of this name.
        PluginError: it does not import, or two plugins claim the name.
    """
    every = registry.entries()
    listed = [entry for entry in every if entry["name"] == name]
    if not listed:
        raise registry.missing("component", name, {entry["name"] for entry in every})
    empty: dict[str, Any] = {"target": "", "source": None, "text": "", "options": [], "sets": {}, "datasets": {}}
    return ({"entry": entry} | empty | _details(registry, entry["kind"], name) for entry in listed)


def _details(registry: Registry, kind: str, name: str) -> dict[str, Any]:
    if kind == "preset":
        preset = registry.find("preset", name)
        return {"sets": tables_of(preset), "datasets": dict(preset.datasets)}
    if kind == "command":
        command = registry.find("command", name)
        text = inspect.cleandoc(command.load().help or "")
        spec = importlib.util.find_spec(command.target.partition(":")[0])
        return {"target": command.target, "source": spec.origin if spec else None, "text": text}
    component = registry.find(kind, name)
    made = component.load()
    text, options = inspect.cleandoc(made.__doc__ or ""), list(option_docs(made))
    return {"target": component.target, "source": _source(made), "text": text, "options": options}


def tables_of(preset: Preset) -> dict[str, Any]:
    """All that a preset sets; one that is for another command than `vatl run` may have a table of its own for that."""
    known = {field.name for field in attrs.fields(Preset)}
    return {**preset.tables, **attrs.asdict(preset, recurse=False, filter=lambda field, _: field.name not in known)}


def _source(kind: type[Any]) -> str | None:
    try:
        return inspect.getsourcefile(kind)
    except TypeError:  # made in a session, or compiled
        return None


def _page(thing: Mapping[str, Any]) -> str:
    """What there is to know of one thing, as :func:`in_full` tells it."""
    kind, name, distribution, version, text = thing["entry"].values()
    origin = ", ".join(filter(None, [f"from {distribution} {version}".rstrip(), thing["target"]]))
    lines = [f"{kind} {name}: {text}", origin, *([f"in {thing['source']}"] if thing["source"] else []), ""]
    if kind == "preset":
        lines += [as_toml(thing["sets"])]
        for dataset, tables in thing["datasets"].items():
            lines += [f"and for --dataset {dataset}:", "", as_toml(tables)]
        return "\n".join(lines)
    lines += [thing["text"].partition("\n\nAttributes:")[0], ""]
    if kind == "command":
        return "\n".join([*lines, f"`vatl {name} --help` says more."])
    lines += ["Options:" if thing["options"] else "It has no options."]
    return "\n".join([*lines, *(line for option in thing["options"] for line in _option(name, option))])


def _option(component: str, option: Mapping[str, str | None]) -> list[str]:
    default = "required" if option["default"] is None else f"default {option['default']}"
    told = [f"      {option['help']}"] if option["help"] else []
    return [f"  -o {component}.{option['name']}=  {option['type']}, {default}", *told]


def as_toml(tables: Tables) -> str:
    """The tables of a configuration file, a line to each value."""
    flat: dict[str, Mapping[str, Any]] = {"run": tables["run"]} if "run" in tables else {}
    for role, table in tables.items():
        nested = role != "run" and all(isinstance(value, Mapping) for value in table.values())
        flat |= {f"{role}.{name}": below for name, below in table.items()} if nested else {role: table}
    lines = {title: [f"{key} = {_json(value, None)}" for key, value in table.items()] for title, table in flat.items()}
    return "\n".join(line for title, below in lines.items() for line in [f"[{title}]", *below, ""])


def _json(things: Any, indent: int | None = 2) -> str:
    return json.dumps(things, ensure_ascii=False, indent=indent, default=dict)  # a preset's tables may be any mapping
