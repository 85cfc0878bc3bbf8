"""What is installed, as records: components, presets and commands with where they come from."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

import attrs

from vatl_core.option_docs import OptionDoc, option_docs
from vatl_core.plugins import KINDS, Registry


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
    def of(cls, thing: Any) -> Entry:
        """The entry of a component, preset or command."""
        distribution, _, rest = thing.origin.partition(" ")
        version = rest.partition(" ")[0]  # behind it may stand which of its entry points
        return cls(thing.kind, thing.name, distribution, version, thing.help)


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
    kinds = (*KINDS, "preset", "command")
    return [Entry.of(thing) for kind in kinds for _, thing in sorted(registry.described(kind).items())]


def shown(registry: Registry, name: str) -> Iterator[Shown]:
    """Everything of this name in full; components are imported for it.

    Raises:
        InputError: there is nothing of this name.
        PluginError: it does not import, or two plugins claim the name.
    """
    every = entries(registry)
    listed = [entry for entry in every if entry.name == name]
    if not listed:
        raise registry.missing("component", name, {entry.name for entry in every})
    return (_in_full(registry, entry) for entry in listed)


def _in_full(registry: Registry, entry: Entry) -> Shown:
    if entry.kind == "preset":
        preset = registry.preset(entry.name)
        return Shown(entry, sets=dict(preset.tables), datasets=dict(preset.datasets))
    if entry.kind == "command":
        command = registry.command(entry.name)
        text = inspect.cleandoc(command.load().help or "")
        spec = importlib.util.find_spec(command.target.partition(":")[0])
        return Shown(entry, command.target, spec.origin if spec else None, text)
    component = registry.find(entry.kind, entry.name)
    kind = component.load()
    text = inspect.cleandoc(kind.__doc__ or "")
    return Shown(entry, component.target, _source(kind), text, tuple(option_docs(kind)))


def _source(kind: type[Any]) -> str | None:
    try:
        return inspect.getsourcefile(kind)
    except TypeError:  # made in a session, or compiled
        return None
