"""What is installed, as JSON's types: components, presets and commands with where they come from."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

from vatl_core.option_docs import option_docs
from vatl_core.plugins import KINDS, Registry


def entries(registry: Registry) -> list[dict[str, str]]:
    """Kind, name, distribution, version and a line of help of everything that is installed, by kind and name."""
    kinds = (*KINDS, "preset", "command")
    return [_entry(thing) for kind in kinds for _, thing in sorted(registry.described(kind).items())]


def _entry(thing: Any) -> dict[str, str]:
    distribution, _, rest = thing.origin.partition(" ")
    version = rest.partition(" ")[0]  # behind it may stand which of its entry points
    own = {"kind": thing.kind, "name": thing.name}
    return own | {"distribution": distribution, "version": version, "help": thing.help}


def in_full(registry: Registry, name: str) -> Iterator[dict[str, Any]]:
    """Everything of this name in full; components are imported for it.

    Returns:
        For each its ``entry``, ``target``, the ``source`` file that it is in or None, the ``text`` of its docstring,
        the ``options`` of a component, and what a preset ``sets``, ``{role: tables}``, and for which ``datasets`` else.

    Raises:
        InputError: there is nothing of this name.
        PluginError: it does not import, or two plugins claim the name.
    """
    every = entries(registry)
    listed = [entry for entry in every if entry["name"] == name]
    if not listed:
        raise registry.missing("component", name, {entry["name"] for entry in every})
    empty: dict[str, Any] = {"target": "", "source": None, "text": "", "options": [], "sets": {}, "datasets": {}}
    return ({"entry": entry} | empty | _details(registry, entry["kind"], name) for entry in listed)


def _details(registry: Registry, kind: str, name: str) -> dict[str, Any]:
    if kind == "preset":
        preset = registry.find("preset", name)
        return {"sets": dict(preset.tables), "datasets": dict(preset.datasets)}
    if kind == "command":
        command = registry.find("command", name)
        text = inspect.cleandoc(command.load().help or "")
        spec = importlib.util.find_spec(command.target.partition(":")[0])
        return {"target": command.target, "source": spec.origin if spec else None, "text": text}
    component = registry.find(kind, name)
    made = component.load()
    text, options = inspect.cleandoc(made.__doc__ or ""), list(option_docs(made))
    return {"target": component.target, "source": _source(made), "text": text, "options": options}


def _source(kind: type[Any]) -> str | None:
    try:
        return inspect.getsourcefile(kind)
    except TypeError:  # made in a session, or compiled
        return None
