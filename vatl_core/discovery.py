"""Discovery of plugins through entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import click
import pluggy

from vatl_core import hookspecs
from vatl_core.contract_version import refusal, refusal_in_source
from vatl_core.plugins import GROUP, Registry, describe, distribution_of


def discover() -> Registry:
    """Load every plugin that an entry point of group ``vatl`` names; those that cannot be used are kept apart."""
    manager = pluggy.PluginManager("vatl")
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        _register(registry, point)
    return registry


def _register(registry: Registry, point: EntryPoint) -> None:
    name = distribution_of(point)
    if name in registry.points:  # a distribution may have several
        name = f"{name} ({point.name})"
    registry.points[name] = point
    try:
        if not (reason := refusal(plugin := point.load())):
            registry.manager.register(plugin, name=name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # as above: one broken plugin must not take the others with it
        reason = refusal_in_source(point.module) or describe(error)
    if reason:
        registry.broken[name] = reason


def say_what_is_left_out(registry: Registry) -> None:
    """A line to each plugin that cannot be used, with the cause: nothing is left out silently."""
    for plugin, cause in registry.failures().items():
        click.echo(f"vatl: plugin {plugin} is left out: {cause}", err=True)
