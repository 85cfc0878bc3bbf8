"""The objects among a run's parts: what they are called, and what is recorded of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
    """Settings with names in place of objects, and the objects.

    Args:
        installed: to call an object of an installed class by its installed name.
        settings: a part is a name, a sum of names, an object, a sequence of these, or objects by name.

    Raises:
        InputError: an object of another kind than its part.
    """
    values, objects = dict(settings), Objects()
    if isinstance(video := values.get("video"), Video):
        if values.get("dataset"):
            raise InputError("give a Video, or a data set and the name of one of its videos: not both")
        values |= {"dataset": OwnVideo(video), "video": video.name}
    for role in ROLES:
        if values.get(role) is None:
            continue
        named = _named(installed, role, values[role])
        if role not in ("query", "stop") and len(named) != 1:
            raise InputError(f"{role}: one is expected, and {len(named)} were given")
        values[role] = "+".join(named)
        objects |= {(ROLES[role], name): thing for name, thing in named.items() if not isinstance(thing, str)}
    return values, objects


def _named(installed: Registry, role: str, parts: Any) -> dict[str, Any]:
    """What fills a role, by name; a name that is installed stands for itself."""
    named: dict[str, Any] = {}
    for name, part in _each(role, parts):
        if isinstance(part, str):
            named |= {word: word for word in names_in(part)}
        else:
            thing = _fitting(role, part)
            named[name or _free(_called(installed, ROLES[role], thing), named)] = thing
    return named


def _each(role: str, parts: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(parts, Mapping):
        yield from (("", part) for part in (parts if isinstance(parts, list | tuple) else [parts]))
        return
    for name, part in parts.items():
        if not re.fullmatch(r"[\w.-]+", str(name)):
            raise InputError(f"{role}: '{name}' is no name: letters, digits, points, dashes and underscores only")
        yield str(name), part


def _fitting(role: str, part: Any) -> Any:
    """The part, held to its contract; a function that is to be an oracle, a video as a data set."""
    contract = CONTRACTS[ROLES[role]]
    if isinstance(part, contract):
        return part
    if isinstance(part, Video) and role == "dataset":
        return OwnVideo(part)
    if role == "oracle" and callable(part) and not isinstance(part, type):
        return Asked(part)
    hint = ": make an object of it" if isinstance(part, type) else ""
    found = f"the class {part.__name__}" if isinstance(part, type) else f"a {type(part).__name__}"
    article = "an" if contract.__name__[0] in "AEIO" else "a"
    raise InputError(f"{role}: a name or {article} {contract.__name__} is expected, and {found} was given{hint}")


def _called(installed: Registry, kind: str, thing: Any) -> str:
    """What users type for an installed class, so that its random choices are the same; else the class's own name."""
    if isinstance(thing, OwnVideo):
        return "own-video"
    if isinstance(thing, Asked):
        return re.sub(r"[^\w.-]", "", getattr(thing.function, "__name__", "function")).replace("_", "-") or "function"
    for name, component in installed.described(kind).items():
        if component.target == _made_by(thing):
            return name
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", type(thing).__name__).lower()
    return f"own-{own}" if own in installed.names(kind) else own


def _free(name: str, taken: Iterable[str]) -> str:
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}-{number}"
    return free


# ------------------------------------------------------------------------------------------------------------- recorded
def recorded(objects: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """The table of ``config.toml`` that says which parts were objects; empty where none was."""
    roles = {kind: role for role, kind in ROLES.items()}
    table: dict[str, dict[str, Any]] = {}
    for (kind, name), thing in objects.items():
        share = getattr(thing, "share", None)  # of a criterion; reports tell it without the object
        told = {"made_by": _made_by(thing)} | ({"share": share} if share else {})
        table.setdefault(roles[kind], {})[name] = told
    return {OBJECTS: table} if table else {}


def _made_by(thing: Any) -> str:
    """The class, or the function that is asked."""
    maker = thing.function if isinstance(thing, Asked) and isinstance(thing.function, FunctionType) else type(thing)
    return f"{maker.__module__}:{maker.__qualname__}"


def with_objects(registry: Registry, folder: RunFolder, objects: Objects | None = None) -> Registry:
    """The registry with the objects of the run in ``folder``; those that are not given again fail where they are used.

    Raises:
        InputError: an object that the run does not have, or another than it began with.
    """
    table: dict[str, dict[str, Any]] = folder.config.get(OBJECTS, {})
    for role, now in recorded(objects or {}).get(OBJECTS, {}).items():
        then = table.get(role, {})
        if strange := [name for name in now if name not in then or _maker(now[name]) != _maker(then[name])]:
            raise InputError(
                f"{folder.path} was begun with {_words(role, then) if then else f'no object as its {role}'}, and "
                f"{_maker(now[strange[0]])} is given"
            )
    words = ", ".join(_words(role, names) for role, names in table.items())
    absent = InputError(
        f"{folder.path} was composed in Python of objects: give them again: vatl_core.resume('{folder.path}', {words})"
    )
    return registry.with_objects(objects or {}).with_objects(
        {(ROLES[role], name): absent for role, names in table.items() for name in names}
    )


def _maker(told: Mapping[str, Any]) -> str:
    """The class or function without its module: it may have moved there from a notebook."""
    return str(told["made_by"]).partition(":")[2]


def _words(role: str, names: Mapping[str, Mapping[str, Any]]) -> str:
    """``query=[Spread, Turn]``: what a part is to be given again."""
    makers = [_maker(told) for told in names.values()]
    if makers == ["OwnVideo"]:
        return "video=…"
    return f"{role}={makers[0]}" if len(makers) == 1 else f"{role}=[{', '.join(makers)}]"
