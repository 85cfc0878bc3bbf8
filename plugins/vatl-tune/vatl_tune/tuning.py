"""Carrying a search out: trials are drawn, run cycle by cycle, and those that fall behind end early."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from vatl_core.contracts import Executor
from vatl_core.errors import InputError, VatlError
from vatl_core.store import RunFolder
from vatl_sweep import SweepFolder, SweepRun, Watch, carry_out
from vatl_tune.setup import Setup
from vatl_tune.storage import UNPRUNED, open_study, sampler

CAUSE: Final = "cause"
"""The attribute of a trial that failed: why."""
SAME: Final = "same as"
"""The attribute of a trial with the values of an earlier one, which need not be run again: that one's number."""
HOPELESS: Final = 3
"""Trials in a row that fail before the search is given up."""
Told = Callable[[FrozenTrial], None]


def tune(setup: Setup, executor: Executor, told: Told = lambda trial: None) -> Study:
    """Carry out what is left of a search whose folder is locked.

    Args:
        setup: the search.
        executor: where its runs are carried out.
        told: called with each trial that has ended.

    Raises:
        InputError: runs cannot be carried out there at all.
        VatlError: one trial after the other fails.
    """
    study = open_study(setup.folder, setup.identity, setup.objective.direction)
    own = {parameter.name: parameter.default for parameter in setup.parameters}
    if not study.trials and None not in own.values():
        study.enqueue_trial(own)  # what the others are an improvement on
    tuning, failed = Tuning(setup, study, executor), 0
    while numbers := tuning.next_ones():
        for ended in tuning.carry_on([tuning.trial(number) for number in numbers]):
            told(ended)
            failed = failed + 1 if ended.state == TrialState.FAIL else 0
        if failed >= HOPELESS:
            raise VatlError(
                f"the last {failed} trials failed, trial {ended.number}: {ended.user_attrs[CAUSE]}; once the cause is "
                "gone the same command goes on"
            )
    return study


@attrs.frozen
class Tuning:
    """A search under way.

    Attributes:
        setup: what it is made of.
        study: the trials so far.
        executor: where runs are carried out.
    """

    setup: Setup
    study: Study
    executor: Executor

    @property
    def folder(self) -> SweepFolder:
        """Where the runs lie, as those of a sweep."""
        return SweepFolder(self.setup.folder)

    def next_ones(self) -> list[int]:
        """The numbers of the trials to carry out together: those that an interruption left, else the next."""
        known = {trial.number: trial.state for trial in self.study.trials if trial.state != TrialState.WAITING}
        left = [number for number, state in known.items() if state == TrialState.RUNNING]
        size = self.setup.tune.at_once
        first = min(left or [len(known)]) // size * size
        batch = range(first, min(first + size, max(self.setup.tune.trials, max(left, default=-1) + 1)))
        return [number for number in batch if not known.get(number, TrialState.RUNNING).is_finished()]

    def trial(self, number: int) -> Trial:
        """Trial ``number``, with its values: drawn now, or what an interruption left."""
        self.study.sampler = sampler(self.setup.tune.seed, number)
        known = [trial for trial in self.study.trials if trial.number == number and trial.state == TrialState.RUNNING]
        trial = Trial(self.study, known[0]._trial_id) if known else self.study.ask()
        for parameter in self.setup.parameters:
            parameter.of(trial)
        return trial

    def carry_on(self, trials: Sequence[Trial]) -> Iterator[FrozenTrial]:
        """Carry trials out side by side, looking at them after some cycles; each as it ends."""
        live: dict[int, tuple[Trial, list[SweepRun]]] = {}
        for trial in trials:
            runs = self._begun(trial)
            if runs:
                live[trial.number] = trial, runs
            else:
                yield self._frozen(trial)
        for cycles in (*self._looks(), None):
            self._run([run for _, runs in live.values() for run in runs], cycles)
            for number, (trial, runs) in list(live.items()):
                if self._ended(trial, runs, cycles):
                    del live[number]
                    yield self._frozen(trial)

    def _looks(self) -> tuple[int, ...]:
        """The cycles after which a trial may end; the first few trials go to their end at once."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return self.setup.tune.prune_after if len(complete) >= UNPRUNED else ()

    def _begun(self, trial: Trial) -> list[SweepRun]:
        """The runs of a trial; none, and it is ended, where they are known already or cannot be."""
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        earlier = self.study.get_trials(deepcopy=False, states=states)
        if twin := next((one for one in earlier if one.params == trial.params), None):
            trial.set_user_attr(SAME, twin.user_attrs.get(SAME, twin.number))
            self._report(trial, list(twin.intermediate_values.values()))
            self.study.tell(trial, *((twin.value,) if twin.state == TrialState.COMPLETE else ()), state=twin.state)
            return []
        try:
            return self.setup.runs(trial.number, trial.params)
        except InputError as error:
            self._fail(trial, str(error))
            return []

    def _run(self, runs: Sequence[SweepRun], cycles: int | None) -> None:
        """Carry out what is left of runs, up to so many cycles."""
        left = [run for run in runs if self.folder.state(run) in ("new", "interrupted")]
        left = [run for run in left if cycles is None or len(RunFolder(run.path).cycles()) < cycles]
        if left:
            with Watch(self.folder, left) as watch:
                watch.begun(left, announced=True)
                carry_out(self.folder, left, self.executor, watch.ended, cycles)

    def _ended(self, trial: Trial, runs: Sequence[SweepRun], cycles: int | None) -> bool:
        """Judge a trial by its runs' first ``cycles`` cycles, by all if None or if they have ended; whether it is over.

        After an interruption runs may be further than that, and some further than others.
        """
        over = all(self.folder.record(run) for run in runs)
        causes = [failure.cause for run in runs if (failure := self.folder.failure(run))]
        values = [] if causes else self._values(runs, None if over else cycles)
        if not values or not math.isfinite(values[-1]):
            self._fail(trial, causes[0] if causes else f"{self.setup.objective.measure} of its runs is not known")
            return True
        self._report(trial, values)
        if over:
            self.study.tell(trial, values[-1])
        elif trial.should_prune():
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            return False
        return True

    def _values(self, runs: Sequence[SweepRun], cycles: int | None) -> list[float]:
        records = [RunFolder(run.path).cycles()[:cycles] for run in runs]
        return mean_curve([self.setup.objective.values(of_run) for of_run in records])

    def _report(self, trial: Trial, values: Sequence[float]) -> None:
        """Note what it came to after each cycle."""
        noted = self._frozen(trial).intermediate_values
        for step, value in enumerate(values, 1):
            if step not in noted and math.isfinite(value):
                trial.report(value, step)

    def _fail(self, trial: Trial, cause: str) -> None:
        trial.set_user_attr(CAUSE, cause)
        self.study.tell(trial, state=TrialState.FAIL)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        return self.study.trials[trial.number]


def mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    """The mean of several runs cycle by cycle; one that ends before others stays where it was."""
    padded = [[*curve, *[curve[-1]] * (max(map(len, curves)) - len(curve))] for curve in curves]
    return [statistics.fmean(values) for values in zip(*padded, strict=True)]


def values_text(trial: FrozenTrial) -> str:
    """``duw.uncertainty_weight = 0.0123, thc.norm = l2``"""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in trial.params.items())


def value_text(value: Any) -> str:
    """A value to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def outcome_text(trial: FrozenTrial) -> str:
    """What came of a trial, in a few words."""
    if trial.state == TrialState.FAIL:
        return f"failed: {trial.user_attrs.get(CAUSE, '')}"
    same = f", the same as trial {trial.user_attrs[SAME]}" if SAME in trial.user_attrs else ""
    if trial.state == TrialState.PRUNED:
        return f"given up after cycle {trial.last_step} at {trial.value:.4f}{same}"
    return f"{trial.value:.4f}{same}"
