"""A flood of half requests from strangers, while somebody labels."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack, suppress
from threading import Event, Thread
from typing import Final

import attrs
import httpx

from tests.annotator import LINK
from tests.campaign.answering import answered
from tests.campaign.killing import Killing
from tests.campaign.losses import Losses, compared
from tests.campaign.settings import Setting
from tests.processes import Command

FLOOD: Final = 1030
"""Connections at once."""
FILES: Final = 400
"""Files that the run may have open."""
_SAID: Final = 20_000
"""Bytes that a run may say at the most."""
_HALF: Final = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"


@attrs.define
class Flood:
    """Strangers who open connection after connection, each with the half of a request.

    Attributes:
        port: of the page.
        count: connections in a wave.
        waves: how many there were.
        over: whether they are to go.
    """

    port: int
    count: int
    waves: int = 0
    over: Event = attrs.field(factory=Event)

    def rise(self) -> None:
        """Wave upon wave, until it is over."""
        while not self.over.is_set():
            with ExitStack() as stack:
                for _ in range(self.count):
                    with suppress(OSError):
                        connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=1))
                        connection.sendall(_HALF)
                self.waves += 1
                self.over.wait(0.5)


def flooded(killing: Killing, connections: int = FLOOD, files: int = FILES) -> Losses:
    """A run that is labelled in the browser during a flood, with so many files that it may have open."""
    setting, name = Setting("browser", 0), "flooded"
    whole, run = killing.whole(setting), killing.ground.run(name)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, connections + 500), hard))
    with answered(setting.oracle, run) as answering:
        command = killing.ground.started(setting, name)
        flood = Flood(_port(command), connections)
        resource.prlimit(command.pid, resource.RLIMIT_NOFILE, (files, files))
        strangers = Thread(target=flood.rise, daemon=True)
        strangers.start()
        while not flood.waves and command.poll() is None:
            time.sleep(0.05)
        answering.command = command
        _, err = command.communicate(180)
        flood.over.set()
        strangers.join()
    failed = (command.wait() != 0) + ("Traceback" in err) + (len(err) > _SAID)
    return Losses(failed=failed) + compared(run, whole.run, answering)


def _port(command: Command) -> int:
    while not (link := LINK.search(command.err.read_text())):
        assert command.poll() is None, command.communicate()
        time.sleep(0.01)
    return int(httpx.URL(link[1]).port or 80)
