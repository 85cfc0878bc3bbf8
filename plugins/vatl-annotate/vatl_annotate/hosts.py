"""What a page may be called: the headers Host and Origin, which whoever asks can write anything into."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_PLACE: Final = re.compile(r"(?:\w[\w.-]*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
"""The port of each scheme that browsers leave out."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def reach(host: str) -> str:
    """Who else reaches a server that is bound to ``host``, to end a message with."""
    return "" if is_loopback(host) else f" (other machines reach it, too: it listens at {host})"


def names(host: str, port: int) -> frozenset[str]:
    """What a page may be called by: this machine's names where only it can reach the page, else any."""
    if not is_loopback(host):
        return frozenset()
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", host))


def is_place(host: str) -> bool:
    """Whether a header Host is a name or an address, with a port or without."""
    found = _PLACE.fullmatch(host)
    return found is not None and int(found[1] or 0) < 2**16


def with_port(host: str, scheme: str) -> str:
    """A header Host in small letters, with the scheme's port where it was left out."""
    found = _PLACE.fullmatch(host)
    return f"{host}:{_PORTS[scheme]}".lower() if found and not found[1] else host.lower()


def is_same(origin: str, scheme: str, host: str) -> bool:
    """Whether a header Origin names what was asked by a scheme and under a header Host."""
    asked, _, by = origin.partition("://")
    return asked == scheme and with_port(by, scheme) == with_port(host, scheme)
