"""``vatl plugins``"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import entry_points

import click

from vatl_core.cli import Commands
from vatl_core.discovery import discover
from vatl_core.plugins import GROUP, KINDS, distribution_of


class PluginCommands(Commands):
    """What this module has, and what plugins bring to ``vatl plugins``."""

    prefix = "plugins "
    own: Mapping[str, str] = {}


@click.group("plugins", cls=PluginCommands)
def command() -> None:
    """See what is installed, try it out, and begin a plugin of your own."""


@command.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "preset", "command"]), help="Only this kind.")
@click.option(
    "--distributions", is_flag=True, help="Only who brings plugins, of metadata alone: else their modules run."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with what cannot be used.")
def list_plugins(kind: str | None, distributions: bool, as_json: bool) -> None:
    """List every component, preset and command, and every plugin that cannot be used with the cause."""
    if distributions:
        points = sorted((distribution_of(point), point.value) for point in entry_points(group=GROUP))
        told = [{"plugin": plugin, "module": module} for plugin, module in points]
        click.echo(json.dumps(told, indent=2) if as_json else "\n".join(map("  ".join, points)))
        return
    registry = discover()
    listed = [entry for entry in registry.entries() if kind in (None, entry["kind"])]
    clashes = [{"kind": k, "name": name, "claimed_by": plugins} for (k, name), plugins in registry.clashes().items()]
    if as_json:
        found = {"installed": listed, "clashes": clashes, "broken": registry.broken}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
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
