"""What an executor promises."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from vatl_core.contracts import Executor, Outcome
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import Contract, quick
from vatl_kit.work import double


class ExecutorContract(Contract):
    """``component`` is an executor: an outcome for every run, failures too, wherever it carries them out."""

    kind = "executor"
    component: Executor | type[Executor]

    @quick
    def test_carries_out_every_run(self) -> None:
        outcomes = self._outcomes([1, 2, 5])
        promise(
            sorted(outcome.index for outcome in outcomes) == [0, 1, 2],
            f"{self.called}: map gives one outcome a run, with its number",
            "outcomes 0, 1 and 2",
            [outcome.index for outcome in outcomes],
            "yield Outcome(index, result) for each",
        )
        results = {outcome.index: outcome.result for outcome in outcomes}
        promise(
            results == {0: 2, 1: 4, 2: 10},
            f"{self.called}: outcomes hold what the work returned",
            {0: 2, 1: 4, 2: 10},
            results,
            "call work(runs[index])",
        )

    def test_a_failure_is_an_outcome_and_ends_nothing_else(self) -> None:
        outcomes = self._outcomes([3, -1, 4])
        told = {o.index: str(o.error) if o.error is not None else o.result for o in outcomes}
        promise(
            told == {0: 6, 1: "-1 is negative", 2: 8},
            f"{self.called}: a run that fails is an outcome, with its error, and the others go on",
            {0: 6, 1: "-1 is negative", 2: 8},
            told,
            "make outcomes by vatl_core.contracts.attempt, in another process by attempt_elsewhere",
        )

    def test_nothing_to_do_is_no_outcome(self) -> None:
        outcomes = self._outcomes([])
        promise(not outcomes, f"{self.called}: no runs, no outcomes", [], outcomes, "yield nothing where runs is empty")

    def test_may_be_closed_before_the_end(self) -> None:
        with going_on(f"{self.called}: close map after its first outcome", "write map as a generator"):
            outcomes = self.fresh().map(double, [1, 2, 3])
            next(outcomes)
            outcomes.close()

    @quick
    def test_can_be_sent_to_another_process(self) -> None:
        executor = self.fresh()
        with going_on(f"{self.called}: pickle it", "keep connections and processes out of its fields"):
            other = pickle.loads(pickle.dumps(executor))  # noqa: S301 - our own bytes
        promise(
            other == executor or type(other) is type(executor),
            f"{self.called} comes back from a pickle",
            executor,
            other,
            "leave equality and pickling to attrs",
        )

    def _outcomes(self, runs: Sequence[int]) -> list[Outcome[int]]:
        __tracebackhide__ = True
        with going_on(f"{self.called}: map over {len(runs)} runs"):
            outcomes: list[Any] = list(self.fresh().map(double, runs))
        strange = [type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, Outcome)]
        promise(
            not strange,
            f"{self.called}: map gives Outcomes",
            "vatl_core.Outcome",
            ", ".join(strange),
            "yield Outcome(index, result)",
        )
        return outcomes
