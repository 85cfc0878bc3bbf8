"""What a stopping criterion promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vatl_core.contracts import Stopping
from vatl_core.records import CycleRecord, History
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import quick
from vatl_kit.truth import UnknowingContract
from vatl_kit.watching import watches_what_is_there


class StoppingContract(UnknowingContract):
    """``component`` is a stopping criterion: a reason or None, whatever happened so far, and the same when resumed."""

    kind = "stopping"
    component: Stopping | type[Stopping]

    @quick
    def test_watches_criteria_that_are_there(self) -> None:
        watches_what_is_there(self.called, self.fresh().watches)

    @quick
    def test_gives_a_reason_or_none(self) -> None:
        for what, history in self._histories().items():
            reason = self._decide(self.fresh(), history, what)
            promise(
                reason is None or (isinstance(reason, str) and reason.strip() and "\n" not in reason),
                f"{self.called}: decide says why, in a line ({what})",
                "a line of text, or None to go on",
                repr(reason),
                "return None or a text such as 'the mean OKS is 0.91'",
            )

    @quick
    def test_allows_a_number_of_labels_or_any(self) -> None:
        for what, history in self._histories().items():
            with going_on(f"{self.called}: allowance, {what}"):
                allowance = self.fresh().allowance(history)
            promise(
                allowance is None or (type(allowance) is int and allowance >= 0),
                f"{self.called}: allowance says how many labels may still be asked for ({what})",
                "a whole number from 0, or None for any",
                repr(allowance),
                "return max(0, …), or None",
            )

    def test_decides_the_same_when_a_run_is_taken_up_again(self) -> None:
        cycles = self._cycles([0.2, 0.4, 0.6, 0.62, 0.63, 0.63, 0.95, 0.99])
        through = self.fresh()
        for end in range(1, len(cycles) + 1):
            history = History(cycles[:end], 0.5, 60.0 * end)
            going, resumed = (self._decide(one, history, f"cycle {end}") is not None for one in (through, self.fresh()))
            promise(
                going == resumed,
                f"{self.called}: a resumed run stops where it would have stopped (cycle {end})",
                "the same decision by an object that saw every cycle and by a new one",
                f"{'stop' if going else 'go on'} and {'stop' if resumed else 'go on'}",
                "keep nothing on self: read history.cycles",
            )

    def _decide(self, stopping: Any, history: History, what: str) -> Any:
        __tracebackhide__ = True
        with going_on(f"{self.called}: decide, {what}", "histories may be short, and a query may have no label"):
            return stopping.decide(history)

    def _histories(self) -> dict[str, History]:
        """Usual and odd ones."""
        return {
            "in the first cycle": History(self._cycles([0.3]), 0.5, 1.0),
            "after three cycles": History(self._cycles([0.3, 0.5, 0.8]), 0.5, 100.0),
            "where every pose is right": History(self._cycles([1.0] * 6), 0.9, 1e6),
            "where every pose is wrong": History(self._cycles([0.0] * 6), 0.5, 0.0),
            "where nobody would label the query": History((*self._cycles([0.3]), self._cycle(1, 4, [])), 0.5),
            "where the first query had no label": History((self._cycle(0, 0, []),), 0.5),
            "where nothing of the query is visible": History((self._cycle(0, 0, [None] * 4),), 0.5),
            "of a video of one instance": History((self._cycle(0, 0, [0.7], instances=1),), 0.5, 3.0),
            "of 300 cycles": History(self._cycles([0.001 * n for n in range(300)]), 0.5, 1e5, True),
        }

    def _cycles(self, means: Sequence[float]) -> tuple[CycleRecord, ...]:
        return tuple(self._cycle(number, 4 * number, [mean] * 4) for number, mean in enumerate(means))

    def _cycle(self, number: int, labelled: int, oks: Sequence[float | None], instances: int = 1600) -> CycleRecord:
        names = self.fresh().watches
        return CycleRecord(
            cycle=number,
            instances=instances,
            labelled=labelled,
            query=tuple(range(labelled, labelled + len(oks))),
            query_oks=tuple(oks),
            labelled_oks=(*[0.5] * labelled, *oks),
            mean_scores=dict.fromkeys(names, 1.0 / (1 + number)),
            annotation_seconds=2.5 * len(oks),
            seconds={"estimate": 1.0, "score": 0.1, "select": 0.1, "label": 2.0},
        )
