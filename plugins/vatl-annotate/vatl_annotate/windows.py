"""The windows in which the page is open."""

from __future__ import annotations

import threading
import time
from typing import Final

import attrs

_LINGER: Final = 6.0
"""Seconds that open pages have to fetch the end of the run."""
_TICK: Final = 0.1
"""Seconds between two looks at whether they have."""


@attrs.define(eq=False)
class Windows:
    """When each was heard of last, and which know that the run has ended."""

    _heard: dict[str, float] = attrs.field(factory=dict)
    _told: set[str] = attrs.field(factory=set)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def hear(self, tab: str) -> None:
        """A window is there."""
        with self._lock:
            self._heard[tab] = time.monotonic()

    def tell(self, tab: str) -> None:
        """A window is being told that the run has ended."""
        with self._lock:
            self._told.add(tab)

    def wait(self) -> None:
        """Give every page that is open the time to fetch how the run ended."""
        until = time.monotonic() + _LINGER
        while time.monotonic() < until and not self._know():
            time.sleep(_TICK)

    def _know(self) -> bool:
        with self._lock:
            recent = {tab for tab, at in self._heard.items() if at > time.monotonic() - _LINGER}
            return recent <= self._told
