"""As much of a run as asking takes: for tests of what answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import attrs
import torch

from tests.conftest import stick_video
from vatl_annotate.desk import Desk
from vatl_core.contracts import Answer, Labels, Request
from vatl_core.cycle.asking import ask
from vatl_core.estimation import Estimates
from vatl_core.store import RunFolder
from vatl_core.video import Video

SETTINGS = {"oracle": "browser", "threshold": 0.5, "schedule": ("1.0",), "rounding": "nearest"}
SOON = 10.0
"""Seconds after which a test gives up waiting."""


@attrs.define
class Beginning:
    """As much of a run as asking takes; its own thread asks the desk."""

    folder: RunFolder
    video: Video = attrs.field(factory=stick_video)
    records: list[Any] = attrs.field(factory=list)
    estimates: Estimates | None = None
    desk: Desk = attrs.field(init=False)
    outcome: Future[list[int]] = attrs.field(factory=Future)
    config: Any = attrs.field(factory=lambda: SimpleNamespace(**SETTINGS))

    def __attrs_post_init__(self) -> None:
        self.desk = Desk(self, 0.0)  # type: ignore[arg-type]

    @property
    def stopping(self) -> dict[str, object]:
        return {}

    advising = stopping

    def estimate(self) -> None:
        assert self.video.instances.keypoints is not None
        scores = torch.full((len(self.video.instances), len(self.video.skeleton)), 0.9)
        self.estimates = Estimates(self.video.instances.keypoints + 1, scores, scores[:, :0], {})

    @property
    def oracle(self) -> Beginning:
        return self

    def annotate(self, request: Request) -> Iterator[Answer]:
        return self.desk.answers(request)

    @property
    def cycle(self) -> int:
        return len(self.records)

    @property
    def asked(self) -> list[int]:
        return [index for record in self.records for index in record.query]

    @property
    def present(self) -> Estimates:
        assert self.estimates is not None
        return self.estimates

    @property
    def progress(self) -> Callable[[str, int, int], None]:
        return self.desk.progress

    def labels(self, index: list[int], before: int = 2**62) -> Labels:
        return self.folder.answers.labels(index, len(self.video.skeleton), before)

    def ask(self, query: list[int]) -> None:
        """Ask in a thread; returns when the queue is open."""
        self.outcome = Future()
        if self.estimates is None:
            self.estimate()
        threading.Thread(target=self._ask, args=(query,), daemon=True).start()
        until(lambda: self.desk.phase == "labelling" or self.outcome.done())

    def _ask(self, query: list[int]) -> None:
        try:
            self.outcome.set_result(ask(self, query))  # type: ignore[arg-type]
        except BaseException as error:
            self.desk.fail(error)
            self.outcome.set_exception(error)

    def next_cycle(self, query: list[int]) -> None:
        """What was asked for has been learnt."""
        self.records.append(SimpleNamespace(query=query))

    def rows(self) -> list[tuple[int, int]]:
        """Instance and cycle of every label on disk, in order."""
        return [(given.instance, given.cycle) for given in self.folder.answers.history()]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.005)
