"""A cycle under way, for whoever steps through a run: what was estimated, what is asked for, what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Answer, Labels
from vatl_core.cycle.answering import answers_from
from vatl_core.cycle.asking import request_of, take
from vatl_core.cycle.querying import how_many, query_of, scores_of
from vatl_core.cycle.standing import Standing
from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.records import CycleRecord

if TYPE_CHECKING:
    from vatl_core.cycle.cycle import Run

ANNOTATOR = "python"
"""Whose answers those are that are given as keypoints alone."""


@attrs.define(eq=False)
class Cycle:
    """One cycle of a run: its pass is made; what it asks for, who answers and when it retrains is still open.

    What is left undone is done when the next cycle is asked for: the selector chooses, the oracle answers.

    Attributes:
        run: it belongs to.
        record: what has happened in it so far.
        labelled: whether its query is answered.
        finished: whether the run has gone on from it.
    """

    run: Run = attrs.field(repr=False)
    record: CycleRecord
    labelled: bool = attrs.field(default=False, init=False)
    finished: bool = attrs.field(default=False, init=False)

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
        """(N,) what the query ranks by: 0 to 1 over what may still be asked for, 0 for the rest.

        Zeros where the selector needs no score.
        """
        run, number, estimates = self.run, self.number, self.estimates
        then = Standing.of(len(estimates.scores), run.records[:number], run.folder.answers, number, run.answerable)
        open_ = (then if self.finished else run.standing()).askable(estimates.scores.device)
        return scores_of(run, estimates.criteria, open_, self.record.fraction)

    @property
    def query(self) -> list[int]:
        """The instances it asks for, chosen when first looked at; may be set. Empty where nothing is left to ask.

        Raises:
            InputError: when set: it is too late, or there are instances among them that cannot be asked for.
        """
        kept = self.run.folder.query(self.number)
        if kept is None and not self.labelled:
            with self.run.held():
                count = how_many(self.run, self.record)
                kept = query_of(self.run, self.record, count) if count else None
        return kept or []

    @query.setter
    def query(self, indices: Iterable[int]) -> None:
        chosen = [int(index) for index in indices]
        with self._open("another query"):
            if flaw := self._flaw(chosen):
                raise InputError(f"cycle {self.number} cannot ask for {chosen}: {flaw}")
            self.run.folder.save_query(self.number, chosen, by_hand=True)

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
            query = self.query
            if answers is None:
                self.record = self.run.label(self.record)
                self.labelled = True
            else:
                request = request_of(self.run, query)
                given = answers_from(answers, request.indices, ANNOTATOR)
                take(self.run, request, query, given, lambda flaw: InputError(f"cycle {self.number}: you {flaw}"))
            return self.labels

    def retrain(self) -> CycleRecord:
        """Decide whether to stop and retrain, or close the run if nothing was labelled; the record is then on disk.

        Raises:
            InputError: the cycle is finished.
        """
        if not self.labelled:
            self.label()
        if self.finished:
            raise InputError(f"cycle {self.number} is finished: take the next")
        with self.run.held():
            self.record = self.run.go_on(self.record)
            self.finished = True
        return self.record

    def _open(self, what: str) -> Any:
        """The run, held while its query is not answered."""
        if self.labelled:
            raise InputError(f"cycle {self.number} takes no {what} any more: its query is answered")
        return self.run.held()

    def _flaw(self, chosen: Sequence[int]) -> str | None:
        """Why these instances cannot be its query, in words."""
        count, settled = len(self.run.video.instances), self.run.standing().settled(torch.device("cpu"))
        if not chosen:
            return "name at least one; leave the loop to stop asking"
        if twice := [i for i in chosen if chosen.count(i) > 1]:
            return f"{twice[0]} is there twice"
        if strange := [i for i in chosen if not 0 <= i < count]:
            return f"the video has no instance {strange[0]}, only 0 to {count - 1}"
        if known := [i for i in chosen if settled[i]]:
            return f"{known[0]} is labelled or refused already"
        if len(self.labels.index):
            return f"labels of its query are given already, the first of {int(self.labels.index[0])}"
        return None
