"""The objects among a run's parts: what they are called, and what is recorded of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import attrs

from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.contracts import CONTRACTS, Dataset
from vatl_core.cycle import Asked
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Absent, Component, Composed, Given, Registry
from vatl_core.video import Video

OBJECTS: Final = "objects"
"""The table of ``config.toml`` that says which parts were objects, and what can be recorded of them."""


Objects = dict[tuple[str, str], Any]
"""``{(role, name): object}``"""


def named(installed: Registry, role: str, parts: Any) -> tuple[tuple[str, ...], Objects]:
    """The names of a part, or of several, and the objects among them.

    Args:
        installed: to call an object of an installed class by its installed name.
        role: one of :data:`vatl_core.config.ROLES`.
        parts: a name, a sum of names, an object, a sequence of these, or objects by name.

    Raises:
        InputError: something of another kind.
    """
    names: list[str] = []
    objects: Objects = {}
    for name, part in _each(role, parts):
        if isinstance(part, str):
            names += [word.strip() for word in part.split("+")]
            continue
        thing = _fitting(role, part)
        name = name or _free(_name(installed, ROLES[role], thing), names)
        names.append(name)
        objects[role, name] = thing
    return tuple(names), objects


def _each(role: str, parts: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(parts, Mapping):
        for name, part in parts.items():
            if not re.fullmatch(r"[\w.-]+", str(name)):
                raise InputError(f"{role}: '{name}' is no name: letters, digits, points, dashes and underscores only")
            yield str(name), part
    else:
        for part in parts if isinstance(parts, Sequence) and not isinstance(parts, str) else [parts]:
            yield "", part


def _fitting(role: str, part: Any) -> Any:
    """The part, held to its contract; a function that is to be an oracle, a video as a data set."""
    contract = CONTRACTS[ROLES[role]]
    if isinstance(part, Video) and role == "dataset":
        return OwnVideo(part)
    if isinstance(part, contract):
        return part
    if role == "oracle" and callable(part) and not isinstance(part, type):
        return Asked(part)
    hint = ": make an object of it" if isinstance(part, type) else ""
    found = f"the class {part.__name__}" if isinstance(part, type) else f"a {type(part).__name__}"
    raise InputError(f"{role}: a name or {_article(contract)} is expected, and {found} was given{hint}")


def _article(contract: type) -> str:
    return f"{'an' if contract.__name__[0] in 'AEIO' else 'a'} {contract.__name__}"


def _name(installed: Registry, kind: str, thing: Any) -> str:
    """What users type for an installed class, so that its random choices are the same; else the class's own name."""
    if isinstance(thing, OwnVideo):
        return "own-video"
    if isinstance(thing, Asked):
        return re.sub(r"[^\w.-]", "", getattr(thing.function, "__name__", "function")).replace("_", "-") or "function"
    target = f"{type(thing).__module__}:{type(thing).__qualname__}"
    for (known_kind, name), component in installed.components.items():
        if known_kind == kind and component.target == target:
            return name
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", type(thing).__name__).lower()
    return f"own-{own}" if (kind, own) in installed.components else own


def _free(name: str, taken: Sequence[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def recorded(objects: Objects) -> dict[str, Any]:
    """The table that says which parts were objects; empty where none was."""
    table: dict[str, dict[str, Any]] = {}
    for (role, name), thing in objects.items():
        table.setdefault(role, {})[name] = _description(thing)
    return {OBJECTS: table} if table else {}


def _description(thing: Any) -> dict[str, Any]:
    if isinstance(thing, Asked):
        function = thing.function if isinstance(thing.function, FunctionType) else type(thing.function)
        return {"function": f"{function.__module__}:{function.__qualname__}"}
    told: dict[str, Any] = {"class": f"{type(thing).__module__}:{type(thing).__qualname__}"}
    if isinstance(thing, OwnVideo):
        return told | _of_video(thing.video)
    if share := getattr(thing, "share", None):
        told["share"] = share
    if attrs.has(type(thing)):
        plain = {f.name: _plain(getattr(thing, f.name, None)) for f in attrs.fields(type(thing)) if f.init}
        told |= {name: value for name, value in plain.items() if value is not None}
    return told


def _of_video(video: Video) -> dict[str, Any]:
    instances = video.instances
    columns = (instances.frame, instances.track, instances.boxes)
    digest = hashlib.sha256(b"".join(column.cpu().contiguous().numpy().tobytes() for column in columns)).hexdigest()
    return {"name": video.name, "frames": len(video.frames), "instances": len(instances), "digest": digest[:16]}


def _plain(value: Any) -> Any:
    """The value as TOML can hold it; None for what it cannot."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return None if None in parts else parts
    return value if isinstance(value, bool | int | float | str) else None


def components(objects: Objects) -> dict[tuple[str, str], Component]:
    """``{(kind, name): component}`` of objects ``{(role, name): object}``."""
    keyed = {(ROLES[role], name): thing for (role, name), thing in objects.items()}
    return {
        key: Given(*key, "given in Python", "vatl_core.plugins.given:Given", thing=thing)
        for key, thing in keyed.items()
    }


def tell_only_bringers(registry: Registry, config: RunConfig) -> None:
    """Let only those plugins hear of a run that bring one of its parts: no display, no report."""
    keys = [(ROLES[role], name) for role in ROLES for name in chosen(config, role)]
    bringing = {registry.find(*key).origin for key in keys}
    for name, plugin in registry.manager.list_name_plugin():
        if name not in bringing:
            registry.manager.unregister(plugin)


def reunited(registry: Registry, objects: Objects, table: Mapping[str, Mapping[str, Any]], path: Path) -> Registry:
    """What is installed, with the objects of the run in ``path``; those that are not here fail when they are used.

    Args:
        registry: what is installed.
        objects: given again, by name.
        table: what the run recorded of its objects.
        path: of the run.

    Raises:
        InputError: an object that the run does not have, or another than it began with.
    """
    for (role, name), thing in objects.items():
        if name not in table.get(role, {}):
            raise InputError(f"{path} was not begun with an object '{name}' as its {role}: leave it out")
        now, then = _kept(_description(thing)), _kept(table[role][name])
        if now != then:
            key = next(key for key in (*then, *now) if now.get(key) != then.get(key))
            was, found = then.get(key, "nothing"), now.get(key, "nothing")
            raise InputError(f"{path} was begun with {role} '{name}' of {key} {was}, and this one's is {found}")
    return with_absent(Composed.of(registry, components(objects)), table, path)


def with_absent(registry: Registry, table: Mapping[str, Mapping[str, Any]], path: Path) -> Registry:
    """The registry with the objects of the run in ``path``; those that are not in it fail when they are used."""
    given = dict(registry.given) if isinstance(registry, Composed) else {}
    for role, names in table.items():
        for name, told in names.items():
            key = ROLES[role], name
            absent = Absent(
                *key, "", "vatl_core.plugins.given:Absent", missing=missing(path, table), share=told.get("share")
            )
            given.setdefault(key, absent)
    return Composed.of(registry, given) if given else registry


def _kept(told: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same when a run is taken up; a class may have moved from a notebook into a module."""
    return {key: str(value).partition(":")[2] if key in ("class", "function") else value for key, value in told.items()}


def missing(path: Path, table: Mapping[str, Mapping[str, Any]]) -> str:
    """What to say where objects of a run are not here."""
    parts = ", ".join(f"{role} {' and '.join(names)}" for role, names in table.items())
    words = ", ".join(f"{'video' if 'own-video' in names else role}=…" for role, names in table.items())
    return f"{path} was composed in Python of objects ({parts}): give them again: vatl_core.resume('{path}', {words})"


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
