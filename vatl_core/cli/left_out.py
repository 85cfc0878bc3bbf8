"""What a command says of plugins that it has to do without."""

from __future__ import annotations

import click

from vatl_core.plugins import Registry


def say_what_is_left_out(registry: Registry) -> None:
    """A line to each plugin that cannot be used, with the cause: nothing is left out silently."""
    for plugin, cause in registry.failures().items():
        click.echo(f"vatl: plugin {plugin} is left out: {cause}", err=True)
