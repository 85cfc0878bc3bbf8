"""The table ``[tune]``, and what the command line says over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import deep_iterable, ge

from vatl_core.errors import InputError, unknown
from vatl_core.plugins import option_fields, structure


def _once(_: object, field: attrs.Attribute[Any], entries: tuple[Any, ...]) -> None:
    if twice := [entry for entry in entries if entries.count(entry) > 1]:
        raise ValueError(f"{field.name} has {twice[0]!r} twice: name each once")


def _rising(cycles: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(cycles)))


@attrs.frozen
class Tune:
    """The table ``[tune]``.

    Attributes:
        search: what is searched, ``{PART.OPTION: values}``: ``"1e-4..1e3:log"``, ``"2..16"``, ``"0..1:0.1"`` or
            ``[0.5, 1, 2]``.
        videos: to tune on, as of ``[sweep]``: names, a split's name for its videos, or ``all``.
        seeds: each with every video; the run's own seed if empty.
        variant: which of the file's variants or presets is tuned, where there are several.
        measure: ``ap``, ``ap@0.6``, ``mean-oks``, ``ar``, …, or what a plugin measures: ``pck``, ``ospa``.
        with_labels: whether labelled instances count with their labels.
        objective: ``alc``, the area under the learning curve; ``final``, the last pass; or ``labels@0.9``, the share of
            labels needed to get there.
        trials: how many there are to be in all, those of earlier sittings counted in.
        at_once: trials carried out side by side, which know nothing of each other.
        prune_after: cycles after which a trial ends that is worse than the median of those before; never if empty.
        seed: of the search; the same gives the same trials.
        folder: of the search; ``tunings/`` and the name of its file if not given.
    """

    search: dict[str, Any] = attrs.field(factory=dict)
    videos: tuple[str, ...] = attrs.field(default=(), validator=_once)
    seeds: tuple[int, ...] = attrs.field(default=(), validator=[deep_iterable(ge(0)), _once])
    variant: str = ""
    measure: str = "ap"
    with_labels: bool = False
    objective: str = "alc"
    trials: int = attrs.field(default=30, validator=ge(1))
    at_once: int = attrs.field(default=1, validator=ge(1))
    prune_after: tuple[int, ...] = attrs.field(default=(3, 5, 9), validator=deep_iterable(ge(1)), converter=_rising)
    seed: int = attrs.field(default=0, validator=ge(0))
    folder: Path | None = None


def read_table(table: Any, said: Mapping[str, Any], search: Sequence[str], path: Path) -> Tune:
    """What stands in the table, and over it what the command line said, which is None where it said nothing.

    Raises:
        InputError: something in it does not exist or cannot be used.
    """
    where, known = f"[tune] of {path}", option_fields(Tune)
    if not isinstance(table, dict) or not isinstance(table.get("search", {}), dict):
        raise InputError(f"{path}: 'tune' is to be a table: write [tune], and [tune.search] for what is searched")
    if strange := [name for name in table if name not in known]:
        raise unknown(f"setting of {where}", strange[0], known)
    given = table | {name: value for name, value in said.items() if value is not None}
    given["search"] = _flat(table.get("search", {}), where) | _searched(search)
    if given.get("prune_after") == "none":
        given["prune_after"] = ()
    made: Tune = structure(given, Tune, where)
    if not made.videos:
        raise InputError(f"{where} names no videos to tune on: --videos, or videos = […]; not those reported on")
    return made


def _flat(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """``duw.uncertainty_weight = …`` of a TOML file is a table within the table, unless it stands in quotes."""
    found: dict[str, Any] = {}
    for part, value in table.items():
        inner = {f"{part}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {part: value}
        if strange := [name for name, values in inner.items() if isinstance(values, dict) or name in found]:
            raise InputError(f"{where}: {strange[0]} of [tune.search] is to be values, named once: PART.OPTION = …")
        found |= inner
    return found


def _searched(texts: Sequence[str]) -> dict[str, str]:
    """``PART.OPTION=VALUES`` of the command line."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, values = map(str.strip, text.partition("="))
        if not (equals and name and values):
            raise InputError(f"--search {text}: the form is PART.OPTION=VALUES, as duw.uncertainty_weight=.01..10:log")
        if name in found:
            raise InputError(f"--search {name} is there twice: search it once")
        found[name] = values
    return found
