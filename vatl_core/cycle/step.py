"""A cycle under way: its pass is made; what it asks for, who answers and when it retrains is still open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Answer, Labels
from vatl_core.cycle.asking import answers_from, asked, request_of, take
from vatl_core.cycle.closing import close
from vatl_core.cycle.querying import chosen, scores_of
from vatl_core.cycle.retraining import retrain
from vatl_core.cycle.state import RunState
from vatl_core.cycle.stopping import decided
from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.records import CycleRecord


@attrs.define(eq=False)
class Cycle:
    """One cycle of a run, for whoever steps through it.

    What is left undone is done when the next cycle is asked for: the selector chooses, the oracle answers.

    Attributes:
        run: it belongs to.
        record: what has happened in it so far.
        labelled: whether its query is answered.
        finished: whether the run has gone on from it.
    """

    run: RunState = attrs.field(repr=False)
    record: CycleRecord
    labelled: bool = attrs.field(default=False, init=False)
    finished: bool = attrs.field(default=False, init=False)
    _decided: bool = attrs.field(default=False, init=False, repr=False)

    @property
    def number(self) -> int:
        """From 0."""
        return self.record.cycle

    @property
    def estimates(self) -> Estimates:
        """Of every instance, on the run's device; once the cycle is finished what is kept: on the CPU, no features."""
        kept = self.run.folder.estimates(self.number) if self.finished else None
        return kept or self.run.present

    @property
    def criteria(self) -> dict[str, Tensor]:
        """Each criterion's scores (N,), higher = more worth labelling."""
        return self.estimates.criteria

    @property
    def scores(self) -> Tensor:
        """(N,) what the query ranks by: 0 to 1 over what may be asked for; 0 for the rest, and if nothing needs it."""
        estimates, run = self.estimates, self.run
        standing = run.standing(before=self.number) if self.finished else run.standing()
        return scores_of(run, estimates.criteria, standing.askable(estimates.scores.device), self.record.fraction)

    @property
    def query(self) -> list[int]:
        """The instances it asks for, once they are chosen; may be set. Empty before, and where nothing is left to ask.

        Raises:
            InputError: when set: it is too late, or there are instances among them that cannot be asked for.
        """
        return self.run.folder.query(self.number) or []

    @query.setter
    def query(self, indices: Iterable[int]) -> None:
        wanted = [int(index) for index in indices]
        with self._open("another query"):
            if flaw := self._flaw(wanted):
                raise InputError(f"cycle {self.number} cannot ask for {wanted}: {flaw}")
            self.run.folder.save_query(self.number, wanted, by_hand=True)

    def choose(self) -> list[int]:
        """What the cycle asks for, chosen by the selector unless it is decided; empty where nothing is left to ask."""
        if self.labelled:
            return self.query
        with self.run.held():
            return chosen(self.run, self.record)

    @property
    def labels(self) -> Labels:
        """The answers to its query so far, in its order, on the CPU."""
        return self.run.labels(self.query)

    def label(self, answers: Labels | Answer | Iterable[Answer] | Tensor | Any = None) -> Labels:
        """Have the query answered: by the run's oracle, or as far as they go by these answers.

        Each answer is on disk before the next is drawn. What is still open is asked of the oracle when this is called
        without answers, or the cycle is finished.

        Args:
            answers: answers, or keypoints (q, K, 2) in pixels of the instances of the query that have none yet, in its
                order, NaN where a keypoint is not annotated.

        Returns:
            The labels of the query.

        Raises:
            InputError: it is answered already, or the answers do not fit it.
            PluginError: the oracle breaks its contract.
        """
        with self._open("labels"):
            query = self.choose()
            if answers is None:
                self.record = asked(self.run, self.record)
                self.labelled = True
            else:
                request = request_of(self.run, query)
                given = answers_from(answers, request.indices, "python")  # who gave keypoints alone
                take(self.run, request, given, lambda flaw: InputError(f"cycle {self.number}: you {flaw}"))
            return self.labels

    def decide(self) -> str | None:
        """Which stopping criterion ends the run after this cycle, or None; the query is labelled for it."""
        if not self.labelled:
            self.label()
        if not self._decided and not self.record.closes:
            self.record, self._decided = decided(self.run, self.record), True
        return self.record.stopped_by

    def retrain(self) -> CycleRecord:
        """Decide whether to stop and retrain, or close the run if nothing was labelled; the record is then on disk.

        Raises:
            InputError: the cycle is finished.
        """
        if self.finished:
            raise InputError(f"cycle {self.number} is finished: take the next")
        with self.run.held():
            self.decide()
            if not self.record.closes:
                self.record = retrain(self.run, self.record)
            self.run.folder.append(self.record)
            self.run.records.append(self.record)
            self.finished = True
            self.run.hook.vatl_cycle_finished(run=self.run, record=self.record)
            if self.record.closes:
                close(self.run)
        return self.record

    def _open(self, what: str) -> AbstractContextManager[None]:
        """The run, held while its query is not answered."""
        if self.labelled:
            raise InputError(f"cycle {self.number} takes no {what} any more: its query is answered")
        return self.run.held()

    def _flaw(self, wanted: Sequence[int]) -> str | None:
        """Why these instances cannot be its query, in words."""
        count, settled = len(self.run.video.instances), self.run.standing().settled(torch.device("cpu"))
        if not wanted:
            return "name at least one; leave the loop to stop asking"
        if twice := [i for i in wanted if wanted.count(i) > 1]:
            return f"{twice[0]} is there twice"
        if strange := [i for i in wanted if not 0 <= i < count]:
            return f"the video has no instance {strange[0]}, only 0 to {count - 1}"
        if known := [i for i in wanted if settled[i]]:
            return f"{known[0]} is labelled or refused already"
        if len(self.labels.index):
            return f"labels of its query are given already, the first of {int(self.labels.index[0])}"
        return None
