"""What a run is made of, and what its parts are called."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, Final

import attrs
from attrs.validators import in_

from vatl_core.errors import InputError, PluginError
from vatl_core.plugins import Options, Registry

ROLES: Final = {
    "dataset": "dataset",
    "estimator": "estimator",
    "query": "criterion",
    "select": "selector",
    "retrain": "retraining",
    "refine": "refinement",
    "stop": "stopping",
    "oracle": "oracle",
    "executor": "executor",
}
"""What users call each part of a run, and the kind of component that fills it."""

DEFAULT_SCHEDULE: Final = (
    "10", "20", "40", "60", "80", "100", "120", "160", "200", "240", "280", "320", "400", "480", "560", "640", "800",
    "960", "1120", "1280",
)  # fmt: skip
"""From 80 on four queries to a doubling: a run stops only where it asks, and a longer step goes far past the place."""


def _rising(_: object, __: object, schedule: tuple[str, ...]) -> None:
    """Fractions rise, and counts do; which of one and the other is more, only the video can tell."""
    before = {True: "0", False: "0"}
    for entry in schedule or ("",) if schedule != ("one-by-one",) else ():
        if not re.fullmatch(r"0*\.0*[1-9]\d*|0*1\.0*|0*[1-9]\d{0,8}", entry, re.ASCII):
            raise InputError(f"--schedule: '{entry}' is no fraction (0.05 is 5 %), no count (30) and not one-by-one")
        if float(entry) < float(earlier := before["." in entry]):
            raise InputError(f"--schedule: '{entry}' is less than '{earlier}' before it: each counts all labels so far")
        before["." in entry] = entry


def _copied(options: Options) -> Options:
    return copy.deepcopy(options)


def path_component(name: str) -> str:
    """A run's name as one printable component of a path, on any system: data sets and videos are called by others."""
    kept = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_" for letter in name)
    return kept.rstrip(". ") + "_" * (len(kept) - len(kept.rstrip(". ")))


@attrs.frozen
class RunConfig:
    """Everything needed to repeat a run.

    Attributes:
        dataset, estimator, query, select, retrain, refine, oracle, executor: component names; ``query`` may be a sum.
        stop: names of stopping criteria; the first to fire ends the run.
        advise: names of others that say where they would have ended it; those that cost nothing need not be named.
        video: name of the video; the data set's first if empty.
        weights: ``auto``, ``none`` (random), a known name such as ``imagenet``, an address with ``#sha256=HEX`` behind
            it, or a file; with ``backbone:`` before it for its backbone alone.
        weights_keypoints: of the channels of the weights' head, where their file does not name them: names,
            ``person-17`` (the usual ones of a person) or ``same`` (the video's).
        name: of the run; made from the parts if empty.
        runs: folder of run directories.
        schedule: cumulative labels: fractions (with a point), counts, or ``one-by-one``.
        rounding: of the schedule's fractions to labels: ``nearest``, or ``down``; one at the least.
        start_with_labels: whether labels in the data are learnt from first; where it tells which are by hand if None.
        query_weights: how the parts of a sum are weighed: ``dynamic`` (a part that knows its share of a sum gets it,
            the others have the rest; all count alike where none does), ``constant`` (all alike), ``increase`` (the
            first grows with the labelled fraction) or ``decrease``.
        threshold: τ, the OKS from which a pose counts as correct.
        seed: of every random choice.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, …
        precision: ``auto``, ``float32`` or ``bfloat16`` (autocast).
        channels_last: memory layout; automatic if unset.
        batch: instances to a forward pass, what suits the device if unset; halved where they do not fit.
        decoder: of pictures and videos: ``exact`` (as the data set reads them, alike on every machine), or one that a
            plugin knows, such as ``torchcodec``.
        cache_mb: MiB of the device's memory for cut-out crops.
        preset: what lay beneath the settings and options, for the record: all of it stands in them.
        options: of the components, ``{role: {component: {option: value}}}``; its own copy, which nobody changes.
    """

    dataset: str
    estimator: str
    query: str
    select: str
    retrain: str
    refine: str
    stop: tuple[str, ...]
    oracle: str
    executor: str
    video: str = ""
    advise: tuple[str, ...] = ()
    weights: str = "auto"
    weights_keypoints: tuple[str, ...] = ()
    name: str = ""
    runs: Path = Path("runs")
    schedule: tuple[str, ...] = attrs.field(default=DEFAULT_SCHEDULE, validator=_rising)
    rounding: str = attrs.field(default="nearest", validator=in_(("nearest", "down")))
    start_with_labels: bool | None = None
    query_weights: str = attrs.field(default="dynamic", validator=in_(("dynamic", "constant", "increase", "decrease")))
    threshold: float = attrs.field(default=0.5, validator=[attrs.validators.gt(0), attrs.validators.le(1)])
    seed: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    device: str = "auto"
    precision: str = attrs.field(default="auto", validator=in_(("auto", "float32", "bfloat16")))
    channels_last: bool | None = None
    batch: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    decoder: str = "exact"
    cache_mb: int = attrs.field(default=2048, validator=attrs.validators.ge(0))
    preset: str = ""
    options: Options = attrs.field(factory=dict, converter=_copied)

    @property
    def criteria(self) -> list[str]:
        """The criteria of the query, in order; none where the selector needs no score."""
        return list(names_in(self.query))

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.runs / self.run_name

    @property
    def run_name(self) -> str:
        """The given name, or one made of the run's parts."""
        parts = [self.dataset, self.video, self.estimator, self.query, self.select, self.retrain, f"seed{self.seed}"]
        return self.name or path_component("-".join(part for part in parts if part))

    def of(self, role: str, component: str) -> dict[str, Any]:
        """The options given for a component."""
        return self.options.get(role, {}).get(component, {})

    def to_toml(self) -> dict[str, Any]:
        """As the tables of a configuration file."""
        run = {
            field.name: str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
            for field in attrs.fields(type(self))
            if field.name != "options" and (value := getattr(self, field.name)) is not None
        }
        return {"run": run} | {role: tables for role, tables in self.options.items() if any(tables.values())}


def chosen(config: RunConfig, role: str) -> list[str]:
    """The names of the components that fill a role."""
    if role == "query":
        return config.criteria
    value = getattr(config, role)
    return [value] if isinstance(value, str) else list(value)


def names_in(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The names in a list, or in a sum such as ``thc+wpu``; one may itself end so, as in ``egl+++wpu``."""
    parts = value if isinstance(value, list | tuple) else re.split(r"\+(?!\s*(?:\+|$))", str(value))
    return tuple(name for part in parts if (name := str(part).strip()))


def default_name(registry: Registry, kind: str) -> str:
    """What fills a role where the user names nothing: one name, or a sum.

    Raises:
        InputError: nothing of this kind is installed that could.
        PluginError: several plugins want to, where only one can.
    """
    names = registry.defaults(kind)
    if not names:
        raise InputError(f"no {kind} is installed that could be the default: name one of {registry.names(kind)}")
    if rivals := rival_defaults(registry, kind):
        raise PluginError(rivals)
    return "+".join(names)


def rival_defaults(registry: Registry, kind: str) -> str:
    """Which components want to be the default where only one can be, and what to do; nothing where all is well."""
    names = registry.defaults(kind)
    if len(names) < 2 or kind in ("criterion", "stopping"):  # a run may have several of these
        return ""
    role = next(role for role, filling in ROLES.items() if filling == kind)
    claims = " and ".join(f"'{name}' of {registry.find(kind, name).origin}" for name in names)
    return f"more than one {kind} is to be the default, {claims}: choose by --{role} NAME, or uninstall all but one"
