"""Runs killed at instants of chance and taken up again, up to their end."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import attrs

from tests.campaign.answering import Answering, answered
from tests.campaign.events import Events
from tests.campaign.losses import Losses, compared, labels_of
from tests.campaign.settings import VARIETY, Ground, Setting
from tests.processes import Command

MOST: Final = 4
"""How often one run is killed at the most."""
_LONGEST: Final = 120.0
"""Seconds after which a process hangs."""


@attrs.frozen
class Whole:
    """An uninterrupted run.

    Attributes:
        run: its directory.
        seconds: it took.
        events: how often it changed a file.
    """

    run: Path
    seconds: float
    events: int


@attrs.frozen
class Killed:
    """What came of one run.

    Attributes:
        setting: of the run.
        kills: the signals it got.
        losses: against the whole one.
        said: what went wrong, in words.
    """

    setting: Setting
    kills: tuple[int, ...]
    losses: Losses
    said: tuple[str, ...] = ()


@attrs.define
class Killing:
    """Kills runs.

    Attributes:
        ground: where.
    """

    ground: Ground
    _wholes: dict[Setting, Whole] = attrs.field(factory=dict)

    def all(self, oracles: Iterable[str], count: int, seed: int, jobs: int) -> Iterator[Killed]:
        """So many runs, the oracles in turn, as they come."""
        self.ground.begin("--version").wait()  # what is begun after the first begins at once
        names = list(oracles)
        numbers = range(seed, seed + count)
        settings = [Setting(names[n % len(names)], n // len(names) % len(VARIETY)) for n in numbers]
        with ThreadPoolExecutor(jobs) as pool:
            for _ in pool.map(self.whole, dict.fromkeys(settings)):
                pass
            yield from pool.map(self.one, settings, numbers)

    def whole(self, setting: Setting) -> Whole:
        """The uninterrupted run of a setting, made once."""
        if setting not in self._wholes:
            self._wholes[setting] = self._made(setting)
        return self._wholes[setting]

    def _made(self, setting: Setting) -> Whole:
        name = f"whole-{setting.oracle}-{setting.seed}"
        tally = self.ground.tools / f"{name}.events"
        with answered(setting.oracle, self.ground.run(name)) as answering:
            began = time.monotonic()
            command = self.ground.started(setting, name, **Events(name, str(tally)).told())
            answering.command = command
            _, err = command.communicate(_LONGEST)
        assert command.wait() == 0, f"a whole run fails: {err}"
        return Whole(self.ground.run(name), time.monotonic() - began, int(tally.read_text()))

    def one(self, setting: Setting, number: int) -> Killed:
        """The run of this number, whose instants depend on it alone, from its beginning to its end."""
        chance, whole, name = random.Random(number), self.whole(setting), f"killed-{number}"
        run = self.ground.run(name)
        kills: list[int] = []
        said: list[str] = []
        lost = 0
        with answered(setting.oracle, run) as answering:
            for _ in range(chance.randint(1, MOST)):
                before = labels_of(run)
                number_of_signal = self._interrupted(setting, name, whole, chance, answering, said)
                lost += labels_of(run)[: len(before)] != before
                if not number_of_signal:
                    break
                kills.append(number_of_signal)
            answering.command = command = self.ground.started(setting, name)
            said += ended(command, (0,))
        losses = compared(run, whole.run, answering) if not said else Losses()
        return Killed(setting, tuple(kills), losses + Losses(lost=lost, failed=len(said)), tuple(said))

    def _interrupted(
        self, setting: Setting, name: str, whole: Whole, chance: random.Random, answering: Answering, said: list[str]
    ) -> int:
        """Work on a run until a signal ends it: which one, or 0 where it was faster."""
        number = signal.SIGTERM if chance.random() < 0.25 else signal.SIGKILL
        at = chance.randint(1, whole.events) if chance.random() < 0.5 else 0
        tally = self.ground.tools / f"{name}.events"
        watched = Events(name, str(tally), at, number).told() if at else {}
        seconds = _LONGEST if at else chance.uniform(0, whole.seconds)
        command = answering.command = self.ground.started(setting, name, **watched)
        until = time.monotonic() + seconds
        while command.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        if command.poll() is None:
            command.send_signal(number)
        said += ended(command, (0, -number, 143 if number == signal.SIGTERM else -number))
        return 0 if command.wait() == 0 else number


def ended(command: Command, codes: tuple[int, ...]) -> list[str]:
    """Wait for a process; what it said where it ended otherwise than by one of these codes."""
    out, err = command.communicate(_LONGEST)
    if command.wait() in codes and "Traceback" not in err:
        return []
    return [f"vatl {' '.join(command.words)}: ended by {command.wait()}: {out[-500:]}{err[-2000:]}"]


def say(killed: Killed) -> None:
    """One that went wrong, to the error stream."""
    if killed.losses:
        print(killed.setting, killed.kills, killed.losses, *killed.said, sep="\n  ", file=sys.stderr)
