"""The objects among a run's parts: what they are called, and what is recorded of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import FunctionType
from typing import Any

import attrs

from vatl_core.config import ROLES, names_in
from vatl_core.config_files import OBJECTS
from vatl_core.contracts import CONTRACTS, Dataset
from vatl_core.cycle import Asked
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Registry
from vatl_core.store import RunFolder
from vatl_core.video import Video

Objects = dict[tuple[str, str], Any]
"""``{(kind, name): object}``"""


@attrs.frozen
class OwnVideo(Dataset):
    """A video that was given, as a data set of its own."""

    video: Video

    def videos(self) -> list[str]:
        return [self.video.name]

    def load(self, name: str) -> Video:
        if name != self.video.name:
            raise unknown("video", name, self.videos())
        return self.video


def separated(installed: Registry, settings: Mapping[str, Any]) -> tuple[dict[str, Any], Objects]:
    """Settings with names in place of objects, and the objects; one of an installed class has its installed name.

    Raises:
        InputError: an object of another kind than its part.
    """
    values, objects = dict(settings), Objects()
    if isinstance(video := values.get("video"), Video):
        if values.get("dataset"):
            raise InputError("give a Video, or a data set and the name of one of its videos: not both")
        values |= {"dataset": OwnVideo(video), "video": video.name}
    for role in [role for role in ROLES if values.get(role) is not None]:
        named = _named(installed, role, values[role])
        if role not in ("query", "stop") and len(named) != 1:
            raise InputError(f"{role}: one is expected, and {len(named)} were given")
        values[role] = "+".join(named)
        objects |= {(ROLES[role], name): thing for name, thing in named.items() if not isinstance(thing, str)}
    return values, objects


def _named(installed: Registry, role: str, parts: Any) -> dict[str, Any]:
    """What fills a role, by name; a name that is installed stands for itself."""
    if isinstance(parts, Mapping):
        for name in parts:
            if not re.fullmatch(r"[\w.-]+", str(name)):
                raise InputError(f"{role}: '{name}' is no name: letters, digits, points, dashes and underscores only")
        return {name: _fitting(role, part) for name, part in parts.items()}
    named: dict[str, Any] = {}
    for part in parts if isinstance(parts, list | tuple) else [parts]:
        if isinstance(part, str):
            named |= {word: word for word in names_in(part)}
            continue
        thing = _fitting(role, part)
        name = _called(installed, ROLES[role], thing)
        free = (n for n in (name, *(f"{name}-{k}" for k in range(2, len(named) + 3))) if n not in named)
        named[next(free)] = thing
    return named


def _fitting(role: str, part: Any) -> Any:
    """The part, held to its contract; a function is an oracle, too."""
    contract, made = CONTRACTS[ROLES[role]], not isinstance(part, type)
    if isinstance(part, contract):
        return part
    if callable(part) and role == "oracle" and made:
        return Asked(part)
    found, hint = (f"a {type(part).__name__}", "") if made else (f"the class {part.__name__}", ": make an object of it")
    article = "an" if contract.__name__[0] in "AEIO" else "a"
    raise InputError(f"{role}: a name or {article} {contract.__name__} is expected, and {found} was given{hint}")


def _called(installed: Registry, kind: str, thing: Any) -> str:
    """What users type for an installed class, so that its random choices are the same; else its own name."""
    made = _maker(thing)
    for name, component in installed.described(kind).items():
        if component.target == f"{made.__module__}:{made.__qualname__}":
            return name
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", made.__name__).lower()
    own = re.sub(r"[^\w.-]", "", apart) or "function"
    return f"own-{own}" if own in installed.names(kind) else own


def _maker(thing: Any) -> Any:
    """The class of an object, or the function that is asked."""
    asked = thing.function if isinstance(thing, Asked) else thing
    return asked if isinstance(asked, FunctionType) else type(asked)


def recorded(objects: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """The table of ``config.toml`` that says which parts were objects, and what made them; empty where none was."""
    roles = {kind: role for role, kind in ROLES.items()}
    table: dict[str, dict[str, Any]] = {}
    for (kind, name), thing in objects.items():
        told = {"made_by": _maker(thing).__qualname__, "module": _maker(thing).__module__}
        share = getattr(thing, "share", None)  # of a criterion; reports tell it without the object
        table.setdefault(roles[kind], {})[name] = told | ({"share": share} if share else {})
    return {OBJECTS: table} if table else {}


def with_objects(registry: Registry, folder: RunFolder, objects: Objects | None = None) -> Registry:
    """The registry with the objects of the run in ``folder``; those that are not given again fail where they are used.

    Raises:
        InputError: an object that the run does not have, or another than it began with.
    """
    table: dict[str, dict[str, Any]] = folder.config.get(OBJECTS, {})
    for role, now in recorded(objects or {}).get(OBJECTS, {}).items():
        then = table.get(role, {})
        for name, told in now.items():  # its module may be another: from a notebook into a file
            if then.get(name, {}).get("made_by") != told["made_by"]:
                began = _words(role, then) if then else f"no object as its {role}"
                raise InputError(f"{folder.path} was begun with {began}, and {told['made_by']} is given")
    again = ", ".join([f"'{folder.path}'", *(_words(role, names) for role, names in table.items())])
    absent = InputError(f"{folder.path} was composed in Python of objects: give them again: vatl_core.resume({again})")
    every = {(ROLES[role], name): absent for role, names in table.items() for name in names}
    return registry.with_objects(objects or {}).with_objects(every)


def _words(role: str, names: Mapping[str, Mapping[str, Any]]) -> str:
    """``query=[Spread, Turn]``: what a part is to be given again."""
    makers = ", ".join(str(told["made_by"]) for told in names.values())
    if makers == "OwnVideo":
        return "video=…"
    return f"{role}={makers}" if len(names) == 1 else f"{role}=[{makers}]"
