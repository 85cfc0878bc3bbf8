"""What a component's docstrings say of its options: the lines of their ``Attributes:`` sections."""

from __future__ import annotations

import inspect
import re
from typing import Any

import attrs

from vatl_core.plugins import option_fields, type_name

_ENTRY = re.compile(r"(\w+(?:, \w+)*): (.*)")


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
    """What the class and those it derives from say of their attributes; the nearest wins."""
    told: dict[str, str] = {}
    for kind in reversed(component.__mro__):
        told |= _entries(kind.__dict__.get("__doc__") or "")
    return told


def _entries(docstring: str) -> dict[str, str]:
    """``{name: text}`` of a docstring's ``Attributes:``; one entry may name several."""
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in _section(inspect.cleandoc(docstring).splitlines()):
        entry = _ENTRY.fullmatch(line[4:]) if line[4:5].strip() else None
        if entry:
            names = entry[1].split(", ")
            entries |= dict.fromkeys(names, entry[2])
        else:
            entries |= {name: f"{entries[name]} {line.strip()}" for name in names}
    return entries


def _section(lines: list[str]) -> list[str]:
    """The indented lines under ``Attributes:``."""
    if "Attributes:" not in lines:
        return []
    under = lines[lines.index("Attributes:") + 1 :]
    end = next((n for n, line in enumerate(under) if not line.startswith("    ")), len(under))
    return under[:end]


def _default(value: Any) -> str | None:
    if value is attrs.NOTHING:
        return None
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # to mypy a function
        return "made anew"
    return repr(value) if isinstance(value, str) else "none" if value is None else str(value)
