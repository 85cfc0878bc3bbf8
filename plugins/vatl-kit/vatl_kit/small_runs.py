"""A run of seconds: the components that a test names, and plain parts for the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import pluggy

from vatl_core import hookspecs
from vatl_core.config import ROLES, RunConfig
from vatl_core.config_files import configure
from vatl_core.discovery import discover
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component, Registry, build
from vatl_core.records import RunRecord
from vatl_core.run import PastRun, execute
from vatl_kit.small_parts import PARTS

PLAIN: Final = "vatl-testing"
"""What the plain part of each kind is called."""


class PlainParts:
    """The plugin that brings the plain parts."""

    @hookimpl
    def vatl_components(self) -> list[Component]:
        """One of each kind."""
        return [
            Component(kind, PLAIN, "for tests", f"vatl_kit.small_parts:{name}", default=True)
            for kind, name in PARTS.items()
        ]


class Silent:
    """What a plugin describes, without its hooks, and no default."""

    def __init__(self, plugin: Any) -> None:
        if hasattr(plugin, "vatl_components"):
            self.vatl_components = lambda: [attrs.evolve(c, default=False) for c in plugin.vatl_components()]
        if hasattr(plugin, "vatl_presets"):
            self.vatl_presets = plugin.vatl_presets


def small_run(folder: Path, listening: Sequence[object] = (), **settings: Any) -> PastRun:
    """Carry out a run on a video of stick figures, on the CPU.

    Args:
        folder: where its directory is made.
        listening: plugins whose hooks hear of it, such as one's own module; those of other plugins do not.
        settings: fields of :class:`vatl_core.config.RunConfig`; ``options`` of the parts, by role and name.

    Returns:
        What is on disk of it; ``.cycles`` are its records, ``.closing`` the last.

    Raises:
        InputError: something it is made of cannot be used.
    """
    registry = plain_registry(listening)
    options = settings.pop("options", {})
    small: dict[str, Any] = dict.fromkeys(ROLES, PLAIN)
    small |= {"schedule": [4, 8], "weights": "none", "device": "cpu", "precision": "float32"}
    config = configure(registry, small | {"runs": folder, "name": "run"} | settings, options)
    executor = build(registry, "executor", config.executor, config.of("executor", config.executor))
    (outcome,) = executor.map(partial(execute, registry=registry) if listening else _execute, [config])
    outcome.get()
    return PastRun.open(config.path, registry)


def plain_registry(listening: Sequence[object] = ()) -> Registry:
    """Everything that is installed, heard or not, and the plain parts, which are used where nothing is named."""
    installed, manager = discover(), pluggy.PluginManager("vatl")
    manager.add_hookspecs(hookspecs)
    for name, plugin in installed.manager.list_name_plugin():
        manager.register(plugin if plugin in listening else Silent(plugin), name=name)
    for plugin in listening:
        if not manager.is_registered(plugin):
            manager.register(plugin)
    manager.register(PlainParts(), name=PLAIN)
    return Registry(manager, installed.broken)


def _execute(config: RunConfig) -> RunRecord:
    """The work, which another process may have to do."""
    return execute(config, plain_registry())
