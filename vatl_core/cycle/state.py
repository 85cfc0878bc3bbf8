"""A run's state: the parts that it is made of, how far it has come, and what there is to ask of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Estimator, Labels, Oracle, Refinement, Retraining, Selector, Stopping
from vatl_core.cycle.standing import Standing
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, Estimates
from vatl_core.progress import Progress
from vatl_core.records import CycleRecord, History, RunRecord
from vatl_core.store import EVER, RunFolder
from vatl_core.video import Video
from vatl_core.weights import PreTrained, is_random


@attrs.define(eq=False)
class RunState:
    """One video being adapted to: the parts, and how far it has come.

    Attributes:
        config: what the run is made of.
        folder: where it is kept.
        video: with its truth, for the oracle and the evaluation alone.
        estimator: with the present weights.
        criteria: those of the query, and those that other parts watch.
        selector, refinement, retraining, oracle: the other parts.
        stopping: those that end the run; ``advising`` only say where they would have.
        compute: device and precision.
        crops, pictures: of the video without its truth; plain, and with a margin for augmentation.
        hook: calls the lifecycle hooks of the plugins.
        weights: where the source weights came from; ``source`` are these.
        warnings: what the user should know; ``notes`` tell what the criteria begin with.
        learnt: what some of them learnt before the run, kept with it.
        answerable: (N,) bool, which instances the oracle can answer for; None for any.
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
    refinement: Refinement
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
    source: dict[str, Tensor] = attrs.field(factory=dict)
    answerable: Tensor | None = None
    records: list[CycleRecord] = attrs.field(factory=list)
    estimates: Estimates | None = None
    closing: RunRecord | None = None

    @property
    def cycle(self) -> int:
        """The number of the present cycle."""
        return len(self.records)

    @property
    def ended(self) -> bool:
        """Whether the record of its last cycle is there."""
        return bool(self.records) and self.records[-1].closes

    @property
    def stopped_by(self) -> str | None:
        """What ended the asking, in the last cycle; None while nothing has."""
        return self.records[-1].stopped_by if self.records else None

    @property
    def present(self) -> Estimates:
        """What the pass of the present cycle found."""
        assert self.estimates is not None, "a cycle begins with its estimates"
        return self.estimates

    @property
    def progress(self) -> Progress:
        """Tells the plugins how far a stage is; it does not lead back to the run, whose truth methods may not see."""
        tell, folder = self.hook.vatl_progress, self.folder.path
        return lambda stage, done, total: tell(run=folder, stage=stage, done=done, total=total)

    def standing(self, before: int = EVER) -> Standing:
        """Where each instance stands now, or stood when the cycle ``before`` which it is looked at began."""
        standing = Standing.of(len(self.video.instances), self.records[:before], self.folder.answers, before)
        return attrs.evolve(standing, answerable=self.answerable)

    @property
    def asked(self) -> list[int]:
        """Everything that was labelled in earlier cycles, in order."""
        return list(self.standing().asked)

    def labels(self, index: Iterable[int], before: int = EVER) -> Labels:
        """The oracle's answers, or those given in cycles ``before`` this, for those instances that have one."""
        return self.folder.answers.labels(list(index), len(self.video.skeleton), before)

    def beginning(self) -> tuple[Standing, Labels]:
        """Where the cycle began, whatever has been answered in it since: an interruption must not change its pass."""
        standing = self.standing(before=self.cycle)
        return standing, self.labels(standing.asked, before=self.cycle)

    def mean_scores(self, there: Tensor) -> dict[str, float]:
        """Each criterion's mean over the instances that are ``there`` (N,)."""
        if not there.any():
            return {}
        return {name: float(column[there].mean()) for name, column in self.present.criteria.items()}

    def history(self, record: CycleRecord) -> History:
        """What a stopping criterion or a retraining policy may see in the cycle of this record."""
        records = (*self.records, record)
        elapsed = sum(sum(record.seconds.values()) for record in records)
        return History(records, self.config.threshold, elapsed, is_random(self.weights), len(self.folder.given))

    def figures(self, record: CycleRecord) -> dict[str, str]:
        """What plugins have to say of a finished cycle in figures, by name."""
        told = self.hook.vatl_cycle_figures(run=self, record=record)
        return {str(name): str(figure) for figures in told for name, figure in figures.items()}

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
