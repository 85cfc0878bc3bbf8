"""Answers on their way from the people who give them to the disk; whoever gave one is told when it is there."""

from __future__ import annotations

from concurrent.futures import Future
from queue import Empty, SimpleQueue

import attrs

from vatl_core.contracts import Answer, Enough


def _promise() -> Future[str]:
    """A future that whoever waits for it cannot cancel: a browser that goes away must not end the run."""
    promise: Future[str] = Future()
    promise.set_running_or_notify_cancel()
    return promise


@attrs.frozen(eq=False)
class Handed:
    """An answer on its way to the disk.

    Attributes:
        answer: what was said.
        kept: done when it is on disk, or will not be; holds ``saved`` or ``already``.
    """

    answer: Answer
    kept: Future[str] = attrs.field(factory=_promise)


def already() -> Handed:
    """What is on disk, and was handed in again."""
    done = Handed(Enough(""))
    done.kept.set_result("already")
    return done


@attrs.define(eq=False)
class Tray:
    """What was handed in and is not on disk yet; used under the lock of its desk, but for :meth:`take`."""

    inbox: SimpleQueue[Handed] = attrs.field(factory=SimpleQueue)
    _by_submission: dict[str, Handed] = attrs.field(factory=dict)
    _with_the_run: Handed | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return self.inbox.empty()

    def known(self, submission: str) -> Handed | None:
        """What was handed in as this submission, if it was."""
        return self._by_submission.get(submission)

    def put(self, answer: Answer, submission: str = "") -> Handed:
        """Hand an answer in; sent again as the same submission, it is known."""
        handed = Handed(answer)
        self.inbox.put(handed)
        if submission:
            self._by_submission[submission] = handed
        return handed

    def take(self, timeout: float) -> Handed | None:
        """The next one, waited for so many seconds."""
        try:
            return self.inbox.get(timeout=timeout)
        except Empty:
            return None

    def give(self, handed: Handed) -> Answer:
        """It is with the run now."""
        self._with_the_run = handed
        return handed.answer

    def lost(self) -> Handed | None:
        """What was with the run and did not come to be on disk."""
        handed, self._with_the_run = self._with_the_run, None
        return None if handed is None or handed.kept.done() else handed

    def emptied(self) -> list[Handed]:
        """Everything that is not on disk, which is forgotten here."""
        late = list(self._by_submission.values())
        while not self.inbox.empty():
            late.append(self.inbox.get())
        self._by_submission.clear()
        return list({id(handed): handed for handed in late if not handed.kept.done()}.values())
