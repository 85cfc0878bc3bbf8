"""``vatl plugins``"""

from __future__ import annotations

import inspect
from typing import Any

import click

from vatl_core.plugins import KINDS, Component, Registry, discover


@click.group("plugins")
def command() -> None:
    """See what is installed: components, where they come from, and their options."""


@command.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
def list_components(kind: str | None) -> None:
    """List every component, and every plugin that failed to load with the cause."""
    registry = discover()
    found = sorted(registry.components.items(), key=lambda item: (KINDS.index(item[0][0]), item[0][1]))
    rows = [(k, name, registry.origins[k, name], c.help) for (k, name), c in found if kind in (None, k)]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for *left, text in rows:
        click.echo("  ".join(word.ljust(width) for word, width in zip(left, widths, strict=True)) + f"  {text}")
    for (k, name), claimants in registry.clashes().items():
        click.echo(f"clash: {k} '{name}' is claimed by {' and by '.join(claimants)}", err=True)
    for name, cause in sorted(registry.broken.items()):
        click.echo(f"broken: {name}: {cause}", err=True)


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show what the component NAME is and the options it has."""
    registry = discover()
    found = [c for (_, n), c in registry.components.items() if n == name]
    if not found:
        from vatl_core.errors import unknown

        raise unknown("component", name, {n for _, n in registry.components})
    for component in found:
        _show(registry, registry.find(component.kind, component.name))


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
    return "made anew" if isinstance(value, attrs.Factory) else f"default {value!r}"  # type: ignore[arg-type]
