"""What is searched: options of components, each with the values it may take."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Registry, build, option_fields, type_name

LEFT_OUT: Final = ("dataset", "oracle", "executor")
"""Roles whose options are no part of a method: another value makes another task of it, or changes nothing."""
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::(.*))?", re.IGNORECASE)
_FORM: Final = "LOW..HIGH, LOW..HIGH:log, LOW..HIGH:STEP or CHOICE,CHOICE,…"


@attrs.frozen
class Parameter:
    """One option that is searched.

    Attributes:
        name: ``PART.OPTION``, as the user calls it.
        said: its values as the user wrote them.
        place: the role, the component and the option it stands for.
        distribution: its values; choices are text, as of the command line.
        default: the value it has anyway; None where that is none of them.
    """

    name: str
    said: str
    place: tuple[str, str, str]
    distribution: BaseDistribution
    default: Any

    def of(self, trial: Trial) -> Any:
        """The value that a trial has for it, drawn if it has none yet."""
        drawn = self.distribution
        if isinstance(drawn, CategoricalDistribution):
            return trial.suggest_categorical(self.name, drawn.choices)
        if isinstance(drawn, IntDistribution):
            return trial.suggest_int(self.name, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
        assert isinstance(drawn, FloatDistribution)
        return trial.suggest_float(self.name, drawn.low, drawn.high, step=drawn.step, log=drawn.log)


def parameters(registry: Registry, config: RunConfig, search: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """What ``search``, ``{PART.OPTION: values}``, means for a run; each end and each choice is tried on its component.

    Raises:
        InputError: something in it does not exist or cannot be used.
    """
    if not search:
        raise InputError(f"there is nothing to search: --search PART.OPTION={_FORM}, or [tune.search] of a file")
    found: dict[tuple[str, str, str], Parameter] = {}
    for name, values in search.items():
        made = _parameter(registry, config, name, _text(values))
        if made.place in found:
            raise InputError(f"{name} and {found[made.place].name} are the same option: search it once")
        found[made.place] = made
    return tuple(found.values())


def _text(values: Any) -> str:
    """A list of a TOML file as the command line has it."""
    if not isinstance(values, list):
        return str(values).strip()
    parts = [",".join(map(str, value)) if isinstance(value, list) else str(value) for value in values]
    return "|".join(parts) if any("," in part for part in parts) else ",".join(parts)


def _parameter(registry: Registry, config: RunConfig, name: str, said: str) -> Parameter:
    role, component, option = place = _placed(config, name)
    kind = ROLES[role]
    fields = option_fields(registry.find(kind, component).load())
    if option not in fields:
        raise unknown(f"option of {kind} '{component}'", option, fields)

    where = f"search {name}={said}"

    def made(value: Any) -> Any:
        """The option's value once the component is made with it."""
        try:
            return getattr(build(registry, kind, component, config.of(role, component) | {option: str(value)}), option)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error

    default = getattr(build(registry, kind, component, config.of(role, component)), option)
    if parts := _RANGE.fullmatch(said):
        drawn = _range(where, fields[option].type, *parts.groups())
        _ = made(drawn.low), made(drawn.high)
        inside = isinstance(default, int | float) and drawn.low <= default <= drawn.high
        return Parameter(name, said, place, drawn, default if inside and not drawn.step else None)
    choices = [part for part in map(str.strip, said.split("|" if "|" in said else ",")) if part]
    values = [made(choice) for choice in choices]
    if twice := [choice for choice, value in zip(choices, values, strict=True) if values.count(value) > 1]:
        raise InputError(f"{where}: {' and '.join(twice[:2])} are the same value: name it once")
    if len(choices) < 2:
        raise InputError(f"{where}: nothing is left to search: the form is {_FORM}")
    own = next((choice for choice, value in zip(choices, values, strict=True) if value == default), None)
    return Parameter(name, said, place, CategoricalDistribution(choices), own)


def _placed(config: RunConfig, name: str) -> tuple[str, str, str]:
    """The role, the component and the option that ``PART.OPTION`` means; the run has to be made of it."""
    part, _, option = name.partition(".")
    if not (part and option):
        raise InputError(f"search {name}: the form is PART.OPTION={_FORM}")
    for role in ROLES:
        names = chosen(config, role)
        if part in names or (part == role and len(names) == 1):
            if role in LEFT_OUT:
                raise InputError(f"search {name}: {role} is no part of the method: search an option of another part")
            return role, part if part in names else names[0], option
    parts = {part for role in ROLES if role not in LEFT_OUT for part in (role, *chosen(config, role))}
    raise unknown("part of the run that is tuned", part, parts)


def _range(where: str, kind: Any, low: str, high: str, scale: str | None) -> IntDistribution | FloatDistribution:
    """A range of an option of this type."""
    kinds = {int, float} & set(get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,))
    if not kinds:
        raise InputError(f"{where}: the option is no number but {type_name(kind)}: name choices, CHOICE,CHOICE,…")
    whole = float not in kinds
    step = None if scale in (None, "log") else _number(where, scale or "", whole)
    ends = _number(where, low, whole), _number(where, high, whole)
    if ends[0] >= ends[1]:
        raise InputError(f"{where}: {low} is not below {high}: the lower end comes first")
    if scale == "log" and ends[0] <= 0:
        raise InputError(f"{where}: a logarithm begins above 0, not at {low}: leave :log out, or begin higher")
    if step is not None and not 0 < step <= ends[1] - ends[0]:
        raise InputError(f"{where}: a step is above 0 and no longer than the range")
    with warnings.catch_warnings(action="ignore"):  # the last step need not end at the upper end
        if whole:
            return IntDistribution(int(ends[0]), int(ends[1]), scale == "log", 1 if step is None else int(step))
        return FloatDistribution(*ends, scale == "log", step)


def _number(where: str, text: str, whole: bool) -> float:
    if not re.fullmatch(_NUMBER, text, re.IGNORECASE):
        raise InputError(f"{where}: '{text}' is neither log nor a step: the form is {_FORM}")
    value = float(text)
    if whole and value != int(value) if math.isfinite(value) else True:
        raise InputError(f"{where}: {text} does not fit: {'int' if whole else 'float'} is expected")
    return value
