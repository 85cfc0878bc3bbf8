"""The active-transfer-learning cycle: estimate, score, query, ask, decide, retrain (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Estimator, Labels, Oracle, Retraining, Selector, Stopping
from vatl_core.cycle.advice import advice
from vatl_core.cycle.asking import answered, ask, redraw
from vatl_core.cycle.closing import closing_record
from vatl_core.cycle.estimating import one_pass
from vatl_core.cycle.querying import how_many, query_of
from vatl_core.cycle.retraining import retrain
from vatl_core.cycle.standing import Standing
from vatl_core.cycle.step import Cycle
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, Estimates, checked_reason
from vatl_core.metrics import evaluate
from vatl_core.plugins import culprit, describe
from vatl_core.progress import Progress
from vatl_core.records import CycleRecord, History, RunRecord
from vatl_core.store import EVER, RunFolder
from vatl_core.video import Video
from vatl_core.weights import PreTrained, is_random


@attrs.define(eq=False)
class Run:
    """One video being adapted to: the parts, and how far it has come.

    Attributes:
        config: what the run is made of.
        folder: where it is kept.
        video: with its truth, for the oracle and the evaluation alone.
        estimator: with the present weights.
        criteria: those of the query, and those that a stopping criterion watches.
        selector, retraining, oracle: the other parts.
        stopping: those that end the run; ``advising`` only say where they would have.
        compute: device and precision.
        crops, pictures: of the video without its truth; plain, and with a margin for augmentation.
        hook: calls the lifecycle hooks of the plugins.
        weights: where the source weights came from.
        warnings: what the user should know.
        notes: what the criteria begin with.
        learnt: what some of them learnt before the run, kept with it.
        spare: the criteria that only ``advising`` ones watch, and the run can do without.
        records: of the cycles so far.
        estimates: of the present cycle.
        closing: how it ended; None while it has not.
    """

    config: RunConfig
    folder: RunFolder
    video: Video
    estimator: Estimator
    criteria: dict[str, Criterion]
    selector: Selector
    retraining: Retraining
    stopping: Mapping[str, Stopping]
    advising: dict[str, Stopping]
    oracle: Oracle
    compute: Compute
    crops: Crops
    pictures: Crops
    hook: Any
    weights: str = ""
    warnings: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    learnt: Mapping[str, PreTrained] = attrs.field(factory=dict)
    spare: set[str] = attrs.field(factory=set)
    records: list[CycleRecord] = attrs.field(factory=list)
    estimates: Estimates | None = None
    source: dict[str, Tensor] = attrs.field(factory=dict)
    closing: RunRecord | None = None
    _under_way: Cycle | None = attrs.field(default=None, init=False, repr=False)

    @property
    def cycle(self) -> int:
        """The number of the present cycle."""
        return len(self.records)

    @property
    def ended(self) -> bool:
        """Whether the record of its last cycle is there."""
        return bool(self.records) and self.records[-1].closes

    def standing(self, before: int = EVER) -> Standing:
        """Where each instance stands now, or by the answers given in cycles ``before`` this one."""
        return Standing.of(len(self.video.instances), self.records, self.folder.answers, before)

    @property
    def asked(self) -> list[int]:
        """Everything that was labelled in earlier cycles, in order."""
        return list(self.standing().asked)

    @property
    def progress(self) -> Progress:
        """Tells the plugins how far a stage is; it does not lead back to the run, whose truth methods may not see."""
        tell, folder = self.hook.vatl_progress, self.folder.path

        def progress(stage: str, done: int, total: int) -> None:
            tell(run=folder, stage=stage, done=done, total=total)

        return progress

    def labels(self, index: Iterable[int], before: int = EVER) -> Labels:
        """The oracle's answers, or those given in cycles ``before`` this, for those instances that have one."""
        return self.folder.answers.labels(list(index), len(self.video.skeleton), before)

    def adapt(self) -> RunRecord:
        """Go through the cycle until a stopping criterion fires or the schedule runs out."""
        for _ in self:
            pass
        if self.closing is None:
            raise AssertionError("the cycles end with the closing record")
        return self.closing

    def __iter__(self) -> Iterator[Cycle]:
        """The cycles from the present one on, the closing pass last.

        Each comes with its estimates; what its receiver leaves undone of it is done before the next. Whoever leaves the
        loop can iterate again and gets the same cycle.

        Raises:
            InputError: another process works on the run, or has.
            PluginError: a component breaks its contract.
        """
        with self.held():
            try:
                self.hook.vatl_run_started(run=self)
                if self.ended and self.closing is None:  # the last time it was interrupted just before
                    self.close()
                while self.closing is None:
                    self._under_way = self._under_way or self._begin()
                    yield self._under_way
                    if not self._under_way.finished:
                        self._under_way.retrain()
                    self._under_way = None
            except BaseException as error:
                self._tell(error)
                raise

    def _tell(self, error: BaseException) -> None:
        """Tell the plugins what made the run fail; what they make of it must not hide it."""
        try:
            self.hook.vatl_run_failed(run=self, error=error)
        except Exception as further:
            error.add_note(f"then vatl_run_failed failed, too: {describe(further)}{culprit(further)}")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from working on the run within the block.

        Raises:
            InputError: one still does, or has since this one did.
        """
        self.folder.lock()
        try:
            if len(self.folder.cycles()) != len(self.records):
                raise InputError(f"{self.folder.path} has been taken up elsewhere since: resume it from there")
            yield
        finally:
            self.folder.unlock()

    def _begin(self) -> Cycle:
        self.hook.vatl_cycle_started(run=self, cycle=self.cycle)
        return Cycle(self, self._estimate())

    def go_on(self, record: CycleRecord) -> CycleRecord:
        """From a cycle whose query is answered to the next, or to the end of the run."""
        if record.closes:
            self._finish(record)
            return record
        record = retrain(self, self._decide(record))
        self.folder.append(record)
        self.records.append(record)
        self.hook.vatl_cycle_finished(run=self, record=record)
        return record

    # ------------------------------------------------------------------------------------------------------- estimate
    def _estimate(self) -> CycleRecord:
        """Pose and scores of every instance, from one pass, and what the truth says of them."""
        started = time.perf_counter()
        known = self.folder.query(self.cycle) is not None or self.stopped_by is not None
        kept = self.folder.estimates(self.cycle, self.compute.device) if known else None
        self.estimates = kept or one_pass(self)
        if kept is None:
            self.folder.save_estimates(self.cycle, self.estimates)
        scoring = self.estimates.scoring.seconds
        seconds = time.perf_counter() - started
        self.hook.vatl_estimated(run=self, cycle=self.cycle)
        standing, labels = self.beginning()
        there = standing.there(self.compute.device)
        return CycleRecord(
            cycle=self.cycle,
            instances=standing.instances,
            labelled=len(standing.asked),
            mean_scores=self.mean_scores(there),
            seconds={"estimate": seconds - scoring, "score": scoring},
            evaluation=evaluate(self.video, self.present, labels, self.config.threshold, there),
        )

    def beginning(self) -> tuple[Standing, Labels]:
        """Where the cycle began, whatever has been answered in it since: an interruption must not change its pass."""
        standing = self.standing(before=self.cycle)
        return standing, self.labels(standing.asked, before=self.cycle)

    def mean_scores(self, there: Tensor) -> dict[str, float]:
        """Each criterion's mean over the instances that are ``there`` (N,)."""
        if not there.any():
            return {}
        return {name: float(column[there].mean()) for name, column in self.present.criteria.items()}

    # ---------------------------------------------------------------------------------------------------------- query
    def label(self, record: CycleRecord) -> CycleRecord:
        """Query and ask; where nobody could label any of a query, the cycle asks for others."""
        labelled: list[int] = []
        while count := how_many(self, record):
            labelled = self._ask(record, query_of(self, record, count))
            if labelled or self.folder.answers.ended(self.cycle) is not None:
                break
            self.folder.forget_query(self.cycle)
        redraw(self)
        return answered(self, record, labelled)

    # ------------------------------------------------------------------------------------------------------------ ask
    def _ask(self, record: CycleRecord, query: list[int]) -> list[int]:
        """Those that the oracle labelled, each answer on disk before the next is drawn."""
        self.hook.vatl_queried(run=self, cycle=self.cycle, indices=query)
        started = time.perf_counter()
        labelled = ask(self, query)
        record.seconds["label"] = record.seconds.get("label", 0.0) + time.perf_counter() - started
        self.hook.vatl_labelled(run=self, cycle=self.cycle, indices=labelled)
        return labelled

    # --------------------------------------------------------------------------------------------------------- decide
    def _decide(self, record: CycleRecord) -> CycleRecord:
        """Which stopping criteria fire here; the first of the run's own ends it."""
        history = self.history(record)
        fired = {name: reason for name, s in self.stopping.items() if (reason := checked_reason(name, s, history))}
        ended = record.stopped_by or next(iter(fired), None)
        return attrs.evolve(record, fired=record.fired | fired | advice(self, history), stopped_by=ended)

    # --------------------------------------------------------------------------------------------------------- finish
    def _finish(self, record: CycleRecord) -> None:
        """The closing record, of the estimates that the last retraining led to."""
        self.folder.append(record)
        self.records.append(record)
        self.hook.vatl_cycle_finished(run=self, record=record)
        self.close()

    def close(self) -> RunRecord:
        """Write how the run ended, as soon as its last cycle's record is on disk."""
        self.closing = closing_record(self)
        self.folder.close(self.closing)
        self.hook.vatl_run_finished(run=self, record=self.closing)
        return self.closing

    # ---------------------------------------------------------------------------------------------------------- shared
    @property
    def present(self) -> Estimates:
        """What the pass of the present cycle found."""
        if self.estimates is None:
            raise AssertionError("a cycle begins with its estimates")
        return self.estimates

    @property
    def stopped_by(self) -> str | None:
        """What ended the asking, in the last cycle; None while nothing has."""
        return self.records[-1].stopped_by if self.records else None

    @property
    def elapsed(self) -> float:
        """Seconds spent on finished cycles."""
        return sum(sum(record.seconds.values()) for record in self.records)

    def history(self, record: CycleRecord) -> History:
        """What a stopping criterion or a retraining policy may see in the cycle of this record."""
        elapsed = self.elapsed + sum(record.seconds.values())
        return History((*self.records, record), self.config.threshold, elapsed, is_random(self.weights))
