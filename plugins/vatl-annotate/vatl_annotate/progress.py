"""How far the machine is, and how long it still takes."""

from __future__ import annotations

import time
from typing import Any

import attrs


@attrs.define
class Stage:
    """A stage of the cycle under way.

    Attributes:
        name: ``estimate``, ``label``, ``retrain``, …; "" between stages.
        done, total: steps.
        since: when it began.
    """

    name: str = ""
    done: int = 0
    total: int = 0
    since: float = attrs.field(factory=time.monotonic)

    def moved(self, name: str, done: int, total: int) -> Stage:
        """This stage further on, or the next one."""
        return Stage(name, done, total, self.since if name == self.name else time.monotonic())

    def to_json(self) -> dict[str, Any] | None:
        """As the page reads it: with the seconds left at the present pace."""
        if not self.name or not self.total:
            return None
        pace = (time.monotonic() - self.since) / self.done if self.done else None
        left = None if pace is None else pace * (self.total - self.done)
        return {"name": self.name, "done": self.done, "total": self.total, "left": left}
