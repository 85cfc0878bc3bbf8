"""Every plugin that is installed, and the look-up of what they bring by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import attrs
import pluggy

from vatl_core.deprecation import deprecated
from vatl_core.errors import InputError, PluginError, VatlError, unknown
from vatl_core.plugins.descriptions import Command, Component, Preset, describe, is_text

GROUP: Final = "vatl"
DESCRIBING: Final = ("vatl_components", "vatl_presets", "vatl_commands")
"""The hooks by which a plugin says what it brings; all others follow what happens."""


@attrs.define
class Registry:
    """Every plugin that is installed, and every component they bring.

    Attributes:
        manager: pluggy's manager; its ``hook`` calls the lifecycle hooks.
        broken: plugins that cannot be used, ``{distribution and version: cause}``.
        origins: ``{(kind, name): distribution and version}``.
        points: every plugin's entry point, ``{distribution and version: entry point}``, whether it loads or not.
    """

    manager: pluggy.PluginManager
    broken: dict[str, str] = attrs.field(factory=dict)
    origins: dict[tuple[str, str], str] = attrs.field(factory=dict)
    _clashes: dict[tuple[str, str], list[str]] = attrs.field(factory=dict)
    points: dict[str, EntryPoint] = attrs.field(factory=dict)

    @cached_property
    def components(self) -> dict[tuple[str, str], Component]:
        """``{(kind, name): component}``; a clash of names surfaces when the name is looked up."""
        found: dict[tuple[str, str], Component] = {}
        for plugin_name, component in self.described("vatl_components"):
            key = (component.kind, component.name)
            self._clashes.setdefault(key, []).append(plugin_name)
            found.setdefault(key, attrs.evolve(component, origin=plugin_name))
            self.origins.setdefault(key, plugin_name)
        return found

    @cached_property
    def commands(self) -> dict[str, Command]:
        """``{name: command}`` that plugins bring; a clash of names surfaces when the name is looked up."""
        found: dict[str, Command] = {}
        for plugin_name, command in self.described("vatl_commands"):
            self._clashes.setdefault(("command", command.name), []).append(plugin_name)
            found.setdefault(command.name, attrs.evolve(command, origin=plugin_name))
        return found

    def described(self, hook: str) -> list[tuple[str, Any]]:
        """What each plugin describes by this hook, with the plugin's name; those that fail to are kept apart."""
        found: list[tuple[str, Any]] = []
        for name, plugin in self.manager.list_name_plugin():
            describing = getattr(plugin, hook, None)
            try:
                found += [(name, _checked(hook, thing)) for thing in describing()] if describing else []
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a stranger's code: whatever it raises, the others must go on working
                self.broken[name] = describe(error)
        return found

    def failures(self) -> dict[str, str]:
        """Every plugin that cannot be used, with the cause: each is asked for all it brings, which may fail too."""
        for hook in DESCRIBING:
            self.described(hook)
        return dict(sorted(self.broken.items()))

    def names(self, kind: str) -> list[str]:
        """The names of a kind's components, sorted."""
        return sorted(name for k, name in self.components if k == kind)

    def find(self, kind: str, name: str) -> Component:
        """Look a component up, by its name or with a warning by one that it had in an earlier release.

        Raises:
            InputError: there is none of that name; the message has the nearest match and the choices.
            PluginError: two plugins claim the name.
        """
        if (kind, name) not in self.components:
            return self._renamed(kind, name)
        component = self.components[kind, name]
        self._check_sole(kind, name)
        return component

    def command(self, name: str) -> Command:
        """Look up one of :attr:`commands`.

        Raises:
            PluginError: two plugins claim the name.
        """
        command = self.commands[name]
        self._check_sole("command", name)
        return command

    def _check_sole(self, kind: str, name: str) -> None:
        if len(claimants := self._clashes[kind, name]) > 1:
            raise PluginError(f"{kind} '{name}' is claimed by {' and by '.join(claimants)}: uninstall one of them")

    def usable(self, kind: str, name: str) -> bool:
        """Whether there is such a component, and only one, and it imports."""
        try:
            return bool(self.find(kind, name).load())
        except VatlError:
            return False

    def _renamed(self, kind: str, name: str) -> Component:
        for component in self.components.values():
            if component.kind == kind and name in component.formerly:
                deprecated(f"the {kind} name '{name}'", f"write '{component.name}'", stacklevel=3)
                return self.find(kind, component.name)
        raise self.missing(kind, name, self.names(kind))

    def missing(self, what: str, name: str, choices: Iterable[str]) -> InputError:
        """The error for a name that nothing has; a plugin that failed to load may be the one that brings it."""
        error = unknown(what, name, choices)
        if not self.broken:
            return error
        broken = ", ".join(sorted(self.broken))
        return InputError(f"{error}; plugins that failed to load (`vatl plugins list` says why): {broken}")

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


def distribution_of(point: EntryPoint) -> str:
    """The distribution and version that an entry point is from."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def whose(component: object) -> str:
    """Which plugin a component's class is from, to end a message with."""
    kind = type(component)
    for point in entry_points(group=GROUP):
        if point.module.partition(".")[0] == kind.__module__.partition(".")[0]:
            return f" (plugin {distribution_of(point)})"
    return f" ({kind.__module__}:{kind.__qualname__})"


def culprit(error: BaseException, besides: str = "") -> str:
    """The plugin in whose code an error arose, to end a message with; nothing where it was in no plugin's.

    The package ``besides`` does not count: that of a plugin which asks about work that it only had carried out.
    """
    packages = {point.module.partition(".")[0]: distribution_of(point) for point in entry_points(group=GROUP)}
    packages.pop(besides, None)
    found, trace = "", error.__traceback__
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if package in packages:
            found = f", in plugin {packages[package]} ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _checked(hook: str, thing: object) -> object:
    """What a plugin describes, if it is what the hook is for."""
    expected = _expected(hook)
    if not isinstance(thing, expected):
        raise TypeError(f"{hook} is to return a list of {expected.__name__}s; it has a {type(thing).__name__}")
    for field in attrs.fields(expected):
        if field.name in ("name", "help"):
            is_text(thing, field, getattr(thing, field.name))
    return thing


def _expected(hook: str) -> type[Any]:
    """What a describing hook returns a list of."""
    return {"vatl_presets": Preset, "vatl_commands": Command}.get(hook, Component)


def presets(registry: Registry) -> dict[str, list[tuple[str, Preset]]]:
    """Every preset with the plugin it comes from, by name; more than one where plugins claim the same name."""
    found: dict[str, list[tuple[str, Preset]]] = {}
    for plugin, preset in registry.described("vatl_presets"):
        found.setdefault(preset.name, []).append((plugin, preset))
    return dict(sorted(found.items()))
