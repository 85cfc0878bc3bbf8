"""The active-transfer-learning cycle: estimate, score, query, ask, decide, retrain (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core import checkpoints
from vatl_core.asking import ask
from vatl_core.closing import closing_record
from vatl_core.compute import Compute, Stopwatch
from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Estimator, Labels, Oracle, Pool, Poses, Retraining, Selector, Stopping
from vatl_core.crops import Crops
from vatl_core.estimate import Estimates, Progress, check_finite, estimate, score_pool
from vatl_core.evaluation import evaluate
from vatl_core.learnt import Learnt
from vatl_core.metrics import oks
from vatl_core.query import checked, query_score
from vatl_core.records import ANNOTATOR, CycleRecord, History, RunRecord
from vatl_core.schedule import amounts
from vatl_core.seeds import generator, seed_of
from vatl_core.store import RunFolder, move
from vatl_core.training import Labelled, Trainer
from vatl_core.video import Video
from vatl_core.weights import is_random


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
        records: of the cycles so far.
        estimates: of the present cycle.
    """

    config: RunConfig
    folder: RunFolder
    video: Video
    estimator: Estimator
    criteria: Mapping[str, Criterion]
    selector: Selector
    retraining: Retraining
    stopping: Mapping[str, Stopping]
    advising: Mapping[str, Stopping]
    oracle: Oracle
    compute: Compute
    crops: Crops
    pictures: Crops
    hook: Any
    weights: str = ""
    warnings: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    learnt: Mapping[str, Learnt] = attrs.field(factory=dict)
    records: list[CycleRecord] = attrs.field(factory=list)
    estimates: Estimates | None = None
    source: dict[str, Tensor] = attrs.field(factory=dict)

    @property
    def cycle(self) -> int:
        """The number of the present cycle."""
        return len(self.records)

    @property
    def asked(self) -> list[int]:
        """Everything that was labelled in earlier cycles, in order."""
        refused = self.folder.answers.refused() if self.records else {}
        return [index for record in self.records for index in record.query if index not in refused]

    @property
    def progress(self) -> Progress:
        """Tells the plugins how far a stage is; it does not lead back to the run, whose truth methods may not see."""
        tell, folder = self.hook.vatl_progress, self.folder.path

        def progress(stage: str, done: int, total: int) -> None:
            tell(run=folder, stage=stage, done=done, total=total)

        return progress

    def labels(self, index: list[int]) -> Labels:
        """The oracle's answers for those of these instances that have one."""
        return self.folder.labels(index, len(self.video.skeleton))

    def redraw(self, index: int, box: tuple[float, float, float, float]) -> None:
        """Give an instance another box, x, y, width, height in pixels; the next pass estimates it there."""
        self.video.instances.boxes[index] = torch.tensor(box)  # shared with the video without truth
        self.crops.redraw(index)
        self.pictures.redraw(index)

    def adapt(self) -> RunRecord:
        """Go through the cycle until a stopping criterion fires or the schedule runs out."""
        try:
            self.hook.vatl_run_started(run=self)
            return self._cycles()
        except BaseException as error:
            self.hook.vatl_run_failed(run=self, error=error)
            raise

    def _cycles(self) -> RunRecord:
        while True:
            self.hook.vatl_cycle_started(run=self, cycle=self.cycle)
            record = self._estimate()
            count = self._how_many(record)
            if not count:
                return self._finish(record)
            record = self._ask(record, self._query(record, count))
            if not record.query and record.stopped_by:
                return self._finish(record)
            if not record.query:  # nobody could label any of it: the cycle asks for others
                self.folder.forget_query(self.cycle)
                continue
            record = self._decide(record)
            record = self._retrain(record)
            self.folder.append(record)
            self.records.append(record)
            self.hook.vatl_cycle_finished(run=self, record=record)

    # ------------------------------------------------------------------------------------------------------- estimate
    def _estimate(self) -> CycleRecord:
        """Pose and scores of every instance, from one pass, and what the truth says of them."""
        started = time.perf_counter()
        known = self.folder.query(self.cycle) is not None or self._stopped_by is not None
        kept = self.folder.estimates(self.cycle) if known else None
        self.estimates = move(kept, self.compute.device) if kept else self._pass()
        if kept is None:
            self.folder.save_estimates(self.cycle, self.estimates)
        scoring = self.estimates.scoring.seconds
        seconds = time.perf_counter() - started
        self.hook.vatl_estimated(run=self, cycle=self.cycle)
        labels = self.labels(self.asked)
        there = ~self._mask([i for i, absent in self.folder.answers.refused().items() if absent])
        return CycleRecord(
            cycle=self.cycle,
            instances=int(there.sum()),
            labelled=len(self.asked),
            mean_scores={name: float(column[there].mean()) for name, column in self.estimates.criteria.items()},
            seconds={"estimate": seconds - scoring, "score": scoring},
            evaluation=evaluate(self.video, self.estimates, labels, self.config.threshold),
        )

    def _pass(self) -> Estimates:
        of_pool = [name for name, criterion in self.criteria.items() if "pool" in criterion.needs]
        scoring = Stopwatch()
        with scoring.on(self.compute.device):
            self._fit(name for name in self.criteria if name not in of_pool)
        estimates = estimate(
            self.estimator, self.crops, self.criteria, self.compute, self.config.batch, self.progress, scoring
        )
        with scoring.on(self.compute.device):
            self._fit(of_pool, estimates.features)
        score_pool(self.criteria, estimates, self.crops, self._labelled_mask)
        check_finite(estimates.criteria, self.criteria)
        return estimates

    def _fit(self, names: Iterable[str], features: Tensor | None = None) -> None:
        """Show these criteria what is labelled; those that score after the pass see its features (N, D) too."""
        labels, device = self.labels(self.asked), self.compute.device
        index = labels.index.to(device)
        poses = Poses(
            labels.keypoints.to(device),
            labels.visible.to(device),
            self.video.instances.boxes[labels.index].to(device),
            None if features is None else features[index],
        )
        for name in names:
            self.criteria[name].fit(poses, generator(self.config.seed, self.cycle, "fit", name))

    # ---------------------------------------------------------------------------------------------------------- query
    def _how_many(self, record: CycleRecord) -> int:
        """The number of labels to ask for; 0 ends the run."""
        left = int((~self._settled_mask).sum())
        if self._stopped_by is not None or not left:
            return 0
        ahead = [amount for amount in amounts(self.config.schedule, record.instances) if amount > record.labelled]
        history = self._history(record)
        allowances = [a for s in self.stopping.values() if (a := s.allowance(history)) is not None]
        return max(0, min([ahead[0] - record.labelled if ahead else 0, left, *allowances]))

    def _query(self, record: CycleRecord, count: int) -> list[int]:
        """The instances to ask for, decided once and kept before anybody is asked."""
        kept = self.folder.query(self.cycle)
        if kept is None:
            started = time.perf_counter()
            kept = self._select(record, count).tolist()
            record.seconds["select"] = time.perf_counter() - started
            self.folder.save_query(self.cycle, kept)
        self.hook.vatl_queried(run=self, cycle=self.cycle, indices=kept)
        return kept

    def _select(self, record: CycleRecord, count: int) -> Tensor:
        estimates, labelled = self.present, self._settled_mask
        pool = Pool(
            scores=self._scores(~labelled, record.fraction),
            features=estimates.features,
            labelled=labelled,
            query_oks=self.records[-1].query_mean_oks if self.records else None,
            watched={name: estimates.criteria[name] for name in self.selector.watches},
        )
        picks = self.selector.select(pool, count, generator(self.config.seed, self.cycle, "select"))
        return checked(picks, labelled, count, self.config.select, self.selector)

    def _scores(self, among: Tensor, fraction: float) -> Tensor:
        """(N,) the query's score, zeros where it has no criterion."""
        share_of = {name: self.criteria[name].share for name in self.config.criteria if name in self.criteria}
        parts = list(share_of)
        return query_score(self.present.criteria, parts, share_of, among, fraction, self.config.query_weights)

    # ------------------------------------------------------------------------------------------------------------ ask
    def _ask(self, record: CycleRecord, query: list[int]) -> CycleRecord:
        """The oracle's answers for what has none yet, each on disk before the next is drawn."""
        started = time.perf_counter()
        labelled = ask(self, query)
        self.hook.vatl_labelled(run=self, cycle=self.cycle, indices=labelled)
        answers = self.folder.answers
        ended = answers.ended(self.cycle)
        labels = self.labels([*self.asked, *labelled])
        similarity = self._similarity(labels).tolist()
        return attrs.evolve(
            record,
            instances=len(self.video.instances) - sum(answers.refused().values()),
            labelled=len(self.asked),
            query=tuple(labelled),
            corrected=tuple(i for i in answers.given_in(self.cycle) if i in self.asked),
            query_oks=tuple(similarity[len(self.asked) :]),
            labelled_oks=tuple(similarity),
            annotation_seconds=answers.seconds(self.cycle),
            seconds=record.seconds | {"label": time.perf_counter() - started},
            fired={} if ended is None else {ANNOTATOR: f"{ended or 'an annotator'} said that it is enough"},
            stopped_by=None if ended is None else ANNOTATOR,
        )

    def _similarity(self, labels: Labels) -> Tensor:
        """(M,) OKS of the present estimates against the labels."""
        index, device = labels.index, self.compute.device
        boxes = self.video.instances.boxes[index].to(device)
        estimated = self.present.keypoints[index.to(device)]
        return oks(estimated, labels.keypoints.to(device), labels.visible.to(device), boxes, self.video.skeleton.sigmas)

    # --------------------------------------------------------------------------------------------------------- decide
    def _decide(self, record: CycleRecord) -> CycleRecord:
        """Which stopping criteria fire here; the first of the run's own ends it."""
        history = self._history(record)
        fired = {name: reason for name, s in self.stopping.items() if (reason := s.decide(history))}
        advice = {name: reason for name, s in self.advising.items() if (reason := s.decide(history))}
        ended = record.stopped_by or next(iter(fired), None)
        return attrs.evolve(record, fired=record.fired | fired | advice, stopped_by=ended)

    # -------------------------------------------------------------------------------------------------------- retrain
    def _retrain(self, record: CycleRecord) -> CycleRecord:
        """The estimator of the next cycle, its weights on disk; a run that stops here may keep its present one."""
        following = self.folder.weights(self.cycle + 1)
        ending = self.stopping.get(record.stopped_by or "")
        if ending and not ending.retrains:
            following.parent.mkdir(parents=True, exist_ok=True)
            self.folder.save_estimates(self.cycle + 1, self.present)
            shutil.copy(self.folder.weights(self.cycle), following)
            return record
        started = time.perf_counter()
        seed = seed_of(self.config.seed, self.cycle, "retrain")
        trainer = Trainer(self.compute, torch.Generator().manual_seed(seed), self.progress)
        self.estimator = self.retraining.retrain(
            self.estimator, self.source, self._labelled(record), self._history(record), trainer
        )
        checkpoints.save(following, self.estimator, self.video.skeleton)
        self.hook.vatl_retrained(run=self, cycle=self.cycle)
        return attrs.evolve(record, seconds=record.seconds | {"retrain": time.perf_counter() - started})

    def _labelled(self, record: CycleRecord) -> Labelled:
        """Everything labelled, as a retraining policy may see it."""
        device = self.compute.device
        labels = self.labels([*self.asked, *record.query])
        queried = torch.isin(labels.index, torch.tensor([*record.query, *record.corrected])).to(device)
        return Labelled(
            index=labels.index.to(device),
            keypoints=labels.keypoints.to(device),
            visible=labels.visible.to(device),
            oks=torch.tensor(record.labelled_oks, device=device),
            queried=queried,
            pictures=self.pictures,
        )

    # --------------------------------------------------------------------------------------------------------- finish
    def _finish(self, record: CycleRecord) -> RunRecord:
        """The closing record, of the estimates that the last retraining led to."""
        self.folder.append(record)
        self.records.append(record)
        self.hook.vatl_cycle_finished(run=self, record=record)
        closing = closing_record(self)
        self.folder.close(closing)
        self.hook.vatl_run_finished(run=self, record=closing)
        return closing

    # ---------------------------------------------------------------------------------------------------------- shared
    @property
    def present(self) -> Estimates:
        """What the pass of the present cycle found."""
        if self.estimates is None:
            raise AssertionError("a cycle begins with its estimates")
        return self.estimates

    @property
    def _labelled_mask(self) -> Tensor:
        """(N,) bool, whether an earlier cycle asked for it; on the device."""
        return self._mask(self.asked)

    @property
    def _settled_mask(self) -> Tensor:
        """(N,) bool, whether it is not going to be asked for: labelled, or refused; on the device."""
        return self._mask([*self.asked, *self.folder.answers.refused()])

    def _mask(self, index: list[int]) -> Tensor:
        mask = torch.zeros(len(self.video.instances), dtype=torch.bool, device=self.compute.device)
        mask[index] = True
        return mask

    @property
    def _stopped_by(self) -> str | None:
        return self.records[-1].stopped_by if self.records else None

    @property
    def elapsed(self) -> float:
        """Seconds spent on finished cycles."""
        return sum(sum(record.seconds.values()) for record in self.records)

    def _history(self, record: CycleRecord) -> History:
        elapsed = self.elapsed + sum(record.seconds.values())
        return History((*self.records, record), self.config.threshold, elapsed, is_random(self.weights))
