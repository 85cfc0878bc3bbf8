"""A process that counts what it does to its run's files, and may end itself at one of these instants.

By the clock, instants fall where the time goes; these fall between any two changes of the disk, and the same number is
the same instant again.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

VARIABLE: Final = "VATL_CAMPAIGN_EVENTS"
_CHANGING: Final = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}
"""Python's audit events of what changes files, or begins to."""


@attrs.frozen
class Events:
    """What is to be counted.

    Attributes:
        about: part of the paths that count, such as the run's name.
        tally: file that the number is written to when the process ends by itself.
        at: the event at which it ends by ``signal``; 0 for none.
    """

    about: str
    tally: str
    at: int = 0
    signal: int = 9

    def told(self) -> dict[str, str]:
        """For the environment of a process."""
        return {VARIABLE: json.dumps(attrs.asdict(self))}


def watch(environment: Mapping[str, str]) -> None:
    """Do what the environment of this process says about its events, if it says anything."""
    if VARIABLE in environment:
        _count(Events(**json.loads(environment[VARIABLE])))


def _count(events: Events) -> None:
    numbers = itertools.count(1)
    reached = [0]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGING and events.about in str(arguments[0]):
            reached[0] = next(numbers)
            if reached[0] == events.at:
                os.kill(os.getpid(), events.signal)

    sys.addaudithook(hook)
    atexit.register(lambda: Path(events.tally).write_text(str(reached[0])))
