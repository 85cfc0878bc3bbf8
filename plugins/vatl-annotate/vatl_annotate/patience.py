"""Passwords are judged in turn, so that guessing takes long; nobody is turned away for what others typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import attrs

from vatl_annotate.submission import RefusedError

_PAUSE: Final = 0.25
"""Seconds after a wrong guess before the next one from its address is judged."""
_PAUSE_IN_ALL: Final = 0.1
"""Seconds after a wrong guess before the next one from anywhere is judged."""
_MOST: Final = 64
"""Guesses from an address that wait."""


@attrs.define(eq=False)
class _Line:
    """Those from one address; of whom one at a time is heard.

    Attributes:
        turn: of whoever is heard.
        length: how many there are.
    """

    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    length: int = 0


@attrs.define(eq=False)
class Patience:
    """Hears those who type passwords: one after another from each address, and the addresses by turns.

    Whoever knows the password waits while others guess, and is let in. Used in the server's event loop alone.

    Attributes:
        most: guesses from an address that wait.
        lines: of those who wait, by their address.
    """

    most: int = _MOST
    lines: dict[str, _Line] = attrs.field(init=False, factory=dict)
    _in_all: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)

    async def judged(self, address: str, is_right: Callable[[], bool]) -> bool:
        """Whether a guess is right, once it is its turn; the next one waits longer after a wrong one.

        Raises:
            RefusedError: too many from this address wait already.
        """
        async with self._heard(address):
            async with self._in_all:
                if is_right():
                    return True
                await asyncio.sleep(_PAUSE_IN_ALL)
            await asyncio.sleep(_PAUSE)
        return False

    @asynccontextmanager
    async def _heard(self, address: str) -> AsyncIterator[None]:
        line = self.lines.setdefault(address, _Line())
        if line.length >= self.most:
            raise RefusedError(429, "wait a second before the next try")
        line.length += 1
        try:
            async with line.turn:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self.lines[address]
