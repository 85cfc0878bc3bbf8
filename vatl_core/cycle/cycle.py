"""The active-transfer-learning cycle: estimate, query, ask, decide, retrain (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from vatl_core.cycle.closing import close
from vatl_core.cycle.estimating import estimated
from vatl_core.cycle.state import RunState
from vatl_core.cycle.step import Cycle
from vatl_core.plugins import culprit, describe
from vatl_core.records import RunRecord


@attrs.define(eq=False)
class Run(RunState):
    """One video being adapted to: iterate over its cycles, or let it :meth:`adapt` to the end."""

    _under_way: Cycle | None = attrs.field(default=None, init=False, repr=False)

    def adapt(self) -> RunRecord:
        """Go through the cycle until a stopping criterion fires or the schedule runs out."""
        for _ in self:
            pass
        assert self.closing is not None, "the cycles end with the closing record"
        return self.closing

    def __iter__(self) -> Iterator[Cycle]:
        """The cycles from the present one on, the closing pass last.

        Each comes with its estimates; what its receiver leaves undone of it is done before the next. Whoever leaves the
        loop can iterate again and gets the same cycle.

        Raises:
            InputError: another process works on the run, or has.
            PluginError: a component breaks its contract.
        """
        with self.held(), self._failure_told():
            self.hook.vatl_run_started(run=self)
            if self.ended and self.closing is None:  # the last time it was interrupted just before
                close(self)
            while self.closing is None:
                cycle = self._under_way = self._under_way or Cycle(self, estimated(self))  # estimate
                yield cycle
                if not cycle.finished:
                    cycle.choose()  # query
                    if not cycle.labelled:
                        cycle.label()  # ask
                    cycle.decide()
                    cycle.retrain()
                self._under_way = None

    @contextmanager
    def _failure_told(self) -> Iterator[None]:
        """Tell the plugins what makes the run fail within the block; what they make of it must not hide it."""
        try:
            yield
        except GeneratorExit:  # a `break` in the loop over the run
            self.hook.vatl_run_left(run=self)
            raise
        except BaseException as error:
            try:
                self.hook.vatl_run_failed(run=self, error=error)
            except Exception as further:
                error.add_note(f"then vatl_run_failed failed, too: {describe(further)}{culprit(further)}")
            raise
