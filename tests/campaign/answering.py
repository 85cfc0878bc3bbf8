"""Who answers from outside a run: people in the browser or in another tool, who go on through every interruption.

What they answer depends on nothing but the pose they are shown, so that the same run gets the same labels.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from tests.annotator import LINK, Annotator, enter
from tests.campaign.settings import FORMATS
from tests.labelling_tools import ANSWERS, answer
from tests.processes import Command

_TICK = 0.02
"""Seconds between two looks."""


class Steady(Annotator):
    """A person who lays every keypoint a pixel beside where it is proposed."""

    def pose(self, task: Mapping[str, Any]) -> list[list[float]]:
        return [[x + 1, y, 2] for x, y, *_ in task["proposal"]]


@attrs.define
class Answering:
    """Answers to one run, whichever of its processes asks.

    Attributes:
        oracle: of the run.
        run: its directory.
        command: the process that works on it now.
        kept: instances whose label was acknowledged.
        repeated: those that were asked for although acknowledged.
        refused: what was told of a label instead.
        done: whether nobody asks any more.
    """

    oracle: str
    run: Path
    command: Command | None = None
    kept: set[int] = attrs.field(factory=set)
    repeated: list[int] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)
    done: threading.Event = attrs.field(factory=threading.Event)

    def work(self) -> None:
        """Until it is done."""
        while not self.done.wait(_TICK):
            if self.oracle in FORMATS:
                self._answer_files()
            elif self.oracle == "browser" and self.command and (link := LINK.search(self.command.err.read_text())):
                try:
                    self._label(self.command, link[1])
                except httpx.HTTPError:  # the run has been killed
                    continue

    def _answer_files(self) -> None:
        for tasks in sorted(self.run.glob("cycles/*/tasks*")):
            if not (tasks / ANSWERS[self.oracle]).exists():
                answer(tasks, self.oracle)

    def _label(self, command: Command, link: str) -> None:
        """What one process asks for, as long as it lives."""
        with closing(enter(link, timeout=20)) as client:
            person = Steady(client, {})
            while command is self.command and person.state()["phase"] not in ("finished", "failed"):
                if (task := person.task()) is None:
                    self.done.wait(_TICK)
                    continue
                if task["instance"] in self.kept:
                    self.repeated.append(task["instance"])
                response = person.label(task)
                if response.status_code == 200:
                    self.kept.add(task["instance"])
                elif response.status_code != 503:
                    self.refused.append(response.text)
        while command is self.command and not self.done.wait(_TICK):
            pass  # it has been told the end


@contextmanager
def answered(oracle: str, run: Path) -> Iterator[Answering]:
    """Somebody who answers to a run within the block."""
    answering = Answering(oracle, run)
    thread = threading.Thread(target=answering.work, daemon=True)
    thread.start()
    try:
        yield answering
    finally:
        answering.done.set()
        thread.join(30)
