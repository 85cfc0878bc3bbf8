"""``vatl plugins``"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import click

from vatl_core.plugins import KINDS, Component, Registry, discover
from vatl_core.presets import Preset, Tables, find_preset, presets


@click.group("plugins")
def command() -> None:
    """See what is installed: components, where they come from, and their options; presets and what they set."""


@command.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "preset"]), help="Only this kind.")
def list_components(kind: str | None) -> None:
    """List every component and preset, and every plugin that failed to load with the cause."""
    registry = discover()
    found = sorted(registry.components.items(), key=lambda item: (KINDS.index(item[0][0]), item[0][1]))
    rows = [(k, name, registry.origins[k, name], c.help) for (k, name), c in found]
    claims = presets(registry)
    rows += [("preset", name, *_told(claimed)) for name, claimed in claims.items()]
    rows = [row for row in rows if kind in (None, row[0])]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for *left, text in rows:
        click.echo("  ".join(word.ljust(width) for word, width in zip(left, widths, strict=True)) + f"  {text}")
    clashes = registry.clashes() | {("preset", name): [p for p, _ in c] for name, c in claims.items() if len(c) > 1}
    for (k, name), claimants in clashes.items():
        click.echo(f"clash: {k} '{name}' is claimed by {' and by '.join(claimants)}", err=True)
    for name, cause in sorted(registry.broken.items()):
        click.echo(f"broken: {name}: {cause}", err=True)


def _told(claimed: list[tuple[str, Preset]]) -> tuple[str, str]:
    """Where a preset comes from, and its line of help."""
    plugin, preset = claimed[0]
    return plugin, preset.help


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show what the component NAME is and the options it has, or what the preset NAME sets."""
    registry = discover()
    found, known = [c for (_, n), c in registry.components.items() if n == name], presets(registry)
    if not found and name not in known:
        from vatl_core.errors import unknown

        raise unknown("component", name, {n for _, n in registry.components} | set(known))
    for component in found:
        _show(registry, registry.find(component.kind, component.name))
    if name in known:
        _show_preset(known[name][0][0], find_preset(registry, name))


def _show_preset(plugin: str, preset: Preset) -> None:
    click.echo(f"preset {preset.name}: {preset.help}\nfrom {plugin}\n\n{_toml(preset.tables)}")
    for dataset, tables in preset.datasets.items():
        click.echo(f"and for --dataset {dataset}:\n\n{_toml(tables)}")


def _toml(tables: Tables) -> str:
    """The tables of a configuration file, a line to each value."""
    return "\n".join(line for title, table in _flat(tables) for line in [f"[{title}]", *_lines(table), ""])


def _flat(tables: Tables) -> list[tuple[str, Mapping[str, Any]]]:
    settings = [("run", tables["run"])] if "run" in tables else []
    return settings + [(f"{r}.{name}", table) for r, t in tables.items() if r != "run" for name, table in t.items()]


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items()]


def _show(registry: Registry, component: Component) -> None:
    from vatl_core.options import option_fields, type_name

    kind = component.load()
    click.echo(f"{component.kind} {component.name}: {component.help}")
    click.echo(f"from {registry.origins[component.kind, component.name]}, {component.target}\n")
    click.echo(inspect.cleandoc(kind.__doc__ or "") + "\n")
    fields = option_fields(kind)
    click.echo("Options:" if fields else "It has no options.")
    for name, field in fields.items():
        click.echo(f"  -o {component.name}.{name}=  {type_name(field.type)}, {_default(field.default)}")


def _default(value: Any) -> str:
    import attrs

    if value is attrs.NOTHING:
        return "required"
    return "made anew" if isinstance(value, attrs.Factory) else f"default {value!r}"  # type: ignore[arg-type]  # to mypy a function
