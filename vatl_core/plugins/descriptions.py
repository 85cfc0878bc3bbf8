"""What plugins hand over: components, commands and presets, described without importing them, and report sections."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import click
from attrs.validators import in_, instance_of, matches_re

from vatl_core.errors import PluginError

KINDS: Final = (
    "estimator", "dataset", "criterion", "selector", "retraining", "refinement", "stopping", "oracle", "executor",
)  # fmt: skip


_TEXT: Final = instance_of(str)  # anything else that users are shown would end `vatl --help` for everybody
_TARGET: Final = matches_re(r"[\w.]+:\w+")  # package.module:name


@attrs.frozen
class Component:
    """What a plugin says about one of its components, without importing it.

    Attributes:
        kind: one of :data:`KINDS`.
        name: what users type.
        help: one line.
        target: ``"package.module:Class"``, imported when first used.
        default: whether it is used where the user names none of its kind; default criteria are summed, the first
            default stopping criterion to fire wins, and of every other kind there can be only one.
        suggests: names of components this one works best with, by kind; only a data set's are heeded.
        opens: the data set's options that take a path by itself, by the ending of its name, ``{".mp4": "path"}``, in
            lower case; ``/`` is any folder.
        origin: which distribution it came from; the registry notes it.
    """

    kind: str = attrs.field(validator=in_(KINDS))
    name: str = attrs.field(validator=_TEXT)
    help: str = attrs.field(validator=_TEXT)
    target: str = attrs.field(validator=[_TEXT, _TARGET])
    default: bool = False
    suggests: Mapping[str, str] = attrs.field(factory=dict)
    opens: dict[str, str] = attrs.field(factory=dict, validator=instance_of(dict))
    origin: str = attrs.field(default="", kw_only=True, eq=False, repr=False)

    def load(self) -> type[Any]:
        """Import the component's class.

        Raises:
            PluginError: it does not import, or the module has no such class.
        """
        loaded: type[Any] = _imported(self.target, f"{self.kind} '{self.name}' of {self.origin or 'no plugin'}")
        return loaded


@attrs.frozen
class Command:
    """What a plugin says about a command that it brings, without importing it.

    Attributes:
        name: what users type behind ``vatl``.
        help: one line.
        target: ``"package.module:command"``, a :class:`click.Command`, imported when it is called.
        origin: which distribution it came from; the registry notes it.
    """

    kind: ClassVar[str] = "command"
    name: str = attrs.field(validator=_TEXT)
    help: str = attrs.field(validator=_TEXT)
    target: str = attrs.field(validator=[_TEXT, _TARGET])
    origin: str = attrs.field(default="", kw_only=True, eq=False, repr=False)

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            PluginError: it does not import, or is none.
        """
        what = f"command '{self.name}' of {self.origin or 'no plugin'}"
        loaded = _imported(self.target, what)
        if not isinstance(loaded, click.Command):
            raise PluginError(f"{what} ({self.target}) is no click command")
        return loaded


def describe(error: BaseException) -> str:
    """An error in a line: its type and what it says; attrs appends what only programs read."""
    said = error.args[0] if len(error.args) == 4 and isinstance(error.args[1], attrs.Attribute) else error
    return " ".join(f"{type(error).__name__}: {said}".split())


def _imported(target: str, what: str) -> Any:
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's import may fail in any way, or try to end the program
        raise PluginError(f"{what} ({target}) cannot be imported: {describe(error)}") from error


Options = dict[str, dict[str, dict[str, Any]]]
"""``{role: {component: {option: value}}}``"""
Tables = Mapping[str, Mapping[str, Any]]
"""What a configuration file holds: ``{"run": {setting: value}, role: {component: {option: value}}}``"""


@attrs.frozen
class Preset:
    """What ``--preset NAME`` stands for.

    Attributes:
        name: what users type.
        help: one line.
        tables: as in a configuration file; options count of the components that a run is then made of.
        datasets: further tables for particular data sets, by their name; they need not be installed.
        origin: which distribution it came from; the registry notes it.
    """

    kind: ClassVar[str] = "preset"
    name: str = attrs.field(validator=_TEXT)
    help: str = attrs.field(validator=_TEXT)
    tables: Tables
    datasets: Mapping[str, Tables] = attrs.field(factory=dict)
    origin: str = attrs.field(default="", kw_only=True, eq=False, repr=False)

    def on(self, dataset: str) -> tuple[dict[str, Any], Options]:
        """Its settings and options for a data set."""
        run: dict[str, Any] = {}
        options: Options = {}
        for tables in (self.tables, self.datasets.get(dataset, {})):
            run |= tables.get("run", {})
            options = laid_over({role: table for role, table in tables.items() if role != "run"}, options)
        return run, options


@attrs.frozen
class Section:
    """A picture or a table of a plugin's own, under a heading.

    Attributes:
        title: the heading, in plain text.
        text: a paragraph, in plain text.
        rows: a table; the first row is its head.
        picture: a PNG or SVG file, which the page takes in.
    """

    title: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    picture: Path | None = None


def laid_over(options: Mapping[str, Mapping[str, Any]], below: Options) -> Options:
    """``options`` over those ``below``, option by option."""
    return {
        role: {
            name: dict(below.get(role, {}).get(name, {})) | dict(options.get(role, {}).get(name, {}))
            for name in {**below.get(role, {}), **options.get(role, {})}
        }
        for role in {**below, **options}
    }
