"""A server in a thread of its own, beside the run."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import uvicorn
from starlette.applications import Starlette

from vatl_annotate.access import Keys
from vatl_annotate.connections import Connection, Server, most
from vatl_annotate.hosts import names
from vatl_annotate.private import lead
from vatl_core.errors import InputError

_WAITING: Final = 128
"""Connections that wait to be accepted."""
_PROXIES: Final = "127.0.0.1,::1"
"""Where a proxy that is believed is: on this machine."""
Application = Callable[[Keys, frozenset[str]], Starlette]


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
            return _listening(host, choice)
        except OSError as failed:
            error = failed
        except UnicodeError as failed:
            error = OSError(f"it is no name: {failed}")
    said = error.strerror if error and error.strerror else error
    raise InputError(
        f"host {host}, port {port or 'any'} cannot be listened at ({said}): choose another port"
    ) from error


def _listening(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_WAITING)  # at once: a page may be opened before the server's thread has begun
    except BaseException:
        listening.close()
        raise
    return listening


@attrs.define(eq=False)
class Served:
    """A server that is running.

    Attributes:
        port: it listens at.
        link: that opens its page, with the token where there is no password.
    """

    port: int
    link: str
    _way: Path
    _server: uvicorn.Server
    _thread: threading.Thread

    @classmethod
    def begin(
        cls, host: str, port: int, file: Path, password: str, application: Application, *, behind_proxy: bool = False
    ) -> Served:
        """Serve a page.

        Args:
            host: name or address to listen at.
            port: to listen at; 0 for the one of before, or any that is free.
            file: where what opens the page is kept, so that windows that are open go on when it is served again.
            password: to be typed; "" for none.
            application: makes what is served, from what opens it and the names that it may be called by.
            behind_proxy: whether a server on this machine, called by names of its own, passes on what it is asked; it
                is believed who asks, and whether by https.

        Raises:
            InputError: nobody can listen there.
        """
        keys = Keys.kept(file, password)
        listening = bind(host, port, keys.port)
        keys = attrs.evolve(keys, port=int(listening.getsockname()[1]))
        keys.keep(file)
        config = uvicorn.Config(
            application(keys, frozenset() if behind_proxy else names(host, keys.port)),
            proxy_headers=behind_proxy,
            forwarded_allow_ips=_PROXIES,  # whatever the environment says
            http=Connection,
            ws="none",
            backlog=most() // 2,  # so many are accepted before any is given up
            log_config=None,
            log_level="error",  # what strangers send is no news
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
        )
        server = Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        return cls(keys.port, _link(host, keys), file.with_name(f"{file.name}.html"), server, thread)

    def show(self) -> None:
        """Open a browser."""
        webbrowser.open(lead(self.link, self._way) if "?" in self.link else self.link)

    def end(self) -> None:
        """Stop serving; requests under way have a second to end."""
        self._way.unlink(missing_ok=True)
        self._server.should_exit = True
        self._thread.join(timeout=2)
        self._server.force_exit = True


def _link(host: str, keys: Keys) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    place = f"http://{f'[{shown}]' if ':' in shown else shown}:{keys.port}/"
    return place if keys.password else f"{place}?token={keys.token}"
