"""Oracles that change what another one answers: its name and options, and the oracle that these make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from torch import Tensor

from vatl_core.config import RunConfig
from vatl_core.contracts import Oracle
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import build, exposed
from vatl_core.video import Video
from vatl_oracles.ground_truth import GroundTruth


def named(words: str | Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The name and the options in ``NAME,OPTION=VALUE,…``; what follows ``around=`` is all of the next one's.

    Raises:
        InputError: there is no name, or a part has another form.
    """
    name, *given = [word.strip() for word in (words.split(",") if isinstance(words, str) else words)] or [""]
    options: dict[str, Any] = {}
    for place, word in enumerate(given):
        option, equals, value = word.partition("=")
        if not (option and equals):
            raise InputError(
                f"around = {','.join([name, *given])}: '{word}' is to be OPTION=VALUE, an option of '{name}'"
            )
        if option == "around":
            return name, options | {option: [value, *given[place + 1 :]]}
        options[option] = value
    return name, options


def _exposed(words: str | Sequence[str]) -> str:
    """What the options of the oracle inside let others do, in words."""
    return " and to ".join(exposed(discover(), "oracle", *named(words)))


def _inside(around: tuple[str, ...] | Oracle | None) -> Oracle:
    """The oracle that is meant.

    Raises:
        InputError: it is none, an option of it does not fit, or it asks people.
    """
    if around is None:
        return GroundTruth()
    if isinstance(around, Oracle):
        _refuse_people(type(around).__name__, around)
        return around
    name, options = named(around)
    registry = discover()
    _refuse_people(name, registry.find("oracle", name).load())  # before it is made: it may want a password
    try:
        made: Oracle = build(registry, "oracle", name, options)
    except InputError as error:  # its cause is of the oracle inside
        raise InputError(f"around = {name}: {error}") from None
    return made


def _refuse_people(name: str, oracle: Oracle | type[Oracle]) -> None:
    if oracle.asks_people:
        raise InputError(f"around = {name}: people's labels have errors and times of their own: use it without this")


def refuse_astray(config: RunConfig, around: tuple[str, ...] | Oracle | None) -> None:
    """Refuse options of an oracle inside that stand beside it, where they do not reach it.

    Raises:
        InputError: there are some.
    """
    beside = config.options.get("oracle", {})
    while isinstance(around, tuple):
        name, options = named(around)
        if name != config.oracle and (astray := beside.get(name)):
            given = ",".join([name, *(f"{option}={value}" for option, value in astray.items())])
            told = f"options of '{name}' reach it only where it is named"
            raise InputError(f"{told}: -o {config.oracle}.around={given} in place of -o {name}.{next(iter(astray))}=…")
        around = tuple(options["around"]) if "around" in options else None


@attrs.frozen
class Around(Oracle):
    """Answers as another oracle does, but for what it changes.

    Attributes:
        around: the oracle whose answers are changed, one that asks no people, with its options behind its name,
            ``NAME,OPTION=VALUE,…``; in Python also an object. None for the data set's own annotations.
    """

    around: tuple[str, ...] | Oracle | None = attrs.field(default=None, metadata={"exposes": _exposed})
    _inside: Oracle = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda self: _inside(self.around), takes_self=True)
    )

    def can_answer(self, video: Video) -> Tensor | None:
        """Those that the oracle inside can answer for."""
        return self._inside.can_answer(video)
