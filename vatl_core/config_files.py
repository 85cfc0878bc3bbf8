"""From presets, files and arguments to what a run is made of.

A preset lies beneath a configuration file and the command line: defaults < preset < TOML < command line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from vatl_core.config import ROLES, RunConfig, chosen, default_name, names_in
from vatl_core.errors import InputError, PluginError, unknown
from vatl_core.plugins import Options, Preset, Registry, laid_over, presets


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
    return merged, laid_over(options, used)


def _check_installed(preset: Preset, registry: Registry, run: Mapping[str, Any]) -> None:
    for role, kind in ROLES.items():
        for name in names_in(run.get(role, "")):
            if name not in registry.names(kind):
                raise InputError(
                    f"preset '{preset.name}' needs the {kind} '{name}', which is not installed: install the plugin "
                    f"that brings it, or choose another by --{role}"
                )


def read_toml(path: Path) -> tuple[dict[str, Any], Options, bool]:
    """A configuration file: the settings of ``[run]``, the options of components, and whether a run wrote it.

    What a run wrote of itself is complete: the preset it names stands in it and must not be looked up again.

    Raises:
        InputError: it is missing, not TOML, or has a table that means nothing.
    """
    tables = tables_of(path)
    if "objects" in tables:
        raise InputError(f"{path} is of a run composed in Python of objects: only Python can compose one like it")
    recorded = tables.pop("made_with", None) is not None  # the record of versions in a run's own configuration
    return *split(tables, str(path)), recorded


def tables_of(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        InputError: it is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"configuration {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration {path} is not TOML: {error}") from error


def split(tables: Mapping[str, Any], where: str) -> tuple[dict[str, Any], Options]:
    """The tables of a configuration file as settings of ``[run]`` and options of components.

    Args:
        tables: as TOML gives them.
        where: what to call them in messages.

    Raises:
        InputError: a table or a setting that means nothing.
    """
    for role, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"{where}: '{role}' is to be a table: write [{role}]")
    settings = tables.get("run", {})
    known = {field.name for field in attrs.fields(RunConfig)} - {"options"}
    for name in settings:
        if name not in known:
            raise unknown(f"setting of [run] in {where}", name, known)
    options = {role: table for role, table in tables.items() if role != "run"}
    for role, table in options.items():
        if role not in ROLES:
            raise unknown(f"table of {where}", role, ["run", *ROLES])
        for name in table:
            if not isinstance(table[name], dict):
                raise InputError(f"{where}: '{name}' in [{role}] is to be a component's table: write [{role}.{name}]")
    return dict(settings), options


def add_option(options: Options, text: str, config: RunConfig, registry: Registry) -> None:
    """Add ``PART.OPTION=VALUE`` from the command line; PART is a role (``estimator``) or a component (``wpu``).

    Raises:
        InputError: it has another form, or names no part of this run.
    """
    key, equals, value = text.partition("=")
    part, point, option = key.strip().partition(".")
    if not (equals and point and part and option):
        raise InputError(f"-o {text}: the form is PART.OPTION=VALUE, such as -o estimator.input_size=128,128")
    role, name = place(part, config, registry)
    options.setdefault(role, {}).setdefault(name, {})[option] = value.strip()


def place(part: str, config: RunConfig, registry: Registry) -> tuple[str, str]:
    """The role and the component that an option's first word means.

    Raises:
        InputError: it is no part of the run, or several.
    """
    for role in ROLES:
        if part in chosen(config, role):
            return role, part
    if part in ROLES and len(names := chosen(config, part)) == 1:
        return part, names[0]
    if part in ROLES:
        raise InputError(f"-o {part}.…: this run has several of these: name one of {', '.join(chosen(config, part))}")
    for role, kind in ROLES.items():
        if any(part in (name, *c.formerly) for (k, name), c in registry.components.items() if k == kind):
            return role, registry.find(kind, part).name
    raise unknown("part of this run", part, [*ROLES, *(name for role in ROLES for name in chosen(config, role))])
