"""The one way from arguments, presets and files to what a run is made of.

A configuration file has a table ``[run]`` for the run itself and one table for each component whose options differ
from their defaults: ``[query.wpu]``, ``[estimator.tiny]``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from vatl_core.config import ROLES, RunConfig, chosen, default_name, names_in, path_component
from vatl_core.errors import InputError, PluginError, unknown
from vatl_core.files import reading
from vatl_core.plugins import Options, Preset, Registry, laid_over, structure

SETTINGS: Final = frozenset(field.name for field in attrs.fields(RunConfig)) - {"options"}
"""What the table ``[run]`` may set."""
OBJECTS: Final = "objects"
"""The table of a run's own file that says which of its parts were objects."""


def configure(
    registry: Registry,
    settings: Mapping[str, Any],
    tables: Options | None = None,
    options: Sequence[str] | Mapping[str, Mapping[str, Any]] = (),
    file: Path | None = None,
) -> RunConfig:
    """What a run is made of: defaults < preset < file < settings < options. No component is imported for it.

    Args:
        registry: of components.
        settings: fields of :class:`RunConfig`, as text or in their types; None and () say nothing. A ``preset`` among
            them is taken before the file's.
        tables: options of components, ``{role: {component: {option: value}}}``.
        options: over those, ``PART.OPTION=VALUE`` or ``{part: {option: value}}``; a part is a role or a component.
        file: TOML.

    Raises:
        InputError: a name or a value that does not exist, or a file that cannot be used.
        PluginError: plugins disagree about a name or a default, or a preset sets what does not exist.
    """
    given = {name: value for name, value in settings.items() if value is not None and value != ()}
    below, options_below, recorded = read_toml(file, registry) if file else ({}, {}, False)
    given, tables = below | given, laid_over(tables or {}, options_below)
    if name := settings.get("preset") or (not recorded and below.get("preset")):
        given, tables = _over_preset(registry.find("preset", str(name)), registry, given, tables)
    config = _filled(registry, given)
    if config.name != (fit := path_component(config.name)):
        raise InputError(f"name {config.name!r}: a run's name is one printable part of a path anywhere, as {fit!r} is")
    for part, values in (options if isinstance(options, Mapping) else _parsed(options)).items():
        role, name = _place(part, config, registry)
        tables = laid_over({role: {name: values}}, tables)
    return attrs.evolve(config, options=tables)


def _filled(registry: Registry, settings: Mapping[str, Any]) -> RunConfig:
    """Defaults filled in and every name checked."""
    dataset = registry.find("dataset", settings.get("dataset") or default_name(registry, "dataset"))
    filled = dict(settings) | {"dataset": dataset.name}
    for role, kind in ROLES.items():
        filled[role] = filled.get(role) or dataset.suggests.get(kind) or default_name(registry, kind)
    filled |= {name: names_in(filled.get(name, ())) for name in ("stop", "advise")}
    if isinstance(amount := filled.get("schedule"), int | float):
        filled["schedule"] = [amount]
    config: RunConfig = structure(filled, RunConfig, "[run]")
    for kind, names in [*((kind, chosen(config, role)) for role, kind in ROLES.items()), ("stopping", config.advise)]:
        for name in names:
            registry.find(kind, name)
    return config


def _over_preset(
    preset: Preset, registry: Registry, settings: Mapping[str, Any], options: Options
) -> tuple[dict[str, Any], Options]:
    """Settings and options over the preset's; what it says of a component that the run is not made of is left out."""
    check_preset(preset)
    dataset = settings.get("dataset") or preset.tables.get("run", {}).get("dataset")
    run, below = preset.on(dataset or default_name(registry, "dataset"))
    check_installed(preset, registry, {role: value for role, value in run.items() if role not in settings})
    merged = run | dict(settings) | {"preset": preset.name}
    used = {
        role: {name: table for name, table in tables.items() if name in names_in(merged.get(role, ""))}
        for role, tables in below.items()
    }
    return merged, laid_over(options, used)


def check_preset(preset: Preset) -> None:
    """Hold a preset's tables to the names that a configuration file may use.

    Raises:
        PluginError: it sets what does not exist.
    """
    known = SETTINGS - {"preset"}
    for tables in (preset.tables, *preset.datasets.values()):
        strange = [f"[{role}]" for role in tables if role not in ("run", *ROLES)]
        strange += [f"'{setting}' of [run]" for setting in tables.get("run", {}) if setting not in known]
        if strange:
            raise PluginError(f"preset '{preset.name}' of {preset.origin} sets {strange[0]}, which does not exist")


def check_installed(preset: Preset, registry: Registry, run: Mapping[str, Any]) -> None:
    """Make sure that the parts of a run that a preset names are there.

    Raises:
        InputError: one is not installed.
    """
    for role, kind in ROLES.items():
        for name in names_in(run.get(role, "")):
            if name not in registry.names(kind):
                needed = f"preset '{preset.name}' needs the {kind} '{name}', which is not installed"
                raise InputError(f"{needed}: install the plugin that brings it, or choose another by --{role}")


def read_toml(path: Path, registry: Registry) -> tuple[dict[str, Any], Options, bool]:
    """A configuration file: the settings of ``[run]``, the options of components, and whether a run wrote it.

    What a run wrote of itself is complete: the preset it names stands in it and must not be looked up again.

    Raises:
        InputError: it is missing, not TOML, has a table that means nothing, or is of a run of objects that are not
            in the registry.
    """
    tables = tables_of(path)
    objects = {(ROLES[role], name) for role, names in tables.pop(OBJECTS, {}).items() for name in names}
    if not objects <= set(registry.objects):
        raise InputError(f"{path} is of a run composed in Python of objects: only Python can compose one like it")
    recorded = tables.pop("made_with", None) is not None  # the record of versions in a run's own configuration
    return *split(tables, str(path)), recorded


def tables_of(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        InputError: it is missing, not TOML, or what it says of objects is nothing that a run wrote.
    """
    with reading(path, "a configuration is to be TOML"):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        for role, names in tables.get(OBJECTS, {}).items():
            if role not in ROLES or not all(told["made_by"] for told in names.values()):
                raise ValueError(f"[{OBJECTS}.{role}] is no run's")
        return tables


def split(tables: Mapping[str, Any], where: str) -> tuple[dict[str, Any], Options]:
    """The tables of a configuration file as settings of ``[run]`` and options of components; messages say ``where``.

    Raises:
        InputError: a table or a setting that means nothing.
    """
    for role, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"{where}: '{role}' is to be a table: write [{role}]")
    settings, options = dict(tables.get("run", {})), {role: t for role, t in tables.items() if role != "run"}
    if strange := [name for name in settings if name not in SETTINGS]:
        raise unknown(f"setting of [run] in {where}", strange[0], SETTINGS)
    if strange := [role for role in options if role not in ROLES]:
        raise unknown(f"table of {where}", strange[0], ["run", *ROLES])
    for role, table in options.items():
        if plain := [name for name, own in table.items() if not isinstance(own, dict)]:
            means = f"is to be a component's table: write [{role}.{plain[0]}]"
            raise InputError(f"{where}: '{plain[0]}' in [{role}] {means}")
    return settings, options


def _parsed(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """``PART.OPTION=VALUE`` of the command line, as ``{part: {option: value}}``."""
    parts: dict[str, dict[str, str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        part, point, option = key.strip().partition(".")
        if not (equals and point and part and option):
            raise InputError(f"-o {text}: the form is PART.OPTION=VALUE, such as -o estimator.input_size=128,128")
        parts.setdefault(part, {})[option] = value.strip()
    return parts


def _place(part: str, config: RunConfig, registry: Registry) -> tuple[str, str]:
    """The role and the component that an option's first word means."""
    for role in ROLES:
        if part in chosen(config, role):
            return role, part
    if part in ROLES:
        name, *others = chosen(config, part)
        if others:
            raise InputError(f"-o {part}.…: this run has several of these: name one of {', '.join((name, *others))}")
        return part, name
    for role, kind in ROLES.items():
        if part in registry.names(kind):
            return role, part
    raise unknown("part of this run", part, [*ROLES, *(name for role in ROLES for name in chosen(config, role))])
