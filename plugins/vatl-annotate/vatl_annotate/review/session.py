"""``vatl annotate RUN --review``: a finished run's least certain poses, looked through in the browser."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import click
import torch

from vatl_annotate import plugin
from vatl_annotate.browser import Browser
from vatl_annotate.desk import Desk
from vatl_annotate.review.finished import Finished
from vatl_annotate.review.wishes import Review, Wish
from vatl_core.contracts import Enough, Labels, Redrawn
from vatl_core.errors import InputError
from vatl_core.run import execute
from vatl_core.store import RunFolder


@attrs.frozen
class Plan:
    """What a review is to be.

    Attributes:
        count: how many instances are queued at a time.
        order: ``suspicion`` or ``track``.
        retrain: whether to learn from what was labelled, and to leave it at that.
    """

    count: int
    order: str
    retrain: bool


@attrs.define(eq=False)
class Session:
    """A review under way.

    Attributes:
        folder: of the run, locked.
        plan: what it is to be.
        place: options of the browser that were given.
        trust: whether the run may let others in, or have something fetched.
        finished: the run as it stands.
    """

    folder: RunFolder
    plan: Plan
    place: Mapping[str, str]
    trust: bool
    finished: Finished
    _given: int = 0
    _seen: set[int] = attrs.field(factory=set)

    def carry_out(self) -> str:
        """Serve the page until somebody ends the review; what came of it, in a line.

        Raises:
            InputError: nothing is left to look at, or nobody can listen there.
        """
        if self.plan.retrain and (waiting := self.finished.unlearnt):
            self._learn()
            return f"learnt from {_labels(waiting)} of an earlier review"
        if not (query := self._next()):
            raise InputError(f"{self.folder.path}: nothing is left to review, every instance has its answer")
        run = self.finished.at_its_end()
        browser = run.oracle
        assert isinstance(browser, Browser), "the run was opened with the browser as its oracle"
        desk = browser.attend(run)
        plugin.reviewed[self.folder.path] = desk
        desk.pause = browser.pause if self.plan.retrain else math.inf
        try:
            self._go_through(desk, query)
            return self._end(desk)
        except BaseException as error:
            desk.leave() if isinstance(error, KeyboardInterrupt) else desk.fail(error)
            raise
        finally:
            browser.leave()

    def _next(self) -> list[int]:
        """What to look at next; nothing is shown twice as long as there is something else."""
        query = self.finished.queue(self.plan.count, self.plan.order, self._seen)
        self._seen.update(query)
        return query

    def _go_through(self, desk: Desk, query: list[int]) -> None:
        """One queue after the other, for as long as somebody wants others."""
        while query:
            reasons, records = self.finished.reasons.of, self.finished.past.cycles
            desk.review = Review(reasons, records, Wish.LEARN if self.plan.retrain else Wish.END)
            self._ask(desk, query)
            if desk.review.wish is Wish.LEARN and self.finished.unlearnt:
                self._learn()
                desk.run = self.finished.at_its_end()
            if self.plan.retrain or desk.review.wish is Wish.END:
                return
            query = self._next()

    def _ask(self, desk: Desk, query: list[int]) -> None:
        """Keep what people answer, each before they are told so."""
        request = self.finished.request(desk.run, query)
        for answer in desk.answers(request):
            if not isinstance(answer, Enough):  # which ends the queue, and not a cycle
                self.folder.answers.save(self.finished.cycle, answer)
            if isinstance(answer, Redrawn):
                request.video.instances.boxes[answer.index] = torch.tensor(answer.box)
            self._given += isinstance(answer, Labels)

    def _learn(self) -> None:
        """One more cycle, whose query is what was labelled; whoever kills it can resume it."""
        path = self.folder.path
        self.finished.reopen()
        self.folder.unlock()
        with _resumed_by(path):
            execute(path, oracle=("browser", self.place), trust=self.trust)  # which has nothing to ask any more
        self.folder.lock()
        self.finished = Finished.open(path, self.place, self.trust)
        self._seen.clear()

    def _end(self, desk: Desk) -> str:
        """Show that the review has ended, and what may come next; the same in a line."""
        waiting, learn = self.finished.unlearnt, shlex.join(["vatl", "annotate", str(self.folder.path), "--review"])
        rest = f"; {_labels(waiting)} not learnt from yet: `{learn} --retrain` does" if waiting else ""
        told = f"the review has ended with {_labels(self._given)}{rest}"
        closing = self.folder.closing()
        assert closing is not None, "what is reviewed has ended"
        desk.finish(attrs.evolve(closing, labelled=desk.ledger.labelled, stopped_by="", reason=told))
        return told


def look_through(path: Path, plan: Plan, place: Mapping[str, str], trust: bool) -> str:
    """Look through the run in directory ``path``; what came of it, in a line.

    Raises:
        InputError: it is no finished run, another process works on it, or there is nothing to look at.
    """
    folder = RunFolder.open(path)
    folder.lock()
    plugin.reviewed[path] = None
    try:
        return Session(folder, plan, place, trust, Finished.open(path, place, trust)).carry_out()
    finally:
        del plugin.reviewed[path]
        folder.unlock()


@contextmanager
def _resumed_by(run: Path) -> Iterator[None]:
    """Have the line that an interruption in the block ends with name this run, which `vatl resume` then takes up."""
    context = click.get_current_context(silent=True)
    if context:
        context.ensure_object(dict)["run"] = run
    yield
    if context:
        del context.obj["run"]


def _labels(count: int) -> str:
    return "1 label" if count == 1 else f"{count} labels"
