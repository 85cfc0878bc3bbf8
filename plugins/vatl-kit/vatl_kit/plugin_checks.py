"""Trying out everything that is installed: what is wrong, and with which plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from importlib.metadata import EntryPoint, version
from typing import Any, Final

import attrs
from pluggy import PluginValidationError

from vatl_core import hookspecs
from vatl_core.config import ROLES, default_name, rival_defaults
from vatl_core.config_files import check_installed, check_preset, configure
from vatl_core.contract_version import written_for
from vatl_core.errors import InputError, VatlError, unknown
from vatl_core.plugins import DESCRIBING, KINDS, Command, Component, Preset, Registry, build, describe

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


def check_plugins(registry: Registry, name: str = "", reserved: Collection[str] = ()) -> Iterator[Finding]:
    """Check every plugin, and try out everything that they bring; or only what has one name.

    Args:
        registry: what is installed.
        name: of a component, a preset, a command or a distribution; everything if empty.
        reserved: names that no plugin's command can have.

    Raises:
        InputError: nothing is called so.
    """
    registry.failures()  # a plugin is judged by everything that it is asked for
    claimed = registry.clashes()
    things = list(_things(registry, reserved))
    plugins = [_Trial(f"plugin {origin}", origin, partial(_try_plugin, registry)) for origin in registry.points]
    if not any(trial.is_called(name) for trial in (*plugins, *things)):
        known = {known for trial in (*plugins, *things) for known in trial.called}
        raise unknown("component, preset, command or plugin", name, known)
    yield from (trial.finding() for trial in plugins if trial.is_called(name))
    for (kind, taken), claimants in claimed.items():
        if name in ("", taken, *map(_bare, claimants)):
            yield Finding(f"{kind} {taken}", f"is claimed by {' and by '.join(claimants)}: uninstall one of them")
    yield from _rivalries(registry, name)
    taken_names = {f"{kind} {taken}" for kind, taken in claimed}
    yield from (trial.finding() for trial in things if trial.is_called(name) and trial.what not in taken_names)


@attrs.frozen
class _Trial:
    """One thing that can be tried out.

    Attributes:
        what: it is.
        origin: the plugin that it is from.
        judge: says what comes of it; a stranger's code may fail in any way while it does.
        name: of the thing; a plugin has none of its own.
    """

    what: str
    origin: str
    judge: Callable[[_Trial], Finding]
    name: str = ""

    @property
    def called(self) -> tuple[str, ...]:
        """The names that users may ask for it by: its own and its distribution's."""
        return tuple(filter(None, (self.name, _bare(self.origin))))

    def is_called(self, name: str) -> bool:
        """Whether users mean it by the name, as they mean everything by none."""
        return name in ("", *self.called)

    def finding(self) -> Finding:
        """What comes of trying it."""
        try:
            return self.judge(self)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # it may even try to end the program
            said = str(error) if isinstance(error, VatlError) else describe(error)
            return Finding(self.what, said if self.origin in said else f"of {self.origin}: {said}")


# ----------------------------------------------------------------------------------------------------------- components
def _things(registry: Registry, reserved: Collection[str]) -> Iterator[_Trial]:
    for (kind, name), (thing, *_) in registry.claims.items():
        judge = {"preset": partial(_try_preset, registry), "command": partial(_try_command, reserved)}.get(
            kind, partial(_try_component, registry)
        )
        yield _Trial(f"{kind} {name}", thing.origin, partial(judge, thing), name)


def _try_component(registry: Registry, component: Component, trial: _Trial) -> Finding:
    """Import a component, make it with its defaults, and hold it to what its contract promises, the quick part."""
    component.load()
    try:
        made = build(registry, component.kind, component.name, {})
    except InputError as error:  # it imports; that it needs an option is its right
        return Finding(trial.what, note=f"imports; not tried further: {error}")
    problem = _broken(component, made)
    asks = getattr(made, "asks_people", False) and not problem
    return Finding(trial.what, problem, "not asked anything, since it asks people" if asks else "")


def _broken(component: Component, made: object) -> str:
    from vatl_core.contracts import Dataset
    from vatl_kit.checking import flaws

    if isinstance(made, Dataset) and not made.videos():
        return ""
    broken = next((error for _, error in flaws(component.kind, made, only_quick=True) if error), None)
    return f"of {component.origin}: {broken}" if broken else ""


def _rivalries(registry: Registry, name: str) -> Iterator[Finding]:
    """Kinds of which several components are the default where only one can be."""
    for kind in KINDS:
        if rivals := rival_defaults(registry, kind):
            names = registry.defaults(kind)
            if name in ("", *names, *(_bare(registry.described(kind)[rival].origin) for rival in names)):
                yield Finding(f"default {kind}", rivals)


# ------------------------------------------------------------------------------------------------- presets and commands
def _try_preset(registry: Registry, preset: Preset, trial: _Trial) -> Finding:
    """Make what a run would be made of by the preset, for each data set that it has something to say of."""
    check_preset(preset)
    if any(rival_defaults(registry, kind) for kind in KINDS):
        return Finding(trial.what, note="not tried further, since plugins disagree about a default")
    usual = preset.tables.get("run", {}).get("dataset") or default_name(registry, "dataset")
    for dataset in (usual, *(dataset for dataset in preset.datasets if dataset in registry.names("dataset"))):
        try:
            check_installed(preset, registry, preset.on(dataset)[0])
        except InputError as error:  # a plugin that it needs is not installed, which is nobody's fault
            return Finding(trial.what, note=f"not tried further: {error}")
        config = configure(registry, {"preset": preset.name, "dataset": dataset})
        for role, tables in config.options.items():
            for name, given in tables.items():
                _try_options(registry, ROLES[role], name, given)
    return Finding(trial.what)


def _try_options(registry: Registry, kind: str, name: str, given: Mapping[str, Any]) -> None:
    """Make a component with a preset's options, as far as nothing is needed that only users know, such as a folder."""
    try:
        build(registry, kind, name, given)
    except InputError as error:
        if "needs a value for: " not in str(error):
            raise


def _try_command(reserved: Collection[str], command: Command, trial: _Trial) -> Finding:
    if command.name in reserved:
        hidden = "is never reached, since vatl has a command of that name itself: give it another name"
        return Finding(trial.what, f"of {command.origin} {hidden}")
    command.load()
    return Finding(trial.what)


# -------------------------------------------------------------------------------------------------------------- plugins
def _try_plugin(registry: Registry, trial: _Trial) -> Finding:
    """Whether a plugin loads, was written for this contract and this vatl-core, and has no hook that nobody calls."""
    if trial.origin in registry.broken:
        return Finding(trial.what, registry.broken[trial.origin])
    point = registry.points[trial.origin]
    loaded = registry.manager.get_plugin(trial.origin)
    if problem := _unfit_requirement(point) or _unheard_hook(registry, loaded):
        return Finding(trial.what, problem)
    undeclared = f"does not say which contract it was written for: vatl_contract = '{written_for()}' in {point.module}"
    return Finding(trial.what, note="" if hasattr(loaded, "vatl_contract") else undeclared)


def _unfit_requirement(point: EntryPoint) -> str:
    """Which vatl-core the distribution asks for, where that is another one."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    present = version(CORE)
    for text in (point.dist.requires if point.dist else None) or ():
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            return f"its requirement {text!r} cannot be read: its pyproject.toml has to put it right"
        applies = not wanted.marker or wanted.marker.evaluate({"extra": ""})
        if (
            canonicalize_name(wanted.name) == CORE
            and applies
            and not wanted.specifier.contains(present, prereleases=True)
        ):
            return f"it needs {CORE} {wanted.specifier}, and {present} is installed: install versions that fit"
    return ""


def _unheard_hook(registry: Registry, plugin: object) -> str:
    """A hook of the plugin that nobody calls, and what to do about it."""
    for name in dir(plugin):
        if _is_unknown_hook(registry, plugin, name):
            return f"{name} is a hook that vatl does not have: see vatl_core/hookspecs.py"
        if _is_unmarked_hook(registry, plugin, name):
            return f"{name} is never called: mark it with @hookimpl"
    return ""


def _is_unknown_hook(registry: Registry, plugin: object, name: str) -> bool:
    """Whether it is a misspelt hook, or one of another vatl-core."""
    try:
        implemented = registry.manager.parse_hookimpl_opts(plugin, name)
    except PluginValidationError:
        return True
    return implemented is not None and not hasattr(hookspecs, name)


def _is_unmarked_hook(registry: Registry, plugin: object, name: str) -> bool:
    """Whether it is called like a hook, and is none; those that describe are asked as they are."""
    if not name.startswith("vatl_") or name in DESCRIBING or not hasattr(hookspecs, name):
        return False
    unmarked = registry.manager.parse_hookimpl_opts(plugin, name) is None
    return unmarked and inspect.isroutine(getattr(plugin, name))


def _bare(origin: str) -> str:
    """A distribution without its version."""
    return origin.partition(" ")[0]
