"""What a component's docstrings say of its options, in their ``Attributes:`` sections."""

from __future__ import annotations

from typing import Any

import attrs
from docstring_parser import DocstringStyle, ParseError, parse

from vatl_core.plugins import option_fields, type_name


@attrs.frozen
class OptionDoc:
    """One option, as users are told of it.

    Attributes:
        name: what users type.
        type: in words.
        default: as text; None where it has none.
        help: what its class says of it, units included; empty where it says nothing.
    """

    name: str
    type: str
    default: str | None
    help: str


def option_docs(component: type[Any]) -> list[OptionDoc]:
    """The options of a component's class, in order."""
    told = attributes_told(component)
    return [
        OptionDoc(name, type_name(field.type), _default(field.default), told.get(name, ""))
        for name, field in option_fields(component).items()
    ]


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
