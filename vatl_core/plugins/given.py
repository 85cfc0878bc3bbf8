"""Components of a run that are objects, given in Python, beside those that are named and installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vatl_core.errors import InputError
from vatl_core.plugins.descriptions import Component
from vatl_core.plugins.registry import Registry


@attrs.frozen
class Given(Component):
    """A component that is an object already."""

    thing: Any = attrs.field(default=None, kw_only=True)

    def load(self) -> type[Any]:
        return type(self.thing)

    def take(self, options: Mapping[str, Any]) -> Any:
        """The object.

        Raises:
            InputError: options are given for it.
        """
        if options:
            raise InputError(
                f"{self.kind} '{self.name}' was given as an object: set {', '.join(options)} on the object"
            )
        return self.thing


@attrs.frozen
class Absent(Component):
    """A component that was an object when its run began, and is not here.

    Attributes:
        missing: what to do about it, in a line.
        share: of the criterion (see :class:`vatl_core.Criterion`).
    """

    missing: str = attrs.field(default="", kw_only=True)
    share: str | None = attrs.field(default=None, kw_only=True)

    def load(self) -> type[Any]:
        raise InputError(self.missing)


@attrs.define
class Composed(Registry):
    """What is installed, and the objects of one run, which come first.

    Attributes:
        given: ``{(kind, name): component}``.
    """

    given: dict[tuple[str, str], Component] = attrs.field(factory=dict)

    @classmethod
    def of(cls, installed: Registry, given: dict[tuple[str, str], Component]) -> Composed:
        """What is installed with these components."""
        return cls(installed.manager, installed.broken, given=given)

    def names(self, kind: str) -> list[str]:
        return sorted({*Registry.names(self, kind), *(name for k, name in self.given if k == kind)})

    def find(self, kind: str, name: str) -> Component:
        return self.given.get((kind, name)) or Registry.find(self, kind, name)
