"""A component's options: the fields of its attrs class, and how text becomes their values."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import attrs
import cattrs

from vatl_core.errors import InputError, PluginError, unknown
from vatl_core.plugins.descriptions import describe
from vatl_core.plugins.registry import Registry


def build(registry: Registry, kind: str, name: str, options: Mapping[str, Any]) -> Any:
    """Make a component with its options.

    Raises:
        InputError: an option that does not exist or a value that does not fit.
        PluginError: the component cannot be imported, or refuses its own defaults.
    """
    if (kind, name) in registry.objects:
        return _given(registry.objects[kind, name], f"{kind} '{name}'", options)
    found = registry.find(kind, name)
    component, where = found.load(), f"{kind} '{name}'"
    try:
        fields = option_fields(component)
    except (attrs.exceptions.NotAnAttrsClassError, NameError, TypeError) as error:
        raise PluginError(f"{where} of {found.origin}: its options cannot be told ({describe(error)})") from error
    made = _converted(options, fields, where)
    try:
        return _made(component, made, where)
    except InputError as error:
        if not _refuses_its_defaults(component, made, error):
            raise
        raise PluginError(f"{error}: it refuses its own defaults, which {found.origin} has to put right") from error


def _given(thing: Any, where: str, options: Mapping[str, Any]) -> Any:
    """An object, which has its options already."""
    if isinstance(thing, InputError):  # in its place, where it is not here
        raise thing
    if options:
        raise InputError(f"{where} was given as an object: set {', '.join(options)} on the object")
    return thing


def _refuses_its_defaults(component: type[Any], given: Mapping[str, Any], error: InputError) -> bool:
    """Whether what is refused is nothing that was given: it is with the required options alone, and is none of them."""
    if not isinstance(error.__cause__, ValueError | TypeError):
        return False
    refused = {name for name in given if re.search(rf"\b{re.escape(name)}\b", str(error.__cause__.args[:1]))}
    required = {n: given[n] for n, field in option_fields(component).items() if field.default is attrs.NOTHING}
    try:
        component(**required)
    except Exception:  # a stranger's constructor: it may raise anything
        return not refused
    return False


def option_fields(component: type[Any]) -> dict[str, attrs.Attribute[Any]]:
    """The options of a component's class, by name, with their types resolved."""
    attrs.resolve_types(component)
    return {field.name: field for field in attrs.fields(component) if field.init}


def is_path(component: type[Any], option: str, value: Any) -> bool:
    """Whether a component takes this value of one of its options for a path."""
    return isinstance(value_converter.structure(value, option_fields(component)[option].type), Path)  # type: ignore[arg-type]


def structure(values: Mapping[str, Any], kind: type[Any], where: str) -> Any:
    """Make an attrs class from values as TOML or the command line gives them.

    Args:
        values: by field name.
        kind: the class.
        where: what to call it in messages.

    Raises:
        InputError: a value of no field, one that does not fit its field's type or validator, or a required one that is
            missing.
    """
    return _made(kind, _converted(values, option_fields(kind), where), where)


def _converted(values: Mapping[str, Any], fields: Mapping[str, attrs.Attribute[Any]], where: str) -> dict[str, Any]:
    """The values in the types of their fields; none that is required is missing."""
    made = {}
    for name, value in values.items():
        if name not in fields:
            raise unknown(f"option of {where}", name, fields)
        try:
            made[name] = value_converter.structure(value, fields[name].type)  # type: ignore[arg-type]
        except Exception as error:  # the type is a stranger's: what reads it may raise anything
            wanted = type_name(fields[name].type)
            raise InputError(f"{where}: {name} = {value!r} does not fit: {wanted} is expected") from error
    missing = [n for n, f in fields.items() if f.default is attrs.NOTHING and n not in made]
    if missing:
        raise InputError(f"{where} needs a value for: {', '.join(missing)} (-o PART.{missing[0]}=…)")
    return made


def _made(kind: type[Any], values: Mapping[str, Any], where: str) -> Any:
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: {error.args[0] if error.args else error}") from error


def exposed(registry: Registry, kind: str, name: str, options: Mapping[str, Any]) -> list[str]:
    """What these options let others do, in words: a field's ``metadata["exposes"]`` makes them of its value, or ''."""
    component = registry.find(kind, name).load() if options and name in registry.names(kind) else None
    fields = attrs.fields_dict(component) if component and attrs.has(component) else {}
    told = ((fields[option].metadata.get("exposes"), value) for option, value in options.items() if option in fields)
    return [words for say, value in told if say and (words := say(value))]


def type_name(kind: Any) -> str:
    """A type as users read it."""
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(type_name(k) for k in get_args(kind))
    if kind is type(None):
        return "none"
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")


def _converter() -> cattrs.Converter:
    """Values from TOML or the command line: text may stand for any type, and nothing is rounded silently."""
    converter = cattrs.Converter()
    converter.register_structure_hook(bool, _flag)
    converter.register_structure_hook(int, _number)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(Path, lambda value, _: Path(_text(value)).expanduser())
    converter.register_structure_hook_func(_is_optional, lambda value, kind: _optional(converter, value, kind))
    converter.register_structure_hook_func(
        lambda kind: get_origin(kind) is tuple,  # type: ignore[comparison-overlap]  # it may be of any kind
        lambda value, kind: _tuple(converter, value, get_args(kind)),
    )
    return converter


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)


def _optional(converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    if value is None or (isinstance(value, str) and value.lower() == "none"):
        return None
    *others, last = (inner for inner in get_args(kind) if inner is not type(None))
    for inner in others:
        with suppress(Exception):  # the next may fit
            return converter.structure(value, inner)
    return converter.structure(value, last)


def _tuple(converter: cattrs.Converter, value: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    parts = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    wanted = kinds[:1] * len(parts) if kinds[-1] is Ellipsis else kinds
    return tuple(converter.structure(part, kind) for part, kind in zip(parts, wanted, strict=True))


def _flag(value: Any, _: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    return value if isinstance(value, bool) else words[value.lower()]


def _number(value: Any, kind: Any) -> Any:
    """Neither a flag nor NaN is one, and a whole one is no fraction."""
    number = kind(value)
    if isinstance(value, bool) or number != (value if isinstance(value, float) else number):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return number


def _text(value: Any, _: Any = str) -> str:
    if not isinstance(value, str | int | float | Path):
        raise TypeError(f"{value!r} is no text")
    return str(value)


value_converter = _converter()
"""Structures one option's value into its field's type; whatever it raises, the value does not fit."""
