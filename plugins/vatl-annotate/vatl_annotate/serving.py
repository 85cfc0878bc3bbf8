"""A server in a thread of its own, beside the run."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import attrs
import uvicorn
from starlette.applications import Starlette

from vatl_core.errors import InputError


def bind(host: str, port: int, kept: int) -> socket.socket:
    """Listen.

    Args:
        host: name or address.
        port: to listen at; 0 for the one of before, or any that is free.
        kept: the port of before, or 0.

    Raises:
        InputError: nobody can listen there.
    """
    error: OSError | None = None
    for choice in dict.fromkeys([port] if port else [kept, 0]):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, choice, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            return listening
        except OSError as failed:
            error = failed
    said = error.strerror if error and error.strerror else error
    raise InputError(
        f"host {host}, port {port or 'any'} cannot be listened at ({said}): choose another port"
    ) from error


@attrs.define(eq=False)
class Served:
    """A server that is running.

    Attributes:
        port: it listens at.
    """

    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    @classmethod
    def begin(cls, listening: socket.socket, application: Callable[[int], Starlette]) -> Served:
        """Serve what ``application`` makes for the port."""
        port = int(listening.getsockname()[1])
        config = uvicorn.Config(
            application(port), log_config=None, access_log=False, lifespan="off", server_header=False, date_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        return cls(port, server, thread)

    def end(self) -> None:
        """Stop serving; requests under way have a second to end."""
        self._server.should_exit = True
        self._thread.join(timeout=2)
        self._server.force_exit = True
