"""Connections: so many and no more, below what the process can have open, and none that takes for ever to ask."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_log: Final = logging.getLogger(__name__)
_HEAD: Final = 10.0
"""Seconds that a request's headers, or its body once it is answered, may take."""
_MOST: Final = 256
"""Open connections at the most."""


def most() -> int:
    """Open connections at the most: a quarter of the files that the process may have open, which the run needs too."""
    files = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else -1  # −1 where there is no limit
    return _MOST if files < 0 else min(_MOST, max(4, files // 4))


class Connection(H11Protocol):
    """A connection that is given up for another one, or for being slow, unless it is answered in a session.

    Attributes:
        since: seconds on the loop's clock when it was made.
        was_known: whether a request before the last one was of a session.
    """

    since: float = 0.0
    was_known: bool = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make room for it."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._hurry()
        others = [other for other in self.connections if isinstance(other, Connection) and other.is_open]
        if len(others) > most():
            min(others, key=lambda other: (other.rank, other.since)).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hear more, and give it time for the rest."""
        self.was_known = self.is_known  # of the next request nothing is known at first
        super().data_received(data)
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._wait()
        super().connection_lost(exc)

    @property
    def is_open(self) -> bool:
        """Whether it is not being closed already."""
        return not self.transport.is_closing()

    @property
    def rank(self) -> int:
        """What it is worth: 0 of a stranger, 1 of a session, 2 of one that is being answered."""
        return self.is_known + (self.is_known and self._is_answered)

    @property
    def is_known(self) -> bool:
        """Whether it is of somebody in a session."""
        return self.was_known or bool(self.scope and self.scope["state"].get("known"))

    @property
    def _is_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _hurry(self) -> None:
        """Begin to count, if it is not answered and this was not begun; what is answered has all its time."""
        if self._is_answered or self.conn.their_state is h11.DONE:
            self._wait()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD, self._give_up)

    def _wait(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if not self._is_answered:
            self.transport.abort()


class Server(uvicorn.Server):
    """A server that says once that it can accept no connection, however often it tries."""

    _told: bool = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        asyncio.get_running_loop().set_exception_handler(self._tell)
        await super().startup(sockets)

    def _tell(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and "accept" in context["message"]):
            loop.default_exception_handler(context)
        elif not self._told:
            self._told = True
            _log.warning("no connection can be accepted for now: %s", error.strerror)
