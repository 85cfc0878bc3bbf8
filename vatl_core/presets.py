"""Presets: settings and options that belong together, such as those of a publication, under a name.

A preset lies beneath a configuration file and the command line: defaults < preset < TOML < command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vatl_core.components import is_text
from vatl_core.config import ROLES, Options, RunConfig, default_name, names_in
from vatl_core.errors import InputError, PluginError
from vatl_core.plugins import Registry

Tables = Mapping[str, Mapping[str, Any]]
"""What a configuration file holds: ``{"run": {setting: value}, role: {component: {option: value}}}``"""


@attrs.frozen
class Preset:
    """What ``--preset NAME`` stands for.

    Attributes:
        name: what users type.
        help: one line.
        tables: as in a configuration file; options only of components that its ``run`` names.
        datasets: further tables for particular data sets, by their name; they need not be installed.
    """

    name: str = attrs.field(validator=is_text)
    help: str = attrs.field(validator=is_text)
    tables: Tables
    datasets: Mapping[str, Tables] = attrs.field(factory=dict)

    def on(self, dataset: str) -> tuple[dict[str, Any], Options]:
        """Its settings and options for a data set."""
        run: dict[str, Any] = {}
        options: Options = {}
        for tables in (self.tables, self.datasets.get(dataset, {})):
            run |= tables.get("run", {})
            options = _over({role: table for role, table in tables.items() if role != "run"}, options)
        return run, options


def presets(registry: Registry) -> dict[str, list[tuple[str, Preset]]]:
    """Every preset with the plugin it comes from, by name; more than one where plugins claim the same name."""
    found: dict[str, list[tuple[str, Preset]]] = {}
    for plugin, preset in registry.described("vatl_presets"):
        found.setdefault(preset.name, []).append((plugin, preset))
    return dict(sorted(found.items()))


def find_preset(registry: Registry, name: str) -> Preset:
    """Look a preset up.

    Raises:
        InputError: there is none of that name; the message has the nearest match and the choices.
        PluginError: two plugins claim the name, or the preset sets what does not exist.
    """
    known = presets(registry)
    if name not in known:
        raise registry.missing("preset", name, known)
    if len(known[name]) > 1:
        claimants = " and by ".join(plugin for plugin, _ in known[name])
        raise PluginError(f"preset '{name}' is claimed by {claimants}: uninstall one of them")
    ((plugin, preset),) = known[name]
    _check(plugin, preset)
    return preset


def _check(plugin: str, preset: Preset) -> None:
    """Hold a preset's tables to the names that a configuration file may use."""
    known = {field.name for field in attrs.fields(RunConfig)} - {"options", "preset"}
    for tables in (preset.tables, *preset.datasets.values()):
        strange = [f"[{role}]" for role in tables if role not in ("run", *ROLES)]
        strange += [f"'{setting}' of [run]" for setting in tables.get("run", {}) if setting not in known]
        if strange:
            raise PluginError(f"preset '{preset.name}' of {plugin} sets {strange[0]}, which does not exist")


def beneath(
    preset: Preset, registry: Registry, settings: Mapping[str, Any], options: Options
) -> tuple[dict[str, Any], Options]:
    """Settings and options with the preset's where they say nothing.

    What it says of a component that the run is not made of after all is left out.

    Raises:
        InputError: the run would be made of a component of the preset that is not installed.
    """
    dataset = settings.get("dataset") or preset.tables.get("run", {}).get("dataset")
    run, below = preset.on(dataset or default_name(registry, "dataset"))
    _check_installed(preset, registry, {role: value for role, value in run.items() if role not in settings})
    merged = run | dict(settings) | {"preset": preset.name}
    used = {
        role: {name: table for name, table in tables.items() if name in names_in(merged.get(role, ""))}
        for role, tables in below.items()
    }
    return merged, _over(options, used)


def _check_installed(preset: Preset, registry: Registry, run: Mapping[str, Any]) -> None:
    for role, kind in ROLES.items():
        for name in names_in(run.get(role, "")):
            if name not in registry.names(kind):
                raise InputError(
                    f"preset '{preset.name}' needs the {kind} '{name}', which is not installed: install the plugin "
                    f"that brings it, or choose another by --{role}"
                )


def _over(options: Mapping[str, Mapping[str, Any]], below: Options) -> Options:
    """``options`` over those ``below``, option by option."""
    return {
        role: {
            name: dict(below.get(role, {}).get(name, {})) | dict(options.get(role, {}).get(name, {}))
            for name in {**below.get(role, {}), **options.get(role, {})}
        }
        for role in {**below, **options}
    }
