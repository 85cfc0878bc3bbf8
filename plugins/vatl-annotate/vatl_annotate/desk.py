"""Where the run, which asks and waits, and the people in the browser, who answer, meet.

The run's thread draws answers from :meth:`Desk.answers`; the server's thread hands them in and is told when they are on
disk. Everything that both touch is behind one lock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import attrs
import torch

from vatl_annotate.handing import Handed, Tray, already
from vatl_annotate.ledger import Ledger
from vatl_annotate.progress import Stage
from vatl_annotate.queue import Queue
from vatl_annotate.review.wishes import Review, Wish
from vatl_annotate.submission import RefusedError, Submission
from vatl_annotate.windows import Windows
from vatl_core.contracts import Answer, Enough, Labels, Redrawn, Refusal, Request
from vatl_core.metrics import measured_oks

if TYPE_CHECKING:
    from vatl_core.cycle import Run
    from vatl_core.estimation import Estimates
    from vatl_core.records import RunRecord

_HOLD: Final = 3.0
"""Seconds that a window which corrects is waited for; it says so every second."""
_TICK: Final = 0.1
"""Seconds between two looks at whether to go on."""
_NOT_KEPT: Final = RefusedError(503, "not kept: the run has failed, or was interrupted")
_TAKEN_UP: Final = RefusedError(503, "the run is not there yet: this is tried again until it is")


@attrs.define(eq=False)
class Desk:
    """One run's place to label.

    Attributes:
        run: whose.
        pause: seconds between the last answer and retraining, in which one may still go back.
        stage: how far the machine is.
        phase: ``starting``, ``estimating``, ``labelling``, ``retraining``, ``finished``, ``failed`` or
            ``left``.
        queue: of the present or the last cycle that asked.
        ledger: what has been answered so far.
        boxes: (N, 4) as they have been redrawn so far.
        closing: how the run ended.
        error: what made it fail.
        oks: of each label of the present queue, the proposal's with it.
        figures: what plugins say of the last finished cycle, by name.
        on_open: called when a queue is there.
        lock: of all that both threads touch.
        tray: what was handed in and is not on disk yet.
        windows: in which the page is open.
        review: of what the run has estimated, where it is finished; None while it goes on.
    """

    run: Run
    pause: float
    stage: Stage = attrs.field(factory=Stage)
    phase: str = "starting"
    queue: Queue = attrs.field(factory=lambda: Queue(-1, {}))
    ledger: Ledger = attrs.field()
    boxes: torch.Tensor = attrs.field()
    closing: RunRecord | None = None
    error: str | None = None
    oks: dict[int, float] = attrs.field(factory=dict)
    figures: dict[str, str] = attrs.field(factory=dict)
    on_open: Callable[[], None] = lambda: None
    lock: threading.RLock = attrs.field(factory=threading.RLock)
    tray: Tray = attrs.field(factory=Tray)
    windows: Windows = attrs.field(factory=Windows)
    review: Review | None = None
    _settled_at: float = 0.0

    @ledger.default
    def _on_disk(self) -> Ledger:
        return Ledger.of(self.run.folder.answers, frozenset(self.run.folder.given))

    @boxes.default
    def _of_the_video(self) -> torch.Tensor:
        return self.run.video.instances.boxes

    # ------------------------------------------------------------------------------------------------ the run's side
    def answers(self, request: Request) -> Iterator[Answer]:
        """What people answer to a query, as it comes; ends a little after the last, or when somebody has had enough."""
        self._open(request)
        closed = _NOT_KEPT
        try:
            while (handed := self._next()) is not None:
                yield from self._give(handed)
                if isinstance(handed.answer, Enough):
                    break
            closed = RefusedError(410, "this queue is closed: the machine is learning from it")
        finally:
            self._lose()
            self._close(closed)

    def _give(self, handed: Handed) -> Iterator[Answer]:
        """One answer to the run, whose drawing the next means that this one is on disk."""
        yield self.tray.give(handed)
        self._keep(handed.answer)
        handed.kept.set_result("saved")

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
        self._lose()  # Python may close the generator only later
        self._turn_away(RefusedError(503, f"not kept: {self.error}"))

    def leave(self) -> None:
        """Whoever steps through the run has left it for now."""
        with self.lock:
            self.phase = "left"
        self._lose()
        self._turn_away(_TAKEN_UP)

    def _open(self, request: Request) -> None:
        with self.lock:
            self.queue = Queue.of(request.cycle, request.query.tolist(), request.indices.tolist())
            self.boxes = request.video.instances.boxes  # the run gives those that are redrawn their new one here
            self.phase, self.oks, self._settled_at = "labelling", {}, time.monotonic()
        self.on_open()

    def _close(self, late: RefusedError) -> None:
        with self.lock:
            self.phase, self.stage = "retraining", Stage()
        self._turn_away(late)

    def _lose(self) -> None:
        """If an answer is with the run still, it did not come to be on disk: its sender is told, its instance open."""
        with self.lock:
            handed = self.tray.lost()
            if handed and isinstance(handed.answer, Labels | Refusal):
                for instance in torch.as_tensor(handed.answer.index).reshape(-1).tolist():
                    self.queue.reopen(instance)
        if handed:
            handed.kept.set_exception(_NOT_KEPT)

    def _turn_away(self, error: RefusedError) -> None:
        """Refuse what was handed in too late."""
        with self.lock:
            late = self.tray.emptied()
        for handed in late:
            handed.kept.set_exception(error)

    def _next(self) -> Handed | None:
        """The next answer; None when there is nothing to wait for any more."""
        while (handed := self.tray.take(_TICK)) is None:
            with self.lock:  # in which an answer may have come since there was none
                done = not self.queue.left and self.tray.empty
                if done and time.monotonic() > self._settled_at + self.pause:
                    return None
        return handed

    def _keep(self, answer: Answer) -> None:
        """Heed an answer that is on disk now."""
        with self.lock:
            self.ledger.add(self.queue.cycle, answer)
            if isinstance(answer, Labels):
                self.oks |= self._similarity(answer)
                self._settled_at = time.monotonic()

    def _similarity(self, labels: Labels) -> dict[int, float]:
        boxes, sigmas = self.boxes[labels.index], self.run.video.skeleton.sigmas
        found = measured_oks(labels.proposals, labels.keypoints, labels.visible, boxes, sigmas)
        pairs = zip(labels.index.tolist(), found.tolist(), strict=True)
        return {index: value for index, value in pairs if not math.isnan(value)}

    # -------------------------------------------------------------------------------------------- the people's side
    def hear(self, tab: str) -> None:
        """A window is there."""
        self.windows.hear(tab)
        with self.lock:
            self.queue.hold(tab, time.monotonic())

    def look(self, instance: int) -> None:
        """Somebody goes back to an instance that was answered, or may be.

        Raises:
            RefusedError: it was not asked for, or is refused for good.
        """
        with self.lock:
            self._check_known(instance)
            self.wait()

    def wait(self) -> None:
        """Somebody is about to correct a label: where all are given, the machine does not go on meanwhile."""
        with self.lock:
            self._settled_at = time.monotonic() + max(0.0, _HOLD - self.pause)

    def tell(self, tab: str, phase: str) -> None:
        """A window is being told that the run is in this phase."""
        if phase in ("finished", "failed", "left"):
            self.windows.tell(tab)

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
            if known := self.tray.known(made.submission):
                return known
            if not self.queue.is_open(made.instance) and self.ledger.has(made):
                return already()
            self._check_there(made.cycle)
            self._check_known(made.instance)
            self._check_open(made)
            self.queue.settle(made.instance)
            return self._hand_in(made.labels(self.proposal(made.instance)), made.submission)

    def skip(self, tab: str, instance: int, annotator: str) -> Handed | None:
        """Put an instance aside; the second time it is left out. None where nothing has to be kept.

        Raises:
            RefusedError: it is not there to be skipped.
        """
        with self.lock:
            self._check_there()
            if self.phase != "labelling" or not self.queue.holds(instance):
                raise RefusedError(410, "this queue is closed")
            if not self.queue.is_with(instance, tab) or self.queue.put_aside(instance):
                return None
            return self._refuse(Refusal(instance, annotator))

    def redraw(self, tab: str, instance: int, box: tuple[float, float, float, float] | None, annotator: str) -> Handed:
        """Give an instance that a window works on another box, or say that nobody is there.

        Raises:
            RefusedError: it cannot be done now, or the instance is not this window's any more.
        """
        with self.lock:
            self._check_there()
            self._check_known(instance)
            if self.phase != "labelling":
                raise RefusedError(410, "boxes can be changed while a queue is open")
            if box is None and instance in self.ledger.absent:
                return already()
            if not self.queue.holds(instance) or not self.queue.is_with(instance, tab):
                raise RefusedError(409, "this instance is not this window's to change any more")
            if box is None:
                return self._refuse(Refusal(instance, annotator, absent=True))
            return self._hand_in(Redrawn(instance, box, annotator))

    def stop(self, annotator: str) -> Handed:
        """Say that it is enough.

        Raises:
            RefusedError: nothing is being asked.
        """
        with self.lock:
            self._check_there()
            if self.phase != "labelling":
                raise RefusedError(410, "nothing is being asked at the moment: stop when the next queue is there")
            return self._hand_in(Enough(annotator))

    def wish(self, wish: Wish, annotator: str) -> Handed:
        """Say how a review goes on; what is open of its queue stays unlabelled.

        Raises:
            RefusedError: there is no review, it is learning just now, or there is nothing to learn from.
        """
        with self.lock:
            self._check_there()
            if self.review is None:
                raise RefusedError(410, "no finished run is being reviewed here")
            if self.phase != "labelling":
                raise RefusedError(410, "the machine is learning: say so when the next queue is there")
            if wish is Wish.LEARN and not self.unlearnt:
                raise RefusedError(409, "there is nothing to learn from yet: accept or correct a pose first")
            self.review.wish = wish
            self.phase = "retraining"  # no window is given what is left of the queue
            return self._hand_in(Enough(annotator))

    @property
    def unlearnt(self) -> int:
        """How many instances were labelled, or corrected, since the estimator learnt last."""
        with self.lock:
            given = {label.instance for label in self.ledger.given if label.cycle == self.queue.cycle}
            return len(given - self.ledger.refused.keys())

    def proposal(self, instance: int) -> torch.Tensor:
        """(K, 2) the estimator's present pose, on the CPU."""
        return self.estimates.keypoints[instance].cpu()

    def is_known(self, instance: int) -> bool:
        """Whether an instance is of the queue, or has a label that may be corrected: not one that got none for good."""
        with self.lock:
            return self.queue.holds(instance) or instance in self.ledger.newest.keys() - self.ledger.refused.keys()

    @property
    def estimates(self) -> Estimates:
        """What the last pass found.

        Raises:
            RefusedError: there was none yet.
        """
        if self.run.estimates is None:
            raise _TAKEN_UP
        return self.run.estimates

    @property
    def left(self) -> float | None:
        """Seconds until the machine goes on by itself; None while it does not, or answers are wanting."""
        with self.lock:
            if self.phase != "labelling" or self.queue.left:
                return None
            left = max(0.0, self._settled_at + self.pause - time.monotonic())
            return None if math.isinf(left) else left

    def _refuse(self, refusal: Refusal) -> Handed:
        self.queue.settle(refusal.index)
        return self._hand_in(refusal)

    def _hand_in(self, answer: Answer, submission: str = "") -> Handed:
        self._settled_at = time.monotonic()
        return self.tray.put(answer, submission)

    def _check_there(self, cycle: int | None = None) -> None:
        """Ask those to come again who speak of a queue that was open when the run was interrupted."""
        early = self.phase in ("starting", "estimating") and self.queue.cycle < self.run.cycle
        if self.phase in ("failed", "left") or (early and cycle in (None, self.run.cycle)):
            raise _TAKEN_UP

    def _check_known(self, instance: int) -> None:
        if not self.is_known(instance):
            raise RefusedError(404, "this instance was not asked for")

    def _check_open(self, made: Submission) -> None:
        if self.phase != "labelling" or (made.cycle != self.queue.cycle and not made.correction):
            raise RefusedError(410, "this queue is closed: the machine is learning from it")
        if not made.correction and not self.queue.is_open(made.instance):
            given = self.ledger.newest.get(made.instance)
            by = f" by {given.annotator}" if given else ""
            raise RefusedError(409, f"this instance has been answered{by} meanwhile")
