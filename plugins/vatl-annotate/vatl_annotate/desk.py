"""Where the run, which asks and waits, and the people in the browser, who answer, meet.

The run's thread draws answers from :meth:`Desk.answers`; the server's thread hands them in and is told when they are on
disk. Everything that both touch is behind one lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import attrs
import torch

from vatl_annotate.progress import Stage
from vatl_annotate.queue import Queue
from vatl_annotate.submission import RefusedError, Submission
from vatl_core.answers import Given
from vatl_core.contracts import Answer, Enough, Labels, Redrawn, Refusal, Request
from vatl_core.metrics import oks

if TYPE_CHECKING:
    from vatl_core.cycle import Run
    from vatl_core.records import RunRecord

_TICK: Final = 0.1
"""Seconds between two looks at whether to go on."""
_LINGER: Final = 6.0
"""Seconds that open pages have to fetch the end of the run."""


@attrs.frozen(eq=False)
class Handed:
    """An answer on its way to the disk.

    Attributes:
        answer: what was said.
        kept: done when it is on disk, or will not be; holds ``saved`` or ``already``.
    """

    answer: Answer
    kept: Future[str] = attrs.field(factory=Future)


@attrs.define(eq=False)
class Desk:
    """One run's place to label.

    Attributes:
        run: whose.
        pause: seconds between the last answer and retraining, in which one may still go back.
        stage: how far the machine is.
        phase: ``starting``, ``estimating``, ``labelling``, ``retraining``, ``finished`` or ``failed``.
        queue: of the present or the last cycle that asked.
        given: every label so far, in order.
        closing: how the run ended.
        error: what made it fail.
    """

    run: Run
    pause: float
    stage: Stage = attrs.field(factory=Stage)
    phase: str = "starting"
    queue: Queue = attrs.field(factory=lambda: Queue(-1, {}))
    given: list[Given] = attrs.field(factory=list)
    closing: RunRecord | None = None
    error: str | None = None
    on_open: Callable[[], None] = lambda: None
    lock: threading.RLock = attrs.field(factory=threading.RLock)
    _inbox: SimpleQueue[Handed] = attrs.field(factory=SimpleQueue)
    _submissions: dict[str, Handed] = attrs.field(factory=dict)
    _settled_at: float = 0.0
    _heard: dict[str, float] = attrs.field(factory=dict)
    _told: set[str] = attrs.field(factory=set)
    oks: dict[int, float] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.given = self.run.folder.answers.history()

    # ------------------------------------------------------------------------------------------------ the run's side
    def answers(self, request: Request) -> Iterator[Answer]:
        """What people answer to a query, as it comes; ends a little after the last, or when somebody has had enough."""
        self._open(request)
        try:
            while (handed := self._next()) is not None:
                yield handed.answer
                self._keep(handed.answer)
                handed.kept.set_result("saved")
                if isinstance(handed.answer, Enough):
                    return
        finally:
            self._close()

    def progress(self, stage: str, done: int, total: int) -> None:
        """The machine has come so far."""
        with self.lock:
            self.stage = self.stage.moved(stage, done, total)
            if self.phase != "labelling" and stage in ("estimate", "retrain"):
                self.phase = {"estimate": "estimating", "retrain": "retraining"}[stage]

    def finish(self, record: RunRecord) -> None:
        """The run has ended."""
        with self.lock:
            self.phase, self.closing = "finished", record

    def fail(self, error: BaseException) -> None:
        """The run has failed, or was interrupted."""
        with self.lock:
            stopped = isinstance(error, KeyboardInterrupt)
            self.phase, self.error = "failed", "the run was interrupted" if stopped else str(error)
        self._turn_away(RefusedError(503, f"not kept: {self.error}"))

    def wait_for_pages(self) -> None:
        """Give every page that is open the time to fetch how the run ended."""
        until = time.monotonic() + _LINGER
        while time.monotonic() < until:
            with self.lock:
                recent = {tab for tab, at in self._heard.items() if at > time.monotonic() - _LINGER}
                if recent <= self._told:
                    return
            time.sleep(_TICK)

    def _open(self, request: Request) -> None:
        with self.lock:
            self.queue = Queue.of(request.cycle, request.query.tolist(), request.indices.tolist())
            self.phase, self.oks, self._settled_at = "labelling", {}, time.monotonic()
        self.on_open()

    def _close(self) -> None:
        with self.lock:
            self.phase, self.stage = "retraining", Stage()
        self._turn_away(RefusedError(410, "this queue is closed: the machine is learning from it"))

    def _turn_away(self, error: RefusedError) -> None:
        """Refuse what was handed in too late."""
        with self.lock:
            late = [handed for handed in self._submissions.values() if not handed.kept.done()]
            while not self._inbox.empty():
                late.append(self._inbox.get())
            self._submissions.clear()
        for handed in late:
            if not handed.kept.done():
                handed.kept.set_exception(error)

    def _next(self) -> Handed | None:
        """The next answer; None when there is nothing to wait for any more."""
        while True:
            try:
                return self._inbox.get(timeout=_TICK)
            except Empty:
                with self.lock:
                    if not self.queue.left and time.monotonic() > self._settled_at + self.pause:
                        return None

    def _keep(self, answer: Answer) -> None:
        """Heed an answer that is on disk now."""
        with self.lock:
            if isinstance(answer, Labels):
                self.given = self.run.folder.answers.history()
                self.oks |= self._similarity(answer)
                self._settled_at = time.monotonic()

    def _similarity(self, labels: Labels) -> dict[int, float]:
        boxes, sigmas = self.run.video.instances.boxes[labels.index], self.run.video.skeleton.sigmas
        found = oks(labels.proposals, labels.keypoints, labels.visible, boxes, sigmas)
        return dict(zip(labels.index.tolist(), found.tolist(), strict=True))

    # -------------------------------------------------------------------------------------------- the people's side
    def hear(self, tab: str) -> None:
        """A window is there."""
        with self.lock:
            self._heard[tab] = time.monotonic()
            self.queue.hold(tab, time.monotonic())
            if self.phase in ("finished", "failed"):
                self._told.add(tab)

    def claim(self, tab: str) -> int | None:
        """The next instance for a window."""
        with self.lock:
            return self.queue.claim(tab, time.monotonic()) if self.phase == "labelling" else None

    def ahead(self, tab: str, count: int) -> list[int]:
        """What this window will get after the one it has."""
        with self.lock:
            return self.queue.ahead(tab, time.monotonic())[1 : 1 + count] if self.phase == "labelling" else []

    def label(self, made: Submission) -> Handed:
        """Hand a pose in.

        Raises:
            RefusedError: it cannot be taken.
        """
        with self.lock:
            if made.submission in self._submissions:
                return self._submissions[made.submission]
            self._check_known(made.instance)
            if self._is_kept(made):
                done = Handed(Enough(""))
                done.kept.set_result("already")
                return done
            self._check_open(made)
            self.queue.settle(made.instance)
            handed = self._hand_in(made.labels(self.proposal(made.instance)))
            self._submissions[made.submission] = handed
            return handed

    def skip(self, tab: str, instance: int, annotator: str) -> Handed | None:
        """Put an instance aside; the second time it is left out. None where nothing has to be kept.

        Raises:
            RefusedError: it is not there to be skipped.
        """
        with self.lock:
            if self.phase != "labelling" or not self.queue.holds(instance):
                raise RefusedError(410, "this queue is closed")
            if not self.queue.is_open(instance) or self.queue.put_aside(instance):
                self.queue.release(tab)
                return None
            return self._refuse(Refusal(instance, annotator))

    def redraw(self, instance: int, box: tuple[float, float, float, float] | None, annotator: str) -> Handed:
        """Give an instance another box, or say that nobody is there.

        Raises:
            RefusedError: it cannot be done now.
        """
        with self.lock:
            self._check_known(instance)
            if self.phase != "labelling":
                raise RefusedError(410, "boxes can be changed while a queue is open")
            if box is None:
                return self._refuse(Refusal(instance, annotator, absent=True))
            return self._hand_in(Redrawn(instance, box, annotator))

    def stop(self, annotator: str) -> Handed:
        """Say that it is enough.

        Raises:
            RefusedError: nothing is being asked.
        """
        with self.lock:
            if self.phase != "labelling":
                raise RefusedError(410, "nothing is being asked at the moment: stop when the next queue is there")
            return self._hand_in(Enough(annotator))

    def proposal(self, instance: int) -> torch.Tensor:
        """(K, 2) the estimator's present pose, on the CPU."""
        return self.run.present.keypoints[instance].cpu()

    def latest(self, instance: int) -> Given | None:
        """The label that counts of an instance."""
        return next((given for given in reversed(self.given) if given.instance == instance), None)

    def _refuse(self, refusal: Refusal) -> Handed:
        self.queue.settle(refusal.index)
        self._settled_at = time.monotonic()
        return self._hand_in(refusal)

    def _hand_in(self, answer: Answer) -> Handed:
        handed = Handed(answer)
        self._inbox.put(handed)
        return handed

    def _check_known(self, instance: int) -> None:
        if not self.queue.holds(instance) and self.latest(instance) is None:
            raise RefusedError(404, "this instance was not asked for")

    def _is_kept(self, made: Submission) -> bool:
        """Whether this very label is on disk: its sender was not told, and sends it again."""
        given = self.latest(made.instance)
        if given is None or given.annotator != made.annotator or self.queue.is_open(made.instance):
            return False
        return all(
            value == v and (not v or max(abs(px - x), abs(py - y)) < 1e-3)
            for (px, py), value, (x, y, v) in zip(given.keypoints, given.values, made.keypoints, strict=True)
        )

    def _check_open(self, made: Submission) -> None:
        if self.phase != "labelling" or (made.cycle != self.queue.cycle and not made.correction):
            raise RefusedError(410, "this queue is closed: the machine is learning from it")
        if not made.correction and not self.queue.is_open(made.instance):
            given = self.latest(made.instance)
            by = f" by {given.annotator}" if given else ""
            raise RefusedError(409, f"this instance has been answered{by} meanwhile")
