"""What a component's docstrings say of its options, in their ``Attributes:`` sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from docstring_parser import DocstringStyle, ParseError, parse

from vatl_core.plugins import option_fields, type_name


def option_docs(component: type[Any]) -> Iterator[dict[str, Any]]:
    """The options of a component's class, in order, as users are told of them.

    Each has its ``name``; its ``type`` in words; its ``default`` as text, None where it has none; and as ``help`` what
    its class says of it, units included, empty where it says nothing.
    """
    told = attributes_told(component)
    for name, field in option_fields(component).items():
        default, help = _default(field.default), told.get(name, "")
        yield {"name": name, "type": type_name(field.type), "default": default, "help": help}


def attributes_told(component: type[Any]) -> dict[str, str]:
    """What the class and those it derives from say of their attributes, ``{name: text}``; the nearest wins."""
    told: dict[str, str] = {}
    for kind in reversed(component.__mro__):
        try:
            entries = parse(kind.__dict__.get("__doc__") or "", DocstringStyle.GOOGLE).params
        except ParseError:  # a stranger's docstring, of another style
            continue
        told |= {
            name: " ".join((entry.description or "").split())
            for entry in entries
            for name in entry.arg_name.split(", ")
            if entry.args[0] == "attribute"
        }
    return told


def _default(value: Any) -> str | None:
    if value is attrs.NOTHING:
        return None
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # to mypy a function
        return "made anew"
    return repr(value) if isinstance(value, str) else "none" if value is None else str(value)
