"""Trying out everything that is installed: what is wrong, and with which plugin."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final

import attrs
from pluggy import PluginValidationError

from vatl_core import hookspecs
from vatl_core.catalogue import clashes
from vatl_core.compatibility import declared_by, written_for
from vatl_core.components import Component, describe
from vatl_core.errors import InputError, VatlError, unknown
from vatl_core.options import build
from vatl_core.plugins import GROUP, Registry, distribution_of

CORE: Final = "vatl-core"


@attrs.frozen
class Finding:
    """What came of one check.

    Attributes:
        what: that was checked.
        problem: what is wrong with it; empty where nothing is.
        note: what else there is to say, such as why no more of it could be tried.
    """

    what: str
    problem: str = ""
    note: str = ""


def check_plugins(registry: Registry, name: str = "") -> Iterator[Finding]:
    """Check every plugin, and try out every component; or only those of one name.

    Args:
        registry: what is installed.
        name: of a component or a distribution; everything if empty.

    Raises:
        InputError: nothing is called so.
    """
    found = [c for c in registry.components.values() if name in ("", c.name, *c.formerly, _bare(c.origin))]
    points = [point for point in entry_points(group=GROUP) if name in ("", _bare(distribution_of(point)))]
    if not found and not points:
        raise unknown("component or plugin", name, {n for _, n in registry.components} | set(_plugins()))
    yield from (_check_plugin(registry, point) for point in sorted(points, key=lambda p: p.name))
    for (kind, claimed), plugins in clashes(registry).items():
        if name in ("", claimed, *map(_bare, plugins)):
            yield Finding(f"{kind} {claimed}", f"is claimed by {' and by '.join(plugins)}: uninstall one of them")
    yield from (check_component(registry, component) for component in found)


def check_component(registry: Registry, component: Component) -> Finding:
    """Import a component, make it with its defaults, and hold it to what its contract promises, the quick part."""
    what = f"{component.kind} {component.name}"
    if (component.kind, component.name) in registry.clashes():
        return Finding(what, note="not tried, since two plugins claim its name")
    try:
        component.load()
        made = build(registry, component.kind, component.name, {})
    except InputError as error:  # it imports; that it needs an option is its right
        return Finding(what, note=f"imports; not tried further: {error}")
    except VatlError as error:
        return Finding(what, str(error))
    problem = _broken(component, made)
    asks = getattr(made, "asks_people", False) and not problem
    return Finding(what, problem, "not asked anything, since it asks people" if asks else "")


def _broken(component: Component, made: object) -> str:
    from vatl_core.testing.checking import flaws

    try:
        if component.kind == "dataset" and not made.videos():  # type: ignore[attr-defined]
            return ""
        broken = next((error for _, error in flaws(component.kind, made, only_quick=True) if error), None)
    except Exception as error:  # a stranger's code
        return f"of {component.origin}: {describe(error)}"
    return f"of {component.origin}: {broken}" if broken else ""


def _check_plugin(registry: Registry, point: EntryPoint) -> Finding:
    """Whether a plugin loads, was written for this contract and this vatl-core, and has no hook that nobody calls."""
    plugin = distribution_of(point)
    what = f"plugin {plugin}"
    if plugin in registry.broken:
        return Finding(what, registry.broken[plugin])
    if unfit := _unfit_requirement(point):
        return Finding(what, unfit)
    loaded = registry.manager.get_plugin(plugin)
    if strange := [name for name in dir(loaded) if _is_unknown_hook(registry, loaded, name)]:
        return Finding(what, f"{strange[0]} is a hook that vatl does not have: see vatl_core/hookspecs.py")
    undeclared = f"does not say which contract it was written for: vatl_contract = '{written_for()}' in {point.module}"
    return Finding(what, note="" if declared_by(loaded) else undeclared)


def _unfit_requirement(point: EntryPoint) -> str:
    """Which vatl-core the distribution asks for, where that is another one."""
    from packaging.requirements import Requirement

    present = version(CORE)
    for text in (point.dist.requires if point.dist else None) or ():
        wanted = Requirement(text)
        if wanted.name == CORE and not wanted.specifier.contains(present, prereleases=True):
            return f"it needs {CORE} {wanted.specifier}, and {present} is installed: install versions that fit"
    return ""


def _is_unknown_hook(registry: Registry, plugin: object, name: str) -> bool:
    """Whether a plugin implements a hook that nobody calls: a misspelt name, or one of another vatl-core."""
    try:
        implemented = registry.manager.parse_hookimpl_opts(plugin, name)
    except PluginValidationError:
        return True
    return implemented is not None and not hasattr(hookspecs, name)


def _bare(origin: str) -> str:
    """A distribution without its version."""
    return origin.partition(" ")[0]


def _plugins() -> list[str]:
    return [_bare(distribution_of(point)) for point in entry_points(group=GROUP)]
