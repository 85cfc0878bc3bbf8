"""``vatl plugins``"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from vatl_core.cli import Commands
from vatl_core.discovery import discover
from vatl_core.plugins import KINDS

if TYPE_CHECKING:
    from vatl_core.plugins import Tables


class PluginCommands(Commands):
    """What this module has, and what plugins bring to ``vatl plugins``."""

    prefix = "plugins "
    own: Mapping[str, str] = {}


@click.group("plugins", cls=PluginCommands)
def command() -> None:
    """See what is installed, try it out, and begin a plugin of your own."""


@command.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "preset", "command"]), help="Only this kind.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with what cannot be used.")
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List every component, preset and command, and every plugin that cannot be used with the cause."""
    from vatl_core.cli.catalogue import entries

    registry = discover()
    listed = [entry for entry in entries(registry) if kind in (None, entry["kind"])]
    clashes = [{"kind": k, "name": name, "claimed_by": plugins} for (k, name), plugins in registry.clashes().items()]
    if as_json:
        click.echo(_json({"installed": listed, "clashes": clashes, "broken": registry.broken}))
        return
    rows = [(e["kind"], e["name"], f"{e['distribution']} {e['version']}".strip(), e["help"]) for e in listed]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for *left, text in rows:
        click.echo("  ".join(word.ljust(width) for word, width in zip(left, widths, strict=True)) + f"  {text}")
    for clash in clashes:
        claimants = " and by ".join(clash["claimed_by"])
        click.echo(f"clash: {clash['kind']} '{clash['name']}' is claimed by {claimants}", err=True)
    for name, cause in sorted(registry.broken.items()):
        click.echo(f"broken: {name}: {cause}", err=True)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, as_json: bool) -> None:
    """Show what the component, preset or command NAME is, where it is, and the options it has or sets."""
    from vatl_core.cli.catalogue import in_full

    found = list(in_full(discover(), name))
    click.echo(_json(found) if as_json else "\n\n".join(map(_page, found)))


def _page(thing: Mapping[str, Any]) -> str:
    """What there is to know of one thing, as :func:`vatl_core.cli.catalogue.in_full` tells it."""
    kind, name, distribution, version, text = thing["entry"].values()
    origin = ", ".join(filter(None, [f"from {distribution} {version}".rstrip(), thing["target"]]))
    lines = [f"{kind} {name}: {text}", origin, *([f"in {thing['source']}"] if thing["source"] else []), ""]
    if kind == "preset":
        lines += [_toml(thing["sets"])]
        for dataset, tables in thing["datasets"].items():
            lines += [f"and for --dataset {dataset}:", "", _toml(tables)]
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


def _toml(tables: Tables) -> str:
    """The tables of a configuration file, a line to each value."""
    flat: dict[str, Mapping[str, Any]] = {"run": tables["run"]} if "run" in tables else {}
    flat |= {f"{role}.{name}": table for role, t in tables.items() if role != "run" for name, table in t.items()}
    lines = {title: [f"{key} = {_json(value, None)}" for key, value in table.items()] for title, table in flat.items()}
    return "\n".join(line for title, below in lines.items() for line in [f"[{title}]", *below, ""])


def _json(things: Any, indent: int | None = 2) -> str:
    return json.dumps(things, ensure_ascii=False, indent=indent, default=dict)  # a preset's tables may be any mapping
