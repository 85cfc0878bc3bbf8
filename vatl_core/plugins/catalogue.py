"""What is installed, as records: components, presets and commands with where they come from."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

import attrs

from vatl_core.errors import VatlError
from vatl_core.plugins.descriptions import KINDS, Command, Component, Preset
from vatl_core.plugins.option_docs import OptionDoc, option_docs
from vatl_core.plugins.registry import Registry, presets


@attrs.frozen
class Entry:
    """One thing that a plugin brings.

    Attributes:
        kind: of component, ``preset`` or ``command``.
        name: what users type.
        distribution, version: of the plugin it comes from; the version is empty where it has none.
        help: one line.
    """

    kind: str
    name: str
    distribution: str
    version: str
    help: str

    @classmethod
    def of(cls, kind: str, name: str, origin: str, text: str) -> Entry:
        """An entry of a plugin called by its distribution and version."""
        distribution, version, *_ = *origin.split(" "), ""  # behind them may stand which of its entry points it is
        return cls(kind, name, distribution, version, text)


@attrs.frozen
class Shown:
    """One thing that a plugin brings, in full.

    Attributes:
        entry: as it is listed.
        target: ``"package.module:Class"``; empty for a preset.
        source: the file that it is in; None where it is in none.
        text: what its docstring says.
        options: of a component.
        sets: of a preset, ``{role: tables}``; ``datasets`` the same for particular data sets.
    """

    entry: Entry
    target: str = ""
    source: str | None = None
    text: str = ""
    options: tuple[OptionDoc, ...] = ()
    sets: dict[str, Any] = attrs.field(factory=dict)
    datasets: dict[str, Any] = attrs.field(factory=dict)


def entries(registry: Registry) -> list[Entry]:
    """Everything that is installed, by kind and name."""
    found = sorted(registry.components.values(), key=lambda c: (KINDS.index(c.kind), c.name))
    listed = [Entry.of(c.kind, c.name, c.origin, c.help) for c in found]
    for name, claimed in presets(registry).items():
        plugin, preset = claimed[0]
        listed.append(Entry.of("preset", name, plugin, preset.help))
    commands = sorted(registry.commands.values(), key=lambda c: c.name)
    return listed + [Entry.of("command", c.name, c.origin, c.help) for c in commands]


def clashes(registry: Registry) -> dict[tuple[str, str], list[str]]:
    """Names of components, presets and commands that more than one plugin claims, with the claimants."""
    claimed = dict(registry.clashes())
    by_name: dict[tuple[str, str], list[str]] = {}
    for kind, hook in (("preset", "vatl_presets"), ("command", "vatl_commands")):
        for plugin, thing in registry.described(hook):
            by_name.setdefault((kind, thing.name), []).append(plugin)
    return claimed | {key: plugins for key, plugins in by_name.items() if len(plugins) > 1}


def shown(registry: Registry, name: str) -> Iterator[Shown]:
    """Everything of this name, or that had it in an earlier release, in full; components are imported for it.

    Raises:
        InputError: there is nothing of this name.
        PluginError: it does not import, or two plugins claim the name.
    """
    every = entries(registry)
    present = {entry.kind for entry in every if entry.name == name}
    former = {(c.kind, c.name) for c in registry.components.values() if name in c.formerly and c.kind not in present}
    listed = [entry for entry in every if entry.name == name or (entry.kind, entry.name) in former]
    if not listed:
        raise registry.missing("component", name, {entry.name for entry in every})
    for entry in listed:
        if entry.kind == "preset":
            yield _shown_preset(entry, presets(registry)[name][0][1])
        elif entry.kind == "command":
            yield _shown_command(entry, registry.command(name))
        else:
            yield _shown_component(entry, registry.find(entry.kind, name))


def _shown_component(entry: Entry, component: Component) -> Shown:
    kind = component.load()
    text = inspect.cleandoc(kind.__doc__ or "")
    return Shown(entry, component.target, _source(kind), text, tuple(option_docs(kind)))


def _shown_preset(entry: Entry, preset: Preset) -> Shown:
    return Shown(entry, sets=dict(preset.tables), datasets=dict(preset.datasets))


def _shown_command(entry: Entry, command: Command) -> Shown:
    text = inspect.cleandoc(command.load().help or "")
    spec = importlib.util.find_spec(command.target.partition(":")[0])
    return Shown(entry, command.target, spec.origin if spec else None, text)


def _source(kind: type[Any]) -> str | None:
    try:
        return inspect.getsourcefile(kind)
    except (TypeError, VatlError):  # made in a session, or compiled
        return None
