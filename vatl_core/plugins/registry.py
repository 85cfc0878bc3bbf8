"""Every plugin that is installed, and the look-up of what they bring by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import attrs
import pluggy

from vatl_core.errors import InputError, PluginError, unknown
from vatl_core.plugins.descriptions import KINDS, Command, Component, Preset, describe

GROUP: Final = "vatl"
DESCRIBING: Final = {"vatl_components": Component, "vatl_presets": Preset, "vatl_commands": Command}
"""The hooks by which a plugin says what it brings; all others follow what happens."""


@attrs.define
class Registry:
    """Every plugin that is installed, and everything they bring.

    Attributes:
        manager: pluggy's manager; its ``hook`` calls the lifecycle hooks.
        broken: plugins that cannot be used, ``{distribution and version: cause}``.
        points: every plugin's entry point, ``{distribution and version: entry point}``, whether it loads or not.
        objects: components that are objects, given in Python, ``{(kind, name): object}``; they come before those that
            are installed. In place of one that is not here stands the error to raise where it is needed.
    """

    manager: pluggy.PluginManager
    broken: dict[str, str] = attrs.field(factory=dict)
    points: dict[str, EntryPoint] = attrs.field(factory=dict)
    objects: Mapping[tuple[str, str], Any] = attrs.field(factory=dict)

    def with_objects(self, objects: Mapping[tuple[str, str], Any]) -> Registry:
        """The same plugins, and these objects beside those that are here already, which come first."""
        return Registry(self.manager, self.broken, self.points, {**objects, **self.objects})

    @cached_property
    def claims(self) -> dict[tuple[str, str], list[Any]]:
        """What plugins describe, by kind (of component, ``preset``, ``command``) and name; several where names clash.

        Plugins that fail to describe what they bring are noted in :attr:`broken`.
        """
        found: dict[tuple[str, str], list[Any]] = {}
        for hook in DESCRIBING:
            for origin, plugin in self.manager.list_name_plugin():
                for thing in self._described(hook, origin, plugin):
                    found.setdefault((thing.kind, thing.name), []).append(thing)
        return found

    def _described(self, hook: str, origin: str, plugin: Any) -> list[Any]:
        describing = getattr(plugin, hook, tuple)  # which describes nothing
        try:
            return [attrs.evolve(_checked(hook, thing), origin=origin) for thing in describing()]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's code: whatever it raises, the others must go on working
            self.broken[origin] = describe(error)
            return []

    def failures(self) -> dict[str, str]:
        """Every plugin that cannot be used, with the cause: each is asked for all it brings, which may fail too."""
        self.names("component")
        return dict(sorted(self.broken.items()))

    def clashes(self) -> dict[tuple[str, str], list[str]]:
        """Names that more than one plugin claims, with the claimants."""
        return {key: [thing.origin for thing in things] for key, things in self.claims.items() if len(things) > 1}

    def entries(self) -> list[dict[str, str]]:
        """Kind, name, distribution, version and a line of help of everything that is installed, by kind and name."""
        every = [t for kind in (*KINDS, "preset", "command") for _, t in sorted(self.described(kind).items())]
        names = ("kind", "name", "distribution", "version", "help")  # behind a version may stand more
        return [
            dict(zip(names, (t.kind, t.name, *[*t.origin.split(), "", ""][:2], t.help), strict=True)) for t in every
        ]

    def described(self, kind: str) -> dict[str, Any]:
        """``{name: what a plugin says of it}`` of a kind; where several claim a name, the first."""
        return {name: things[0] for (k, name), things in self.claims.items() if k == kind}

    def names(self, kind: str) -> list[str]:
        """The names of a kind, sorted."""
        return sorted({name for k, name in (*self.claims, *self.objects) if k == kind})

    def defaults(self, kind: str) -> list[str]:
        """The names of the kind's components that are used where the user names none."""
        return [name for name, component in self.described(kind).items() if component.default]

    def find(self, kind: str, name: str) -> Any:
        """The component of a kind, or else the ``preset`` or ``command``, of this name.

        Raises:
            InputError: there is none of that name; the message has the nearest match and the choices.
            PluginError: two plugins claim the name.
        """
        if (kind, name) in self.objects:
            made = type(self.objects[kind, name])
            return Component(kind, name, "given in Python", f"{made.__module__}:{made.__name__}")
        if (kind, name) not in self.claims:
            raise self.missing(kind, name, self.names(kind))
        thing, *others = self.claims[kind, name]
        if others:
            claimants = " and by ".join(claimant.origin for claimant in (thing, *others))
            raise PluginError(f"{kind} '{name}' is claimed by {claimants}: uninstall one of them")
        return thing

    def opening(self, path: Path, dataset: str | None = None) -> tuple[str, str]:
        """The data set that opens a file or folder, ``dataset`` if that is given, and its option that takes the path.

        Raises:
            InputError: none opens it, or more than one opens it or what lies in it.
        """
        known = [self.find("dataset", dataset)] if dataset else self.described("dataset").values()
        ending = "/" if path.is_dir() else path.suffix.lower()
        endings = {ending, *(file.suffix.lower() for file in (path.iterdir() if path.is_dir() else ()))}
        found = [component for component in known if endings & set(component.opens)]
        if len(found) == 1 and ending in found[0].opens:
            return found[0].name, found[0].opens[ending]
        if len(found) > 1:
            names = " and ".join(f"'{component.name}'" for component in found)
            raise InputError(f"{path}: data sets {names} open it, or a file in it: add --dataset, or give the file")
        every = ", ".join(sorted({each for component in known for each in component.opens} - {"/"}))
        raise InputError(f"{path}: by itself a file opens that ends in {every}: give --dataset and -o, or --config")

    def missing(self, what: str, name: str, choices: Iterable[str]) -> InputError:
        """The error for a name that nothing has; a plugin that failed to load may be the one that brings it."""
        error = unknown(what, name, choices)
        if not self.broken:
            return error
        broken = ", ".join(sorted(self.broken))
        return InputError(f"{error}; plugins that failed to load (`vatl plugins list` says why): {broken}")


def _checked(hook: str, thing: Any) -> Any:
    """What a plugin describes, if it is what the hook is for."""
    expected = DESCRIBING[hook]
    if not isinstance(thing, expected):
        raise TypeError(f"{hook} is to return a list of {expected.__name__}s; it has a {type(thing).__name__}")
    return thing


def distribution_of(point: EntryPoint) -> str:
    """The distribution and version that an entry point is from."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _packages() -> dict[str, str]:
    """``{package: distribution and version}`` of every plugin."""
    return {point.module.partition(".")[0]: distribution_of(point) for point in entry_points(group=GROUP)}


def whose(component: object) -> str:
    """Which plugin a component's class is from, to end a message with."""
    kind = type(component)
    plugin = _packages().get(kind.__module__.partition(".")[0])
    return f" (plugin {plugin})" if plugin else f" ({kind.__module__}:{kind.__qualname__})"


def culprit(error: BaseException, besides: str = "") -> str:
    """The plugin in whose code an error arose, to end a message with; nothing where it was in no plugin's.

    The package ``besides`` does not count: that of a plugin which asks about work that it only had carried out.
    """
    packages, found, trace = _packages(), "", error.__traceback__
    packages.pop(besides, None)
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if package in packages:
            found = f", in plugin {packages[package]} ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found
