"""Discovery of components through entry points, and their look-up by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import attrs
import click
import pluggy

from vatl_core import hookspecs
from vatl_core.errors import InputError, PluginError, unknown

GROUP: Final = "vatl"
KINDS: Final = ("estimator", "dataset", "criterion", "selector", "retraining", "stopping", "oracle", "executor")


def _is_kind(_: object, __: object, value: str) -> None:
    if value not in KINDS:
        raise unknown("kind of component", value, KINDS)


@attrs.frozen
class Component:
    """What a plugin says about one of its components, without importing it.

    Attributes:
        kind: one of :data:`KINDS`.
        name: what users type.
        help: one line.
        target: ``"package.module:Class"``, imported when first used.
        default: whether it is used where the user names none of its kind; default criteria are summed.
        suggests: names of components this one works best with, by kind; only a data set's are heeded.
    """

    kind: str = attrs.field(validator=_is_kind)
    name: str
    help: str
    target: str = attrs.field(validator=attrs.validators.matches_re(r"[\w.]+:\w+"))
    default: bool = False
    suggests: Mapping[str, str] = attrs.field(factory=dict)

    def load(self) -> type[Any]:
        """Import the component's class.

        Raises:
            PluginError: it does not import, or the module has no such class.
        """
        module, _, name = self.target.partition(":")
        try:
            loaded: type[Any] = getattr(importlib.import_module(module), name)
        except Exception as error:  # a stranger's import may fail in any way
            raise PluginError(
                f"{self.kind} '{self.name}' ({self.target}) cannot be imported: {describe(error)}"
            ) from error
        return loaded


@attrs.frozen
class Command:
    """What a plugin says about a command that it brings, without importing it.

    Attributes:
        name: what users type behind ``vatl``.
        help: one line.
        target: ``"package.module:command"``, a :class:`click.Command`, imported when it is called.
    """

    name: str
    help: str
    target: str = attrs.field(validator=attrs.validators.matches_re(r"[\w.]+:\w+"))

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            PluginError: it does not import, or is none.
        """
        module, _, name = self.target.partition(":")
        try:
            loaded = getattr(importlib.import_module(module), name)
        except Exception as error:  # a stranger's import may fail in any way
            raise PluginError(f"command '{self.name}' ({self.target}) cannot be imported: {describe(error)}") from error
        if not isinstance(loaded, click.Command):
            raise PluginError(f"command '{self.name}' ({self.target}) is no click command")
        return loaded


def describe(error: BaseException) -> str:
    """An error in a line: its type and what it says."""
    return " ".join(f"{type(error).__name__}: {error}".split())


@attrs.define
class Registry:
    """Every plugin that is installed, and every component they bring.

    Attributes:
        manager: pluggy's manager; its ``hook`` calls the lifecycle hooks.
        broken: entry points that failed to load, ``{name: cause}``.
        origins: ``{(kind, name): distribution and version}``.
    """

    manager: pluggy.PluginManager
    broken: dict[str, str] = attrs.field(factory=dict)
    origins: dict[tuple[str, str], str] = attrs.field(factory=dict)
    _clashes: dict[tuple[str, str], list[str]] = attrs.field(factory=dict)

    @cached_property
    def components(self) -> dict[tuple[str, str], Component]:
        """``{(kind, name): component}``; a clash of names surfaces when the name is looked up."""
        found: dict[tuple[str, str], Component] = {}
        for plugin_name, component in self.described("vatl_components"):
            key = (component.kind, component.name)
            self._clashes.setdefault(key, []).append(plugin_name)
            found.setdefault(key, component)
            self.origins.setdefault(key, plugin_name)
        return found

    @cached_property
    def commands(self) -> dict[str, Command]:
        """``{name: command}`` that plugins bring; of two that claim a name, the first in the plugins' order."""
        found: dict[str, Command] = {}
        for _, command in self.described("vatl_commands"):
            found.setdefault(command.name, command)
        return found

    def described(self, hook: str) -> list[tuple[str, Any]]:
        """What each plugin describes by this hook, with the plugin's name; those that fail to are kept apart."""
        found: list[tuple[str, Any]] = []
        for name, plugin in self.manager.list_name_plugin():
            describing = getattr(plugin, hook, None)
            try:
                found += [(name, thing) for thing in describing()] if describing else []
            except Exception as error:  # a stranger's code: whatever it raises, the other plugins must go on working
                self.broken[name] = describe(error)
        return found

    def names(self, kind: str) -> list[str]:
        """The names of a kind's components, sorted."""
        return sorted(name for k, name in self.components if k == kind)

    def find(self, kind: str, name: str) -> Component:
        """Look a component up.

        Raises:
            InputError: there is none of that name; the message has the nearest match and the choices.
            PluginError: two plugins claim the name.
        """
        if (kind, name) not in self.components:
            raise self._missing(kind, name)
        claimants = self._clashes[kind, name]
        if len(claimants) > 1:
            raise PluginError(f"{kind} '{name}' is claimed by {' and by '.join(claimants)}: uninstall one of them")
        return self.components[kind, name]

    def _missing(self, kind: str, name: str) -> InputError:
        error = unknown(kind, name, self.names(kind))
        if self.broken:
            return InputError(f"{error}; plugins that failed to load: {', '.join(sorted(self.broken))}")
        return error

    def clashes(self) -> dict[tuple[str, str], list[str]]:
        """Names that more than one plugin claims, with the claimants."""
        return {key: claimants for key in self.components if len(claimants := self._clashes[key]) > 1}

    def defaults(self, kind: str) -> list[str]:
        """The names of the kind's components that are used where the user names none."""
        return [name for (k, name), component in self.components.items() if k == kind and component.default]

    @property
    def hook(self) -> Any:
        """pluggy's caller of hooks."""
        return self.manager.hook


def discover() -> Registry:
    """Load every plugin that an entry point of group ``vatl`` names; those that fail are kept apart."""
    manager = pluggy.PluginManager("vatl")
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        _register(registry, point)
    return registry


def _register(registry: Registry, point: EntryPoint) -> None:
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    try:
        registry.manager.register(point.load(), name=distribution)
    except Exception as error:  # as above: one broken plugin must not take the others with it
        registry.broken[distribution] = describe(error)
